"""One night in every agreed format: the same values, no live formula, and only what may leave."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pyarrow.parquet
import pytest
from pysequoia import Tsk, decrypt

from lake.formulas import ATTACKS, live_cells
from returns.evenings import Evening
from sluice.agreement.dpv import GDPR
from sluice.agreement.folder.load import load_agreement
from sluice.documents.statement import METADATA_KEY
from sluice.returns.carry import forbidden
from sluice.settings import Settings
from sluice.terms import Flow
from support.night import (
    AGREEMENT,
    AT_ONCE,
    CALLED_AT,
    CONTRACT,
    Call,
    Edit,
    Night,
    add_contract,
    open_night,
    seal_returns,
    with_papers,
)

pytestmark = pytest.mark.stores

Rows = list[dict[str, Any]]
EVIL = (*ATTACKS[:6], "\t=1+1", "1;=1+1;2", "first line\n=1+1", "--1")
"""What a spreadsheet would run, in notes and in dispositions."""


@dataclass(frozen=True)
class Form:
    """A flow that returns the night in one format."""

    format: str
    read: Callable[[bytes], Rows]
    changes: tuple[tuple[str, str], ...] = ()

    @property
    def flow(self) -> str:
        return f"as_{self.format}"


def read_csv(content: bytes) -> Rows:
    return list(csv.DictReader(io.StringIO(content.decode(), newline=""), delimiter=";"))


def read_xlsx(content: bytes) -> Rows:
    header, *rows = openpyxl.load_workbook(io.BytesIO(content)).active.iter_rows(values_only=True)
    return [dict(zip(header, row, strict=True)) for row in rows]


def read_ndjson(content: bytes) -> Rows:
    return [json.loads(line) for line in content.decode().splitlines()]


FORMS = (
    Form("csv", read_csv),
    Form("xlsx", read_xlsx),
    Form("json", lambda content: list(json.loads(content))),
    Form("ndjson", read_ndjson),
    Form("parquet", lambda content: pl.read_parquet(io.BytesIO(content)).to_dicts()),
)
AS = {
    form.format: (
        (f"{form.flow}/*.csv", f"{form.flow}/*.{form.format}"),
        ('    format: csv\n    delimiter: ";"\n', f"    format: {form.format}\n"),
    )
    for form in FORMS
    if form.format != "csv"
}


def plain(rows: Rows) -> Rows:
    """Cells as their texts, so that a number in JSON is the digits in CSV."""
    return [{name: text_of(cell) for name, cell in row.items()} for row in rows]


def text_of(cell: object) -> str:
    if isinstance(cell, datetime):
        return f"{cell:%d/%m/%Y %H:%M:%S}"
    return "" if cell is None else str(cell)


def calls_of(night: Night) -> list[Call]:
    """Calls whose notes and dispositions would run; one of them had its recording kept too long."""
    people = night.people(2 * len(EVIL) + 2)
    evil = [Call(f"n{n}", *people[n], note=text) for n, text in enumerate(EVIL)]
    evil += [Call(f"d{n}", *people[len(EVIL) + n], disposition=text) for n, text in enumerate(EVIL)]
    return [
        *evil,
        Call("plain", *people[-2], note='Vraagt "offerte"; belt terug,\nmorgen é€', order="0012"),
        Call("none", *people[-1], recording=""),
    ]


def test_every_format_says_the_same_and_no_formula_lives(store_settings: Settings, tmp_path: Path) -> None:
    settings = with_papers(store_settings, tmp_path, AT_ONCE)
    for form in FORMS:
        add_contract(settings, CONTRACT, form.flow, *AS.get(form.format, ()))
    with open_night(settings, tmp_path) as night:
        calls = calls_of(night)
        night.called(*calls)
        found: dict[str, Rows] = {}
        for form in FORMS:
            night.make(flow=Flow(form.flow))
            [line] = night.returns(Flow(form.flow))
            assert (line.decision, line.rows_accepted) == ("accepted", len(calls))
            content = night.file(line)
            found[form.format] = plain(form.read(content))
            if form.format == "csv":
                assert live_cells(content.decode(), ";") == []
                neutralised = night.record(line).how.dialect["neutralised"]
            if form.format == "parquet":
                says_its_roles(content)
            if form.format == "xlsx":
                has_no_formula(content)
        assert set(neutralised) >= {"note", "disposition"}
        exact = found["json"]
        assert {row["note"] for row in exact} | {row["disposition"] for row in exact} >= set(EVIL)
        assert found["ndjson"] == exact
        assert found["parquet"] == exact
        assert found["xlsx"] == exact
        assert [without_apostrophes(row, exact[n]) for n, row in enumerate(found["csv"])] == exact


def without_apostrophes(row: Mapping[str, str], exact: Mapping[str, str]) -> dict[str, str]:
    """The cell as it was before it was made harmless: only apostrophes may have come in."""
    return {
        name: exact[name] if cell.replace("'", "") == exact[name].replace("'", "") else cell
        for name, cell in row.items()
    }


def has_no_formula(content: bytes) -> None:
    cells = [cell for row in openpyxl.load_workbook(io.BytesIO(content)).active.iter_rows() for cell in row]
    assert cells and not any(cell.data_type == "f" for cell in cells)


def says_its_roles(content: bytes) -> None:
    inside = json.loads(pyarrow.parquet.read_schema(io.BytesIO(content)).metadata[METADATA_KEY])
    assert {column["name"]: column["controller"] for column in inside["columns"]} == {
        **dict.fromkeys(("customer_number", "phone", "product"), "principal"),
        **dict.fromkeys(
            ("contacted_at", "attempts", "disposition", "callback_at", "order_number", "note", "recording_ref", "agent",
             "talk_seconds"), "center",
        ),
    }  # fmt: skip


def test_a_pgp_return_opens_to_the_very_file_and_leaves_the_eea_only_on_its_basis(
    store_settings: Settings, tmp_path: Path
) -> None:
    key = Tsk.generate("exchange@energy01.example")
    edits = (
        Edit(AGREEMENT, "  country: BE", f'  country: US\n  transferBasis: "{GDPR}A46-2-c"'),
        Edit(AGREEMENT, "transfersOutsideEea: forbidden", "transfersOutsideEea: with_basis"),
    )
    settings = with_papers(store_settings, tmp_path, AT_ONCE, *edits)
    paper = load_agreement(settings.principals_dir / "energy01" / AGREEMENT)
    seal_returns(settings.principals_dir / "energy01" / AGREEMENT, key.extract_certificate())
    with open_night(settings, tmp_path, 5) as night:
        night.called(Call("c1", *night.people(1)[0]))
        night.make()
        [line] = night.returns()
        record = night.record(line)
        assert record.what.key.endswith(".csv.pgp")
        assert record.who.countries == ("BE", "NL", "US")
        opened = decrypt(night.file(line), key.decryptor()).bytes
        assert opened is not None
        assert [row["customer_number"] for row in read_csv(opened)] == [night.people(1)[0][0]]
        assert night.people(1)[0][0].encode() not in night.file(line)
        night.make()
        assert len(night.returns()) == 1

    day = CALLED_AT.date()
    bare = replace(paper, delivery=replace(paper.delivery, transfer_basis=None))
    nowhere = replace(paper, transfers_outside_eea="forbidden")
    assert forbidden(paper, day) == ()
    assert [[each.code for each in forbidden(each, day)] for each in (bare, nowhere)] == [["FORBIDDEN_COUNTRY"]] * 2


def test_recordings_go_only_within_their_retention_and_those_left_out_are_counted(at_once: Evening) -> None:
    night, people, old = at_once, at_once.people(3), CALLED_AT - timedelta(days=40)
    night.called(
        Call("new", *people[0], recording="rec-new"),
        Call("old", *people[1], at=old, recording="rec-old"),
        Call("old too", *people[2], at=old, recording=""),
    )
    night.make()
    [newer], [older] = night.returns(), replace(night, number=night.number + 40).returns()
    assert [row["recording_ref"] for row in read_csv(night.file(newer))] == ["rec-new"]
    assert [row["recording_ref"] for row in read_csv(night.file(older))] == ["", ""]
    bucket = night.desk.settings.bucket_exchange
    every = [night.desk.house.objects.read(bucket, o.key, o.version_id) for o in night.desk.objects(bucket)]
    assert b"rec-new" in b"".join(every) and b"rec-old" not in b"".join(every)
    assert [night.record(line).right_treatment.withheld for line in (newer, older)] == [{}, {"recording_ref": 1}]


def test_a_return_without_its_source_is_refused_once(store_settings: Settings, tmp_path: Path) -> None:
    edit, reason = Edit(CONTRACT, "results.order_number", "results.survey_score"), "HEADER_SOURCE_MISSING"
    with open_night(with_papers(store_settings, tmp_path, AT_ONCE, edit), tmp_path, 5) as night:
        night.called(replace(Call("c1", *night.people(1)[0]), order="7"))
        night.make()
        night.make()
        assert [(line.decision, line.reason_code) for line in night.returns()] == [("refused", reason)]
        assert night.delivered() == {}
