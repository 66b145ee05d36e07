"""A workbook with anything active, hidden, doubled or broken is refused, or its row is."""

import io
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from lake.reading import read_bytes, refusal_of, table_of
from lake.sheets import PLAIN, hidden_sheet, in_sheet, rows, two_sheets, workbook
from lake.workbooks import BOOK, SHEET, STRINGS, added, edited, parts_of
from lake.workbooks import workbook as workbook_of_persons
from sluice.lake.read.format_codes import CODES
from sluice.lake.table import FormatHints, Table
from sluice.lake.xlsx.package import Package, XmlRefused
from support.effort import effort

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


def test_a_bomb_one_far_cell_and_formulas_are_told_without_reading_a_million_rows(tmp_path):
    out = io.BytesIO(PLAIN)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/nul.bin", bytes(20_000_000))
    assert refusal_of(read_bytes(tmp_path, out.getvalue(), "drop.xlsx")).code == "ARCHIVE_RATIO"
    content = in_sheet(b'r="B3"', b'r="XFD1048576"')
    refusal = refusal_of(read_bytes(tmp_path, content, "drop.xlsx"))
    assert (refusal.code, refusal.undecided) == ("SHAPE_BLANK_GAP", True)
    assert refusal_of(read_bytes(tmp_path, REFUSED["ACTIVE_FORMULA"], "drop.xlsx")).rows == (2,)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_parts_of_one_name_are_refused(tmp_path: Path) -> None:
    content = added(PLAIN, SHEET, b"<worksheet/>")
    assert refusal_of(read_bytes(tmp_path, content, "drop.xlsx")).code == "ARCHIVE_DUPLICATE_NAME"


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
def test_characters_that_do_not_exist_are_refused_in_strings_and_cells(tmp_path, written, code):
    content = edited(PLAIN, "xl/sharedStrings.xml", lambda xml: xml.replace(b">An<", b">" + written + b"<"))
    assert refusal_of(read_bytes(tmp_path, content, "drop.xlsx")).code == code
    cell = b'<c r="B2" t="inlineStr"><is><t>%s</t></is></c>'
    inline = in_sheet(b'<c r="B2" t="s"><v>3</v></c>', cell % written)
    assert refusal_of(read_bytes(tmp_path, inline, "drop.xlsx")).code == code
    control = in_sheet(b'<c r="B2" t="s"><v>3</v></c>', cell % b"An")
    assert table_of(read_bytes(tmp_path, control, "drop.xlsx")).frame.item(0, 1) == "An"


@settings(max_examples=effort(37, 150), deadline=None)
@given(st.sampled_from(PARTS), st.integers(0, 5000), st.binary(max_size=4), st.integers(0, 9))
def test_a_damaged_workbook_always_has_an_outcome(tmp_path_factory, part, at, new, gone):
    content = edited(PLAIN, part, lambda xml: xml[: at % len(xml)] + new + xml[at % len(xml) + gone :])
    answer = read_bytes(tmp_path_factory.mktemp("drop"), content, "drop.xlsx")
    assert isinstance(answer, Table) or answer.code in CODES


PERSONS = workbook_of_persons()
UNUSED = "docProps/app.xml"
FEW, MANY = 1000, 20_000_000


def deflated(content: bytes) -> bytes:
    machine = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return machine.compress(content) + machine.flush()


def packed(part: str, stream: bytes, size: int, crc: int) -> bytes:
    """The workbook_of_persons with one part of that stream, of which its directory says so much."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in parts_of(PERSONS).items():
            archive.writestr(name, stream if name == part else content)
        info = archive.getinfo(part)
        info.compress_type, info.file_size, info.CRC = zipfile.ZIP_DEFLATED, size, crc
    return out.getvalue()


CONTENT = {name: parts_of(PERSONS)[name] for name in (SHEET, STRINGS, UNUSED)}
DAMAGED = {
    "cut": lambda stream: stream[:-1],
    "cut in half": lambda stream: stream[: len(stream) // 2],
    "nothing": lambda _: b"",
    "more behind its end": lambda stream: stream + b"\0",
    "another stream behind its end": lambda stream: stream + stream,
    "no deflate": lambda stream: b"\xff" * len(stream),
    "other text of that length": lambda stream: deflated(zlib.decompress(stream, -zlib.MAX_WBITS).swapcase()),
}


@pytest.mark.parametrize("part", CONTENT)
@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_stream_is_refused(tmp_path: Path, part: str, damage: str) -> None:
    content = CONTENT[part]
    book = packed(part, DAMAGED[damage](deflated(content)), len(content), zlib.crc32(content))
    assert refusal_of(read_bytes(tmp_path, book, "drop.xlsx")).code == "UNREADABLE_ARCHIVE"


@pytest.mark.parametrize("more", [-1, 1])
@pytest.mark.parametrize("part", CONTENT)
def test_a_stream_of_another_length_than_declared_is_refused(tmp_path: Path, part: str, more: int) -> None:
    content = CONTENT[part]
    book = packed(part, deflated(content), len(content) + more, zlib.crc32(content))
    assert refusal_of(read_bytes(tmp_path, book, "drop.xlsx")).code == "UNREADABLE_ARCHIVE"


@pytest.mark.parametrize("part", CONTENT)
def test_control_the_undamaged_stream_is_read(tmp_path: Path, part: str) -> None:
    content = CONTENT[part]
    book = packed(part, deflated(content), len(content), zlib.crc32(content))
    assert table_of(read_bytes(tmp_path, book, "drop.xlsx")).record_count == 3


def test_an_empty_part_is_read(tmp_path: Path) -> None:
    book = packed(UNUSED, deflated(b""), 0, 0)
    assert table_of(read_bytes(tmp_path, book, "drop.xlsx")).record_count == 3


def test_what_is_longer_than_declared_is_refused_before_it_is_inflated() -> None:
    content = bytes(MANY)
    book = packed(SHEET, deflated(content), FEW, zlib.crc32(content[:FEW]))
    del content
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        tracemalloc.start()
        try:
            with pytest.raises(XmlRefused, match="UNREADABLE_ARCHIVE"):
                Package(archive).read(SHEET)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < MANY / 10
