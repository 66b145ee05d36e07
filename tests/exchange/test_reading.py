"""Files whose cells are dates and numbers themselves come as their contract says, and pass its rules."""

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
from sluice.agreement.model import DataContract
from sluice.exchange.judging.reading import hints_of
from sluice.gate.contract_rules import rules_for, thresholds_of
from sluice.gate.judge import judge
from sluice.gate.onepass import run_rules
from sluice.terms import Verdict

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
        (
            ("%d/%m/%Y", "%d/%m/%Y %H:%M", "%H:%M"),
            True,
            ("L1", "30/01/2024", "30/01/2024 10:00", "10:00", "12,5"),
        ),
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
