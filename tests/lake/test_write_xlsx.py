"""A workbook in which nothing is alive and every value is the one we were given."""

import re
import tempfile
import zipfile
from datetime import datetime
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl.utils.escape import unescape
from xlsxwriter import Workbook

from lake.formulas import ATTACKS, HARMLESS
from sluice.lake.read.reader import read_table
from sluice.lake.table import Table
from sluice.lake.write.formulas import is_live
from sluice.lake.write.model import ValueUnwritable, WriteForm, Written
from sluice.lake.write.table import write_table
from sluice.lake.write.xlsx_rows import RowsSheet
from support.effort import effort

pytestmark = pytest.mark.slow

XML_TEXT = st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=10)
SPECIAL = st.sampled_from(
    [
        *filter(None, [*ATTACKS, *HARMLESS]),
        *("_x0041_", "_x005F_", "_x000D_", "\ufffe", "\uffff", "\x01", "\x1f", "&<>\"'", "007", "12345678901234567890"),
        *("1E5", "TRUE", "#N/A", "http://127.0.0.1/", "mailto:x@example.org", "\r\n", "  x  ", "<r>1</r>"),
        *("<r><t>a</t></r>", "\u00a0x", "x\u2003"),
    ]
)


def write(frame: pl.DataFrame, folder: str | Path, types: dict[str, str] | None = None, **form: object) -> Written:
    return write_table(frame, types or {}, WriteForm("xlsx", **form), Path(folder) / "out.xlsx", title="Return")


def ours(path: Path) -> list[tuple[str | None, ...]]:
    answer = read_table(path, file_name="out.xlsx")
    assert isinstance(answer, Table), answer
    return answer.frame.rows()


def theirs(path: Path) -> list[tuple[object, ...]]:
    _, *rows = openpyxl.load_workbook(path).active.iter_rows(values_only=True)
    return [tuple(unescape(cell) if isinstance(cell, str) else cell for cell in row) for row in rows]


def sheet_of(path: Path) -> str:
    with zipfile.ZipFile(path) as package:
        return package.read("xl/worksheets/sheet1.xml").decode()


@pytest.mark.slow
@settings(max_examples=effort(20, 80), deadline=None)
@given(cells=st.lists(st.one_of(SPECIAL, XML_TEXT), min_size=1, max_size=5))
@example(cells=["\ud7ff\ue000\U0010ffff", "_x0001_\x01", "\r"])
def test_two_readers_find_the_same_text(cells):
    frame = pl.DataFrame({"id": [str(at) for at in range(len(cells))], "text": cells})
    with tempfile.TemporaryDirectory() as folder:
        path = write(frame, folder).path
        assert ours(path) == frame.rows()
        assert theirs(path) == frame.rows()


@settings(max_examples=effort(20, 80), deadline=None)
@given(
    cells=st.lists(st.one_of(st.none(), st.just(""), SPECIAL, XML_TEXT), min_size=1, max_size=9),
    days=st.lists(st.one_of(st.none(), st.datetimes(datetime(1900, 3, 1), datetime(9999, 12, 31))), max_size=9),
)
def test_rows_are_what_the_library_writes_cell_by_cell(cells, days):
    cells = [cell for cell in cells if not str(cell).startswith("<r>")]  # which it takes for markup of its own
    days = [*(day and day.replace(microsecond=0) for day in days), *[None] * len(cells)][: len(cells)]
    columns = {"a": cells, "b": cells[::-1], "day": [None] * len(cells)}
    frame = pl.DataFrame(columns, dict.fromkeys(columns, pl.String))
    with tempfile.TemporaryDirectory() as folder:
        for name, write_rows in (("ours.xlsx", RowsSheet.write_rows), ("theirs.xlsx", cell_by_cell)):
            with Workbook(f"{folder}/{name}", {"constant_memory": True, "tmpdir": folder}) as workbook:
                sheet = workbook.add_worksheet(worksheet_class=RowsSheet)
                sheet.write_string(0, 0, "a")
                styles = [workbook.add_format({"num_format": code}) for code in ("@", "0", "yyyy-mm-dd")]
                for place, style in enumerate(styles):  # the library numbers styles as they are used
                    sheet.write_string(0, place + 1, "a", style)
                text, quoted, day = styles
                write_rows(sheet, frame, {"day": pl.Series("day", days, pl.Datetime)}, {"day": day}, text, quoted)
        found, expected = (
            sheet_of(Path(folder, name)).partition("<sheetData>")[2] for name in ("ours.xlsx", "theirs.xlsx")
        )
        assert found == expected


def cell_by_cell(sheet, frame, dates, shown, text, quoted):
    """Write the same workbook cell by cell with the library."""
    for row, cells in enumerate(frame.iter_rows(), start=1):
        for column, (name, cell) in enumerate(zip(frame.columns, cells, strict=True)):
            if name in dates and dates[name][row - 1] is not None:
                sheet.write_datetime(row, column, dates[name][row - 1], shown[name])
            elif cell:
                is_suspect = pl.select(is_live(pl.lit(cell), inside=False)).item()
                sheet.write_string(row, column, cell, quoted if is_suspect else text)


