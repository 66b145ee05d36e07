"""Workbooks are read without damage: text, numbers and dates as they are shown or as the contract writes them."""

import re
import zipfile
from datetime import datetime
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from lake.reading import read_bytes, table_of
from lake.sheets import PLAIN, rows, workbook
from lake.workbooks import CELL, by_openpyxl, by_xlsxwriter, edited
from sluice.lake.table import FormatHints
from sluice.lake.xlsx import cells as xlsx_cells
from sluice.lake.xlsx.cells import read_usual_cells
from sluice.lake.xlsx.formats import NumberFormat, Shown, format_of
from sluice.lake.xlsx.sheet import read_cells_exact
from support.effort import effort

pytestmark = pytest.mark.slow


def test_text_stays_text_and_numbers_are_spelled_exactly(tmp_path: Path) -> None:
    cells = ["007", "+32475", "NA", "1e5", " pad ", "a\nb", "_x000D_", "<&>\"'", "x\r\ny"]
    numbers = [1, 1.5, -3, 0.1, 1e-7, 123456789012345, 0.333333333333333, True]
    content = workbook(rows([f"k{n}" for n in range(17)], [*cells, *numbers]))
    row = table_of(read_bytes(tmp_path, content, "drop.xlsx")).frame.row(0)
    assert list(row[:9]) == cells
    assert list(row[9:]) == ["1", "1.5", "-3", "0.1", "1e-07", "123456789012345", "0.333333333333333", "TRUE"]


@pytest.mark.parametrize("is_1904", [False, True])
def test_dates_are_right_in_both_calendars(tmp_path: Path, is_1904: bool) -> None:
    moments = [datetime(2020, 2, 29), datetime(1985, 3, 11, 13, 23, 32), datetime(2020, 1, 1, 0, 0, 0, 250000)]

    def fill(book: xlsxwriter.Workbook) -> None:
        sheet, day = book.add_worksheet(), book.add_format({"num_format": "dd/mm/yyyy"})
        clock, long = book.add_format({"num_format": "hh:mm"}), book.add_format({"num_format": "[h]:mm:ss"})
        sheet.write_row(0, 0, ["a", "b", "c", "d", "e"])
        for at, moment in enumerate(moments):
            sheet.write_datetime(1, at, moment, day)
        sheet.write_number(1, 3, 0.5, clock)
        sheet.write_number(1, 4, 1.5, long)

    table = table_of(read_bytes(tmp_path, workbook(fill, date_1904=is_1904), "drop.xlsx"))

    assert table.dialect.date_system == ("1904" if is_1904 else "1900")
    assert table.frame.row(0) == (
        "2020-02-29",
        "1985-03-11 13:23:32",
        "2020-01-01 00:00:00.250",
        "12:00:00",
        "36:00:00",
    )


def test_values_are_given_as_the_contract_writes_their_columns(tmp_path: Path) -> None:
    """What a format would leave out, text, and columns that the contract says nothing of stay as they are."""
    shown = {"day": "dd/mm/yyyy", "at": "dd/mm/yyyy hh:mm", "clock": "hh:mm", "price": "#,##0.00", "free": "dd/mm/yyyy"}
    moment, midnight = datetime(2024, 1, 30, 10, 5), datetime(2024, 1, 30)
    exact = datetime(2024, 1, 30, 10, 5, 7)

    def fill(book: xlsxwriter.Workbook) -> None:
        sheet, forms = book.add_worksheet(), [book.add_format({"num_format": form}) for form in shown.values()]
        sheet.write_row(0, 0, shown)
        lines = ([midnight, moment, 0.5, 12.5, midnight], [moment, midnight, 0.50001, -3, midnight])
        for row, line in enumerate([*lines, [midnight, exact, midnight, 1e-7, midnight]], 1):
            for column, (value, form) in enumerate(zip(line, forms, strict=True)):
                sheet.write(row, column, value, form)
        sheet.write_row(4, 0, ["2024-01-30", "1.5", "12:00", "1.5", "x"])

    said = (("day", "%d/%m/%Y"), ("at", "%d/%m/%Y %H:%M"), ("clock", "%H:%M"), ("gone", "%Y"))
    hints = FormatHints(moments=said, commas=("price",))
    table = table_of(read_bytes(tmp_path, workbook(fill), "drop.xlsx", hints))

    assert table.frame.rows() == [
        ("30/01/2024", "30/01/2024 10:05", "12:00", "12,5", "2024-01-30"),
        ("2024-01-30 10:05:00", "30/01/2024 00:00", "12:00:00.864", "-3", "2024-01-30"),
        ("30/01/2024", "2024-01-30 10:05:07", "2024-01-30 00:00:00", "1e-07", "2024-01-30"),
        ("2024-01-30", "1.5", "12:00", "1.5", "x"),
    ]


