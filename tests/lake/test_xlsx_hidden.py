"""A hidden row or column is seen in every spelling."""

import io
from pathlib import Path

import openpyxl
import pytest

from lake.reading import read_bytes, refusal_of
from lake.sheets import in_sheet
from lake.spelt import LINES, code_of, rows_of
from lake.workbooks import SHEET, edited, parts_of
from sluice.lake.xlsx.cells import read_usual_cells

pytestmark = pytest.mark.slow
FIRST_ROW = b'<row r="2" spans="1:2">'
HIDDEN_ROWS = (
    b"<row r=\"2\" hidden='1'>",
    b'<row r="2" hidden = "1">',
    b'<row r="2" hidden="&#49;">',
    b'<row r="2"\thidden="true">',
    b'<row hidden="1">',
)
LOW_ROWS = (
    b'<row r="2" x=">" hidden="1">',
    b'<row r="2" ht="0.0">',
    b"<row r='2' ht='0'>",
    b'<row r="2" ht="&#48;">',
    b'<row r="7" hidden="1">',  # of cells that name another row
)


@pytest.mark.parametrize("row", [*HIDDEN_ROWS, *LOW_ROWS])
def test_a_row_is_hidden_in_every_spelling(tmp_path: Path, row: bytes) -> None:
    content = in_sheet(FIRST_ROW, row)

    if row in HIDDEN_ROWS:
        assert openpyxl.load_workbook(io.BytesIO(content)).worksheets[0].row_dimensions[2].hidden
    refusal = refusal_of(read_bytes(tmp_path, content, "drop.xlsx"))
    assert (refusal.code, refusal.rows) == ("HIDDEN_ROW", (1,))


def test_rows_that_are_written_out_are_seen_where_a_sheet_hides_all_others(tmp_path: Path) -> None:
    """As Excel and xlsxwriter hide unused rows."""
    assert rows_of(tmp_path, in_sheet(b"<sheetFormatPr ", b'<sheetFormatPr zeroHeight="1" ')) == LINES


@pytest.mark.parametrize(
    "said", [b"hidden='1'", b'hidden = "1"', b'hidden="&#49;"', b'width="0.0"', b'width=" 0 "', b"width='0'"]
)
def test_a_column_is_hidden_in_every_spelling(tmp_path: Path, said: bytes) -> None:
    content = in_sheet(b"<sheetData>", b'<cols><col min="2" max="2" %s/></cols><sheetData>' % said)

    assert code_of(tmp_path, content) == "HIDDEN_COLUMN"


@pytest.mark.parametrize(
    ("row", "is_usual"),
    [
        (b'<row r="2" ht="12.8" hidden="false" customHeight="false">', True),
        (b'<row r="2" hidden="0" ht="15">', True),
        (b"<row r='2' hidden='0' ht='0.5'>", False),
        (b'<row r="9" hidden="1"/><row r="2">', True),
    ],
)
def test_control_visible_rows_are_read(tmp_path: Path, row: bytes, is_usual: bool) -> None:
    content = edited(in_sheet(FIRST_ROW, row), SHEET, lambda xml: xml.replace(b'"15"', b'"15" zeroHeight="false"', 1))

    assert rows_of(tmp_path, content) == LINES
    assert (read_usual_cells(parts_of(content)[SHEET]) is not None) == is_usual


def test_control_a_hidden_column_without_cells_is_read(tmp_path: Path) -> None:
    content = in_sheet(b"<sheetData>", b'<cols><col min="3" max="9" width="0.0" hidden="1"/></cols><sheetData>')

    assert rows_of(tmp_path, content) == LINES