def test_no_cell_is_a_formula_a_link_or_a_number(tmp_path):
    cells = [*ATTACKS, *filter(None, HARMLESS), "http://127.0.0.1/", "007", "1E5", "TRUE"]
    path = write(pl.DataFrame({"=1+1": cells, "b": cells}), tmp_path).path
    with zipfile.ZipFile(path) as package:
        parts = "".join(package.read(name).decode() for name in package.namelist())
    for forbidden in ("<f>", "<f ", "hyperlink", "externalLink", "ddeLink", 't="n"', "oleLink"):
        assert forbidden not in parts
    assert set(re.findall(r'<c r="[A-Z]+[0-9]+"(?: s="[0-9]+")?(?: t="(\w+)")?>', sheet_of(path))) == {"inlineStr"}


def test_control_the_default_writer_makes_formulas_and_links(tmp_path):
    with Workbook(tmp_path / "naive.xlsx") as workbook:
        sheet = workbook.add_worksheet()
        for row, cell in enumerate([*ATTACKS, "http://127.0.0.1/"]):
            sheet.write(row, 0, cell)
    assert "<f>" in sheet_of(tmp_path / "naive.xlsx")
    assert "hyperlink" in sheet_of(tmp_path / "naive.xlsx")


def test_what_looks_like_a_formula_keeps_its_value_and_stays_text_when_edited(tmp_path):
    done = write(pl.DataFrame({"=h": ["=1+1", "safe", "-12,5"]}), tmp_path)
    sheet = openpyxl.load_workbook(done.path).active
    assert [cell.value for cell in sheet["A"]] == ["=h", "=1+1", "safe", "-12,5"]
    assert [cell.quotePrefix for cell in sheet["A"]] == [True, True, False, False]
    assert {cell.number_format for cell in sheet["A"]} == {"@"}
    assert done.neutralised == {}


def test_dates_are_written_only_in_date_columns_where_nothing_is_lost_and_at_midnight_only(tmp_path):
    frame = pl.DataFrame(
        {
            "born": ["31/12/1985", "29/02/1900", "01/01/1850", "1/2/2003", None],
            "called": ["2026-11-24T10:00:05", "2026-11-24T10:00:05.123456", "soon", None, "2026-02-30T00:00:00"],
            "utc": ["2026-11-24T10:00:00.000000Z"] * 5,
            "text": ["31/12/1985", "2026-11-24", "1.5", "00012", "4.75E+08"],
        }
    )
    types = {"born": "date", "called": "timestamp", "utc": "timestamp", "text": "string"}
    done = write(frame, tmp_path, types, date_formats={"born": "%d/%m/%Y", "utc": "%Y-%m-%dT%H:%M:%S.%fZ"})
    columns = list(zip(*theirs(done.path), strict=True))
    assert columns[0] == (datetime(1985, 12, 31), "29/02/1900", "01/01/1850", "1/2/2003", None)
    assert columns[1][0] == datetime(2026, 11, 24, 10, 0, 5)
    assert columns[1][1:] == tuple(frame["called"][1:])
    assert columns[2] == tuple(frame["utc"])
    assert columns[3] == tuple(frame["text"])
    assert openpyxl.load_workbook(done.path).active["A2"].number_format == "dd/mm/yyyy"
    assert done.as_text == ("born", "called", "utc")
    frame = pl.DataFrame({"day": ["24/11/2026 10:30", "25/11/2026 00:00"]})
    done = write(frame, tmp_path, {"day": "date"}, date_formats={"day": "%d/%m/%Y %H:%M"})
    assert theirs(done.path) == [("24/11/2026 10:30",), (datetime(2026, 11, 25),)]
    assert done.as_text == ("day",)


def test_the_header_stays_in_sight_and_the_sheet_has_its_name(tmp_path):
    path = write(pl.DataFrame({"a": ["x" * 100], "contact_identifier": ["1"]}), tmp_path, sheet="Retour nov").path
    workbook = openpyxl.load_workbook(path)
    sheet = workbook["Retour nov"]
    assert sheet.freeze_panes == "A2"
    assert [sheet.column_dimensions[letter].width > 10 for letter in "AB"] == [True, True]
    assert workbook.properties.title == "Return"
    assert workbook.properties.created == datetime(2000, 1, 1)


def test_what_no_workbook_can_hold_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ValueUnwritable, match=r"rule write\.rows; rows 1048576"):
        write(pl.DataFrame({"a": pl.repeat("x", 1_048_576, eager=True)}), tmp_path)
    with pytest.raises(ValueUnwritable, match=r"rule write\.columns"):
        write(pl.DataFrame({f"c{at}": ["x"] for at in range(16_385)}), tmp_path)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueUnwritable, match=r"rule write\.nul; column b; rows 1"):
        write(pl.DataFrame({"a": ["x", "y"], "b": ["a\0b", "ok"]}), tmp_path)
    write(pl.DataFrame({"a": ["x" * 32_767], "b": ["\U0001f600" * 16_383]}), tmp_path)
    with pytest.raises(ValueUnwritable) as caught:
        write(pl.DataFrame({"a": ["x" * 32_768, "y"], "b": ["\U0001f600" * 16_384] * 2}), tmp_path)
    assert [str(ref) for ref in caught.value.refs] == [
        "rule write.cell_length", "column a", "rows 1", "column b", "rows 2",
    ]  # fmt: skip
