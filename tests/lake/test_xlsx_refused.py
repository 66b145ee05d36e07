"""A workbook with anything active, hidden, doubled or broken is refused, or its row is."""

import io
import zipfile
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from lake.reading import read_bytes, refusal_of, table_of
from lake.sheets import PLAIN, hidden_sheet, in_sheet, rows, two_sheets, workbook
from lake.workbooks import BOOK, SHEET, added, edited
from sluice.lake.read.format_codes import CODES
from sluice.lake.table import FormatHints, Table

pytestmark = pytest.mark.slow
PARTS = [SHEET, BOOK, "xl/sharedStrings.xml", "xl/styles.xml", "xl/_rels/workbook.xml.rels", "[Content_Types].xml"]


def test_damaged_cells_and_blank_rows_are_bad_records(tmp_path: Path) -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet()
        lines = [["a", "b"], ["1", "x"], ["2", 12345678901234567], [], ["4", "y"], ["5", "z", "", "ernaast"]]
        for at, line in enumerate(lines):
            sheet.write_row(at, 0, line)
        for at in range(6, 16):
            sheet.write_row(at, 0, ["n", "m"])

    content = workbook(fill)
    content = edited(
        content,
        SHEET,
        lambda xml: xml.replace(b'<c r="A5" t="s">', b'<c r="A5" t="e">').replace(
            b'>6</v></c><c r="B5"', b'>#N/A</v></c><c r="B5"'
        ),
    )

    table = table_of(read_bytes(tmp_path, content, "drop.xlsx"))

    assert {bad.row: bad.code for bad in table.bad_rows} == {
        2: "VALUE_NUMBER_PRECISION",
        3: "SHAPE_BLANK_RECORD",
        4: "VALUE_ERROR_CELL",
        5: "SHAPE_TOO_MANY_CELLS",
    }
    assert {bad.row: bad.place for bad in table.bad_rows} == {2: 2, 3: None, 4: 1, 5: None}
    assert table.record_count == 15
    assert table.row_numbers.to_list() == [1, *range(6, 16)]


def merged(book: xlsxwriter.Workbook) -> None:
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["a", "b"])
    sheet.merge_range(1, 0, 1, 1, "samen")


def formula(book: xlsxwriter.Workbook) -> None:
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["a", "b"])
    sheet.write_row(1, 0, ["1", "2"])
    sheet.write_formula(2, 1, "=1+1", None, 2)


EXTERNAL = (
    b'<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    b'<Relationship Id="r1" Type="x/%s" Target="http://example.be/" TargetMode="External"/></Relationships>'
)
SHEET_RELS = "xl/worksheets/_rels/sheet1.xml.rels"
REFUSED = {
    "ACTIVE_FORMULA": workbook(formula),
    "ACTIVE_MACRO": added(PLAIN, "xl/vbaProject.bin", b"x"),
    "ACTIVE_EXTERNAL_LINK": added(PLAIN, SHEET_RELS, EXTERNAL % b"oleObject"),
    "ACTIVE_CONNECTION": added(PLAIN, "xl/connections.xml", b"<connections/>"),
    "ACTIVE_EMBEDDED_OBJECT": added(PLAIN, "xl/embeddings/o.bin", b"x"),
    "ACTIVE_ENTITY": edited(
        PLAIN, BOOK, lambda xml: xml.replace(b"<workbook ", b'<!DOCTYPE a [<!ENTITY b "c">]><workbook ')
    ),
    "HIDDEN_SHEET": workbook(hidden_sheet),
    "HIDDEN_ROW": in_sheet(b'<row r="2" ', b'<row r="2" hidden="1" '),
    "HIDDEN_COLUMN": in_sheet(b"<sheetData>", b'<cols><col min="2" max="2" width="9" hidden="1"/></cols><sheetData>'),
    "SHAPE_MERGED": workbook(merged),
    "UNREADABLE_CELL": in_sheet(b'r="B2"', b'r="A2"'),
    "UNREADABLE_XML": in_sheet(b"</worksheet>", b""),
    "UNREADABLE_ARCHIVE": PLAIN[:-40],
    "UNREADABLE_EMPTY_FILE": workbook(rows()),
    "ARCHIVE_NAME": added(PLAIN, "../weg.xml", b"<a/>"),
    "HEADER_DUPLICATE": workbook(rows(["a", "a"], ["1", "2"])),
}


