"""A record without any value is no row, in whatever format it comes."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from sluice.agreement.papers import Paper
from sluice.exchange.dry_run import DryRun, find_paper
from sluice.exchange.judging.nursery import CHILD, Nursery
from sluice.sample.files import write_campaign
from sluice.settings import get_settings
from sluice.terms import Flow, Verdict

pytestmark = pytest.mark.usefixtures("fresh_settings")

ROWS, BLANK = 12, 3
"""How many records are in the files, and which of them is blank."""


def as_csv(frame: pl.DataFrame, path: Path) -> None:
    frame.write_csv(path, separator=";")


def as_quoted_csv(frame: pl.DataFrame, path: Path) -> None:
    frame.fill_null("").write_csv(path, separator=";", quote_style="always")


def as_blank_line(frame: pl.DataFrame, path: Path) -> None:
    as_csv(frame, path)
    path.write_text(path.read_text().replace("\n" + ";" * (frame.width - 1) + "\n", "\n\n"))


def as_json(frame: pl.DataFrame, path: Path) -> None:
    path.write_text(json.dumps(frame.to_dicts()))


def as_parquet(frame: pl.DataFrame, path: Path) -> None:
    frame.write_parquet(path)


def as_xlsx(frame: pl.DataFrame, path: Path) -> None:
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        for at, row in enumerate([frame.columns, *frame.rows()]):
            for place, cell in enumerate(row):
                if cell is not None:
                    sheet.write_string(at, place, cell)


FORMS = {
    "csv": as_csv,
    "quoted.csv": as_quoted_csv,
    "line.csv": as_blank_line,
    "json": as_json,
    "parquet": as_parquet,
    "xlsx": as_xlsx,
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("is_loose", [True, False])
def test_a_record_of_empty_cells_is_refused_as_a_blank_line_is(tmp_path: Path, form: str, is_loose: bool) -> None:
    made = tmp_path / "made.csv"
    write_campaign(made, ROWS, 1)
    frame = pl.read_csv(made, separator=";", infer_schema=False)
    nothing = pl.DataFrame({name: [None] for name in frame.columns}, schema=frame.schema)
    path = tmp_path / f"leads.{form}"
    FORMS[form](pl.concat([frame[: BLANK - 1], nothing, frame[BLANK:]]), path)

    paper = find_paper(get_settings(), "DPA-ENERGY01", Flow("renewal_campaign"), date(2026, 11, 28))
    assert isinstance(paper, Paper)
    sent = replace(paper.contract.file_format, format=path.suffix[1:], pattern="*")
    contract = replace(paper.contract, file_format=sent)
    if is_loose:  # no other rule sees that the record is empty
        loose = tuple(replace(each, required=False, subject_key=None) for each in contract.fields)
        contract = replace(contract, fields=loose, quality=())
    with Nursery(CHILD) as nursery, DryRun(nursery, get_settings(), replace(paper, contract=contract), ()) as judge:
        tried = judge.run(path)

    verdict, told = tried.verdict, {each.code: each.rows for each in tried.reasons}
    assert told.pop("SHAPE_BLANK_RECORD") == (BLANK,)
    assert told.keys() <= ({"VALUE_NULL", "VALUE_NO_SUBJECT"} if not is_loose else set())
    assert (verdict.verdict, verdict.rows_in, tried.rows_accepted) == (Verdict.WARNED, ROWS, ROWS - 1)
    assert (verdict.rows_refused, tried.rows_held) == (1, 0)
