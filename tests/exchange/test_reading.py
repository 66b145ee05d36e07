"""What the judging child makes of a file: cells as agreed, the notes that are drawn, whether runs tell of it."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from gate.papers import a_contract, a_field, a_key
from lake.reading import read_bytes, table_of
from sluice.agreement.folder.load import load_agreement, load_contract
from sluice.agreement.model import DataContract
from sluice.exchange.judging import rest_index
from sluice.exchange.judging.content import read_content
from sluice.exchange.judging.job import Job
from sluice.exchange.judging.reading import hints_of
from sluice.exchange.judging.rest_index import is_told
from sluice.gate.contract_rules import rules_for, thresholds_of
from sluice.gate.judge import judge
from sluice.gate.onepass import run_rules
from sluice.keys import Keyring
from sluice.lake.read.reader import read_table
from sluice.lake.table import FormatRefusal
from sluice.sample.files import write_campaign
from sluice.settings import Settings, get_settings
from sluice.terms import Principal, Verdict

MOMENT = datetime(2024, 1, 30, 10, 0)
HEADER = ("lead", "day", "at", "clock", "amount")


def workbook() -> bytes:
    """As a person makes one, with cells that are dates, a time and a number."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADER)
        sheet.write(1, 0, "L1")
        for column, (value, shown) in enumerate(
            [(MOMENT.replace(hour=0), "dd/mm/yyyy"), (MOMENT, "dd/mm/yyyy hh:mm"), (time(10), "hh:mm"), (12.5, "0.00")]
        ):
            sheet.write(1, column + 1, value, book.add_format({"num_format": shown}))
    return out.getvalue()


def parquet() -> bytes:
    out = io.BytesIO()
    pl.DataFrame([("L1", MOMENT.date(), MOMENT, time(10), 12.5)], schema=HEADER, orient="row").write_parquet(out)
    return out.getvalue()


def contract(form: str, *formats: str | None, comma: bool) -> DataContract:
    kinds = zip(("day", "at", "clock"), ("date", "timestamp", "time"), formats, strict=True)
    dated = [a_field(name, kind, date_format=said) for name, kind, said in kinds]
    made = a_contract(a_key(), *dated, a_field("amount", "number"), comma=comma)
    return replace(made, file_format=replace(made.file_format, format=form, delimiter=None))


@pytest.mark.parametrize(("form", "make"), [("xlsx", workbook), ("parquet", parquet)])
@pytest.mark.parametrize(
    ("formats", "comma", "cells"),
    [
        ((None, None, None), False, ("L1", "2024-01-30", "2024-01-30T10:00:00", "10:00:00", "12.5")),
        (("%d/%m/%Y", "%d/%m/%Y %H:%M", "%H:%M"), True, ("L1", "30/01/2024", "30/01/2024 10:00", "10:00", "12,5")),
        (
            ("%Y%m%d", "%Y-%m-%d %H:%M:%S", "%H:%M:%S"),
            False,
            ("L1", "20240130", "2024-01-30 10:00:00", "10:00:00", "12.5"),
        ),
    ],
)
def test_a_real_date_time_or_number_meets_the_format_of_its_contract(
    tmp_path: Path,
    form: str,
    make: Callable[[], bytes],
    formats: tuple[str | None, ...],
    comma: bool,
    cells: tuple[str, ...],
) -> None:
    agreed = contract(form, *formats, comma=comma)

    table = table_of(read_bytes(tmp_path, make(), f"drop.{form}", hints_of(agreed)))

    assert table.frame.rows() == [cells]
    assert (
        judge(run_rules(table.frame, rules_for(agreed, ())), [], thresholds_of(agreed)).verdict.verdict
        is Verdict.PASSED
    )


def test_an_identifier_is_read_as_the_file_spells_it() -> None:
    """An erasure looks for that text in the file."""
    agreed = a_contract(replace(a_key(), logical_type="number"), a_field("amount", "number"), comma=True)

    assert hints_of(agreed).commas == ("amount",)


def tells(contract: DataContract, *columns: str, bad: tuple[str, ...] = ()) -> bool:
    return is_told(contract, columns, pl.Series("raw", bad, dtype=pl.String), None)


def test_runs_tell_of_a_file_with_every_column_that_names_and_few_pieces_that_are_no_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    contract = a_contract(a_key(), a_field("note"))
    assert tells(contract, "lead", bad=("L-1;x", "L-2;y"))
    assert not tells(contract, "note")
    assert not tells(a_contract(a_field("note")), "note"), "nothing in it can name anybody"
    monkeypatch.setattr(rest_index, "MOST_PIECES", 4)
    assert tells(contract, "lead", bad=("L-1;x", "L-2;y"))
    assert not tells(contract, "lead", bad=("L-1;x", "L-2;y;z")), "it is opened instead"


CONTRACT, AGREEMENT = "energy01/renewal_campaign.inbound.odcs.yaml", "energy01/agreement-3.0.0.yaml"
ENERGY, TELECOM = Principal("energy01"), Principal("telecom01")


def drawn(file: Path, sample_key: str) -> set[int]:
    papers = get_settings().principals_dir
    job = Job(
        folder=file.parent,
        file=file,
        file_name=file.name,
        contract=load_contract(papers / CONTRACT),
        suites=(),
        subject_key="",
        sample_key=sample_key,
        origin=None,
        free_text=load_agreement(papers / AGREEMENT).free_text,
    )
    table = read_table(file, file_name=file.name)
    assert not isinstance(table, FormatRefusal)
    return {each.row for each in read_content(table, job).findings if each.code == "TEXT_SAMPLE"}


def test_the_sample_is_another_under_another_key_and_without_one(tmp_path: Path) -> None:
    file = tmp_path / "campaign.csv"
    write_campaign(file, 5_000, 7)

    ours, others, dry = drawn(file, "ours"), drawn(file, "others"), drawn(file, "")

    assert ours == drawn(file, "ours") and min(map(len, (ours, others, dry))) > 5
    assert len({frozenset(each) for each in (ours, others, dry)}) == 3


def test_the_key_is_the_principals_own_and_the_same_at_every_attempt(tmp_path: Path) -> None:
    first, again, elsewhere = (
        Keyring.open(Settings(var=tmp_path / var, home=tmp_path, keys_dir=tmp_path / "keys")) for var in "aab"
    )

    assert first.sample_key(ENERGY) == again.sample_key(ENERGY)
    assert len({first.sample_key(ENERGY), first.sample_key(TELECOM), elsewhere.sample_key(ENERGY)}) == 3
    assert not (tmp_path / "keys").exists()
