"""What the reader sees in a file reaches whoever sent it: with the column, without a name that may be a person's."""

import csv
import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from agreement.papers import CONTRACT, write_folder
from returns.commands import sluice
from sluice.agreement.papers import Paper
from sluice.exchange.dry_run import DryRun, find_paper
from sluice.exchange.judging.nursery import CHILD, Nursery
from sluice.gate.model import ROWS_SHOWN
from sluice.sample.files import write_campaign
from sluice.settings import get_settings
from sluice.terms import Flow

RUN = ("--agreement", "DPA-ENERGY01", "--flow", "renewal_campaign", "--dry-run")
Rows = list[list[str]]

pytestmark = pytest.mark.usefixtures("fresh_settings")


def campaign(folder: Path) -> Rows:
    path = folder / "made.csv"
    write_campaign(path, 30, 1)
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, delimiter=";"))


def told(path: Path) -> tuple[str, list[dict[str, Any]]]:
    said = sluice("gate", "run", str(path), *RUN).document
    return said["verdict"], said["reasons"]


def told_of(folder: Path, rows: Rows) -> tuple[str, list[dict[str, Any]]]:
    path = folder / "leads.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=";").writerows(rows)
    return told(path)


def unquoted(rows: Rows) -> list[str]:
    """The lines of a file in which no cell needs quotes."""
    return [";".join(re.sub(r'["\n;]', " ", cell) for cell in row) for row in rows]


def columns_of(reasons: list[dict[str, Any]], code: str) -> list[tuple[str | None, int, str]]:
    return [(each["column"], each["count"], each["severity"]) for each in reasons if each["code"] == code]


def test_letters_that_were_lost_before_are_told_and_refuse_nothing(tmp_path: Path) -> None:
    rows = campaign(tmp_path)
    at = rows[0].index("last_name")
    rows[3][at], rows[7][at] = "Ren\ufffd", "\ufffd\ufffdlise"

    verdict, reasons = told_of(tmp_path, rows)

    assert (verdict, columns_of(reasons, "TEXT_REPLACEMENT_CHARACTER")) == ("WARNED", [(None, 3, "warning")])
    assert all(each["meaning"] and each["cure"] for each in reasons)
    assert told_of(tmp_path, campaign(tmp_path)) == ("PASSED", []), "the control"


def test_a_row_that_would_wait_for_a_reader_is_a_warning_and_makes_the_verdict_one(tmp_path: Path) -> None:
    rows = campaign(tmp_path)
    rows[3][rows[0].index("note")] = "is lid van de vakbond"

    verdict, reasons = told_of(tmp_path, rows)

    assert (verdict, columns_of(reasons, "TEXT_UNION_REVIEW")) == ("WARNED", [(None, 1, "warning")])
    rows[3][rows[0].index("birth_date")] = "in May"
    assert told_of(tmp_path, rows)[0] == "WARNED", "control: as of a row that is refused"
    rows[3][rows[0].index("note")] = rows[3][rows[0].index("birth_date")] = ""
    assert told_of(tmp_path, rows) == ("PASSED", []), "control: without that note"


def test_names_with_blanks_around_them_are_told_by_their_places(tmp_path: Path) -> None:
    rows = campaign(tmp_path)
    rows[0][1] += " "

    _, reasons = told_of(tmp_path, rows)

    assert columns_of(reasons, "HEADER_PADDED") == [("#2", 1, "warning")]


def test_of_many_names_with_blanks_around_them_as_many_are_told_as_of_any_reason(tmp_path: Path) -> None:
    more = range(24)
    rows = [row + [f" more_{n}" if at == 0 else "x" for n in more] for at, row in enumerate(campaign(tmp_path))]

    _, reasons = told_of(tmp_path, rows)

    said = columns_of(reasons, "HEADER_PADDED")
    assert len(said) == ROWS_SHOWN + 1 and (None, 24 - ROWS_SHOWN, "warning") in said
    assert sum(count for _, count, _ in said) == 24, "and none is lost"


def test_a_delimiter_inside_the_cells_is_among_what_is_told_of_a_header_that_does_not_fit(tmp_path: Path) -> None:
    header, *rows = unquoted(campaign(tmp_path))
    path = tmp_path / "leads.csv"
    path.write_text("\n".join([header, *(f"{row};" for row in rows)]) + "\n")

    verdict, [reason] = told(path)

    assert (verdict, reason["code"]) == ("UNDECIDED", "HEADER_NOT_FIRST")
    assert "delimiter inside cells" in reason["meaning"] and "double quotes" in reason["cure"]