def test_early_days_of_the_1900_calendar(tmp_path: Path) -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        sheet, day = book.add_worksheet(), book.add_format({"num_format": "dd/mm/yyyy"})
        for at, value in enumerate(["dag", 1, 59, 60, 61, 0, -1, 2958465, 2958466]):
            sheet.write(at, 0, value, day)

    table = table_of(read_bytes(tmp_path, workbook(fill), "drop.xlsx"))
    assert table.frame["dag"].to_list() == ["1900-01-01", "1900-02-28", "1900-03-01", "9999-12-31"]
    assert {(bad.row, bad.code) for bad in table.bad_rows} == {(n, "VALUE_DATE_IMPOSSIBLE") for n in (3, 5, 6, 8)}


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("General", Shown.NUMBER),
        ("0.00E+00", Shown.NUMBER),
        ("#,##0 [$€-813]", Shown.NUMBER),
        ('0 "dagen"', Shown.NUMBER),
        ("[Red]0", Shown.NUMBER),
        ("dd/mm/yyyy", Shown.DATE),
        ("[$-813]d mmmm yyyy", Shown.DATE),
        ("yyyy\\-mm\\-dd\\ hh:mm:ss\\ \\U\\T\\C", Shown.DATETIME),
        ("h:mm AM/PM", Shown.TIME),
        ("[hh]:mm", Shown.ELAPSED),
        ("mmmm", Shown.DATE),
        ('0 "m2"', Shown.NUMBER),
        ('#,##0;-#,##0;"0"', Shown.NUMBER),
        ("00000-0000", Shown.FORMED),
        ('"K"000000', Shown.FORMED),
        ('"0"#', Shown.FORMED),
        ("[<=999]0000;0", Shown.FORMED),
    ],
)
def test_a_number_format_says_what_a_number_is(code: str, shown: Shown) -> None:
    assert format_of(code) == NumberFormat(shown)


@pytest.mark.parametrize(
    ("code", "value", "text"),
    [
        ("000000", 123, "000123"),
        ("[$-813]0000;@", -5, "-0005"),
        ("0000000000", 1e9, "1000000000"),
        ("000", 0, "000"),
        ("000", 1.5, None),
        ("000-00-0000", 123456789, None),
        ('"00"0', 123, None),
        ("0,000", 1234, "1234"),
        ("0,000", 12, None),
        ("#,##0.00", 12.5, "12.5"),
        ("0" * 33, 1, None),
    ],
)
def test_zeros_of_a_number_format_are_read_or_the_row_says_so(tmp_path, code, value, text):
    """Without them a customer number is another one, and who was erased comes back."""

    def fill(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet()
        sheet.write_column(0, 0, ["klant", "007"])
        sheet.write_number(2, 0, value, book.add_format({"num_format": code}))

    table = table_of(read_bytes(tmp_path, workbook(fill), "drop.xlsx"))
    assert table.frame["klant"].to_list() == ["007", text] if text else ["007"]
    assert [(bad.row, bad.code) for bad in table.bad_rows] == ([] if text else [(2, "VALUE_NUMBER_FORMAT")])


def test_references_and_escapes_become_the_characters_they_name(tmp_path: Path) -> None:
    written = b">&#x41;&#110; &amp;lt; _x0041__x005F_x0041_ _xD83D__xDE00_<"
    content = edited(PLAIN, "xl/sharedStrings.xml", lambda xml: xml.replace(b">An<", written))
    assert table_of(read_bytes(tmp_path, content, "drop.xlsx")).frame.item(0, 1) == "An &lt; A_x0041_ \U0001f600"


def spelled(value: object) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)


@settings(max_examples=effort(20, 60), deadline=None)
@given(
    st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=6),
    st.sampled_from(["xlsxwriter", "openpyxl"]),
)
def test_a_workbook_of_another_library_comes_back_identical(tmp_path_factory, lines, writer):
    content = by_xlsxwriter(lines) if writer == "xlsxwriter" else by_openpyxl(lines)
    values = lines
    if writer == "openpyxl":  # it writes _x000D_ without escaping it, which means CR
        values = [["\r" if cell == "_x000D_" else cell for cell in line] for line in lines]
    table = table_of(read_bytes(tmp_path_factory.mktemp("drop"), content, "drop.xlsx"))
    for number, row in zip(table.row_numbers, table.frame.rows(), strict=True):
        assert list(row) == [spelled(cell) for cell in values[number - 1]]
    filled = [n for n, line in enumerate(values, 1) if any(spelled(cell) for cell in line)]
    assert table.row_numbers.to_list() == filled


@pytest.mark.parametrize("at_once", [1, 1000, xlsx_cells.AT_ONCE])
def test_the_fast_and_the_exact_reader_of_cells_agree(real_data, monkeypatch, at_once):
    """Also where a sheet is read in pieces; one of a single byte ends before the next row."""
    monkeypatch.setattr(xlsx_cells, "AT_ONCE", at_once)
    compared = 0
    for path in sorted((real_data / "xlsx").glob("*.xlsx")):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if not re.match(r"xl/worksheets/sheet\d+\.xml", name):
                    continue
                fast, exact = read_usual_cells(archive.read(name)), read_cells_exact(archive.read(name)).frame
                if fast is not None:
                    compared += 1
                    assert fast.equals(exact), name
    assert compared >= 5