@pytest.mark.parametrize("code", REFUSED)
def test_what_is_active_hidden_or_broken_is_refused(tmp_path: Path, code: str) -> None:
    refusal = refusal_of(read_bytes(tmp_path, REFUSED[code], "drop.xlsx"))

    assert (refusal.code, refusal.undecided) == (code, False)


def test_control_the_plain_workbook_is_read(tmp_path: Path) -> None:
    assert table_of(read_bytes(tmp_path, PLAIN, "drop.xlsx")).frame.rows() == [("007", "An"), ("008", "Jo")]
    linked = added(PLAIN, SHEET_RELS, EXTERNAL % b"hyperlink")
    assert table_of(read_bytes(tmp_path, linked, "drop.xlsx")).record_count == 2


def test_a_bomb_is_refused_by_its_directory(tmp_path: Path) -> None:
    out = io.BytesIO(PLAIN)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/nul.bin", bytes(20_000_000))

    assert refusal_of(read_bytes(tmp_path, out.getvalue(), "drop.xlsx")).code == "ARCHIVE_RATIO"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_parts_of_one_name_are_refused(tmp_path: Path) -> None:
    content = added(PLAIN, SHEET, b"<worksheet/>")

    assert refusal_of(read_bytes(tmp_path, content, "drop.xlsx")).code == "ARCHIVE_DUPLICATE_NAME"


def test_formulas_are_named_by_row(tmp_path: Path) -> None:
    assert refusal_of(read_bytes(tmp_path, REFUSED["ACTIVE_FORMULA"], "drop.xlsx")).rows == (2,)


def test_one_far_cell_does_not_cost_a_million_rows(tmp_path: Path) -> None:
    content = in_sheet(b'r="B3"', b'r="XFD1048576"')

    refusal = refusal_of(read_bytes(tmp_path, content, "drop.xlsx"))

    assert (refusal.code, refusal.undecided) == ("SHAPE_BLANK_GAP", True)


def test_the_contract_chooses_between_sheets(tmp_path: Path) -> None:
    content = workbook(two_sheets)

    assert refusal_of(read_bytes(tmp_path, content, "drop.xlsx")).code == "DIALECT_SHEET"
    chosen = table_of(read_bytes(tmp_path, content, "drop.xlsx", FormatHints(sheet="Twee")))
    assert (chosen.frame.columns, chosen.dialect.sheet) == (["b"], 2)
    missing = read_bytes(tmp_path, content, "drop.xlsx", FormatHints(sheet="Drie"))
    assert refusal_of(missing).code == "DIALECT_SHEET_MISSING"


NO_CHARACTERS = [
    (b"An_x0000_", "TEXT_NUL_BYTE"),
    (b"An_xD83D_", "UNREADABLE_CELL"),
    (b"An&onbekend;", "UNREADABLE_XML"),
    (b"An&#x110000;", "UNREADABLE_XML"),
]


@pytest.mark.parametrize(("written", "code"), NO_CHARACTERS)
def test_characters_that_do_not_exist_are_refused(tmp_path: Path, written: bytes, code: str) -> None:
    content = edited(PLAIN, "xl/sharedStrings.xml", lambda xml: xml.replace(b">An<", b">" + written + b"<"))

    assert refusal_of(read_bytes(tmp_path, content, "drop.xlsx")).code == code


@pytest.mark.parametrize(("written", "code"), NO_CHARACTERS)
def test_characters_that_do_not_exist_are_refused_in_a_cell_too(tmp_path: Path, written: bytes, code: str) -> None:
    cell = b'<c r="B2" t="inlineStr"><is><t>%s</t></is></c>'
    inline = in_sheet(b'<c r="B2" t="s"><v>3</v></c>', cell % written)

    assert refusal_of(read_bytes(tmp_path, inline, "drop.xlsx")).code == code
    control = in_sheet(b'<c r="B2" t="s"><v>3</v></c>', cell % b"An")
    assert table_of(read_bytes(tmp_path, control, "drop.xlsx")).frame.item(0, 1) == "An"


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(PARTS), st.integers(0, 5000), st.binary(max_size=4), st.integers(0, 9))
def test_a_damaged_workbook_always_has_an_outcome(
    tmp_path_factory: pytest.TempPathFactory, part: str, at: int, new: bytes, gone: int
) -> None:
    content = edited(PLAIN, part, lambda xml: xml[: at % len(xml)] + new + xml[at % len(xml) + gone :])

    answer = read_bytes(tmp_path_factory.mktemp("drop"), content, "drop.xlsx")

    assert isinstance(answer, Table) or answer.code in CODES