def test_a_column_that_may_stay_away_is_not_told_as_one_that_is_required(tmp_path: Path) -> None:
    rows = campaign(tmp_path)
    at = rows[0].index("note")

    verdict, [reason] = told_of(tmp_path, [row[:at] + row[at + 1 :] for row in rows])

    assert (verdict, reason["code"], reason["severity"]) == ("WARNED", "HEADER_MISSING_COLUMN", "warning")
    assert "requires" not in reason["meaning"] and "counts as empty" in reason["meaning"]


def test_a_break_without_quotes_is_among_what_is_told_of_a_record_with_too_few_cells(tmp_path: Path) -> None:
    lines = unquoted(campaign(tmp_path))
    cells = lines[4].split(";")
    lines[4] = ";".join([*cells[:2], f"{cells[2]}\n", *cells[3:]])
    path = tmp_path / "leads.csv"
    path.write_text("\n".join(lines) + "\n")

    _, reasons = told(path)

    [reason] = [each for each in reasons if each["code"] == "SHAPE_TOO_FEW_CELLS"]
    assert (reason["count"], "line break" in reason["cure"]) == (2, True)


def test_columns_of_a_header_that_is_none_are_told_by_their_places(tmp_path: Path) -> None:
    rows = campaign(tmp_path)
    twice, blank = [list(row) for row in rows], [list(row) for row in rows]
    twice[0][4] = twice[0][2] = twice[0][1]
    blank[0][2] = blank[0][5] = " "

    assert columns_of(told_of(tmp_path, twice)[1], "HEADER_DUPLICATE") == [("#3", 1, "error"), ("#5", 1, "error")]
    assert columns_of(told_of(tmp_path, blank)[1], "HEADER_BLANK") == [("#3", 1, "error"), ("#6", 1, "error")]


@pytest.mark.parametrize(("most", "is_refused"), [(30, False), (29, True)])
def test_a_file_has_as_many_rows_as_records_also_where_one_of_them_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, is_refused: bool
) -> None:
    count = CONTRACT.replace("metric: rowCount, mustBeGreaterThan: 0", f"metric: rowCount, mustBeBetween: [0, {most}]")
    folder = write_folder(tmp_path / "principals", contract=count)
    monkeypatch.setenv("SLUICE_PRINCIPALS_DIR", str(folder.parent))
    rows = campaign(tmp_path)
    rows[4] = rows[4][:-1]

    _, reasons = told_of(tmp_path, rows)

    assert {each["code"] for each in reasons} == {"SHAPE_TOO_FEW_CELLS", *(["SHAPE_ROW_COUNT"] if is_refused else [])}


def judged(path: Path) -> dict[str, list[str | None]]:
    """Judge a file under a contract that takes any format; its columns by reason code."""
    paper = find_paper(get_settings(), "DPA-ENERGY01", Flow("renewal_campaign"), date(2026, 11, 28))
    assert isinstance(paper, Paper)
    form = replace(paper.contract.file_format, format=path.suffix[1:], pattern="*")
    paper = replace(paper, contract=replace(paper.contract, file_format=form))
    with Nursery(CHILD) as nursery, DryRun(nursery, get_settings(), paper, ()) as judge:
        found = judge.run(path).reasons
    return {code: [each.column for each in found if each.code == code] for code in {each.code for each in found}}


def test_a_nested_column_of_parquet_is_told_by_its_place(tmp_path: Path) -> None:
    path = tmp_path / "leads.parquet"
    pq.write_table(pa.table({"a": ["x"], "b": [[1]], "c": [[2]]}), path)

    assert judged(path) == {"SHAPE_NESTED": ["#2", "#3"]}


def test_a_cell_of_a_workbook_that_makes_a_record_unreadable_is_told_with_its_column(tmp_path: Path) -> None:
    path, far = tmp_path / "leads.xlsx", 12345678901234567890
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        for at, row in enumerate([["customer_number", "phone", "somebody"], ["1", far, "x"], ["2", "0470123456", far]]):
            sheet.write_row(at, 0, row)

    assert judged(path)["VALUE_NUMBER_PRECISION"] == ["#3", "phone"]
