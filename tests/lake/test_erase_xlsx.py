"""Records out of workbooks: the rest as it was, or the file refused."""

import io
import re
import zipfile
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lake.reading import read_bytes, table_of
from lake.workbooks import (
    CELL,
    SHEET,
    STRINGS,
    added,
    by_openpyxl,
    by_xlsxwriter,
    cells_of,
    edited,
    erase,
    naming,
    parts_of,
    row_of,
    workbook,
)
from sluice.lake.erase.model import EraseRefused, RecordsUnknown
from sluice.lake.table import FormatHints
from support.effort import effort

pytestmark = pytest.mark.slow


def test_the_row_is_blank_and_everything_else_is_as_it_was(tmp_path: Path) -> None:
    content = workbook()
    erased, result = erase(tmp_path, content)
    assert (erased.rows_before, erased.rows_after) == (3, 2)
    assert erased.remarks == ("ROWS_BLANKED_IN_PLACE", "SHARED_STRINGS_BLANKED")
    before, after = cells_of(content), cells_of(result)
    for place, (value, kind, style) in before.items():
        assert after[place] == ((None, "n", style) if row_of(place[1]) == 3 else (value, kind, style))
    old, new = parts_of(content), parts_of(result)
    assert [name for name in old if old[name] != new[name]] == [SHEET, STRINGS]
    assert (naming(content), naming(result)) == ({"worksheet", "shared_strings"}, set())


def test_the_reader_sees_the_other_records_under_their_own_numbers_and_a_blank_last_one_is_told(tmp_path):
    before = table_of(read_bytes(tmp_path, workbook(), "drop.xlsx"))
    after = table_of(read_bytes(tmp_path, erase(tmp_path, workbook())[1], "drop.xlsx"))
    assert after.row_numbers.to_list() == [1, 3]
    assert after.frame.rows() == [before.frame.row(0), before.frame.row(2)]
    assert {(bad.row, bad.code) for bad in after.bad_rows} == {(2, "SHAPE_BLANK_RECORD")}
    erased, result = erase(tmp_path, workbook(), [3], needles=())
    assert erased.remarks[-1] == "BLANK_RECORDS_AT_END"
    assert table_of(read_bytes(tmp_path, result, "drop.xlsx")).record_count == 2


def test_erasing_twice_is_erasing_once_and_order_dates_and_compression_of_the_container_stay(tmp_path):
    once = erase(tmp_path, workbook())[1]
    erased, twice = erase(tmp_path, once)
    assert (erased.rows_before, erased.rows_after, erased.remarks) == (2, 2, ())
    assert parts_of(twice) == parts_of(once)

    def listed(content: bytes) -> list[tuple[object, ...]]:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return [
                (each.filename, each.date_time, each.compress_type, each.external_attr) for each in archive.infolist()
            ]

    assert listed(erase(tmp_path, workbook())[1]) == listed(workbook())


def in_sheet(old: str, new: str) -> bytes:
    changed = edited(workbook(), SHEET, lambda xml: xml.replace(old.encode(), new.encode()))
    assert changed != workbook()
    return changed


VALUE = '<c r="D3" s="1"><v>99.25</v></c>'
REFUSED: dict[str, bytes] = {
    "ENCRYPTED": bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600),
    "UNREADABLE_ARCHIVE": b"geen zip",
    "MACRO": added(workbook(), "xl/vbaProject.bin", b"x"),
    "SIGNED": added(workbook(), "_xmlsignatures/sig1.xml", b"<a/>"),
    "EMBEDDED_OBJECT": added(workbook(), "xl/embeddings/oleObject1.bin", b"x"),
    "PIVOT_CACHE": added(workbook(), "xl/pivotCache/pivotCacheDefinition1.xml", b"<a/>"),
    "IMAGE": added(workbook(), "xl/media/image1.png", b"x"),
    "XLSB": added(workbook(), "xl/workbook.bin", b"x"),
    "UNKNOWN_PART": added(workbook(), "xl/iets.bin", b"x"),
    "NO_WORKBOOK": added(b"PK\x05\x06" + bytes(18), "xl/a.xml", b"<a/>"),
    "SHARED_FORMULA": in_sheet(VALUE, '<c r="D3" s="1"><f t="shared" ref="D3:D4" si="0">1+1</f><v>2</v></c>'),
    "ARRAY_FORMULA": in_sheet(VALUE, '<c r="D3" s="1"><f t="array" ref="D3">1+1</f><v>2</v></c>'),
    "MERGED": in_sheet("</sheetData>", '</sheetData><mergeCells count="1"><mergeCell ref="E2:E3"/></mergeCells>'),
    "NAMESPACE": in_sheet(
        "http://schemas.openxmlformats.org/spreadsheetml/2006/main", "http://purl.oclc.org/ooxml/spreadsheetml/main"
    ),
    "XML_SHAPE": in_sheet("</sheetData>", "<!-- x --></sheetData>"),
}


@pytest.mark.parametrize("rule", REFUSED)
def test_a_file_that_cannot_be_edited_safely_is_refused(tmp_path: Path, rule: str) -> None:
    with pytest.raises(EraseRefused, match=f"rule {rule}[;.]"):
        erase(tmp_path, REFUSED[rule])


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_parts_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EraseRefused, match="ARCHIVE_DUPLICATE_NAME"):
        erase(tmp_path, added(workbook(), SHEET, b"<worksheet/>"))


def test_a_formula_of_another_row_that_shares_with_the_row_keeps_working(tmp_path: Path) -> None:
    def share(xml: bytes) -> bytes:
        xml = xml.replace(
            b'<c r="D2" s="1"><v>10.5</v></c>', b'<c r="D2"><f t="shared" ref="D2:D3" si="0">1+1</f><v>2</v></c>'
        )
        return xml.replace(VALUE.encode(), b'<c r="D3"><f t="shared" si="0"/><v>2</v></c>')

    erased, result = erase(tmp_path, edited(workbook(), SHEET, share))
    assert "FORMULA_CACHE_DROPPED" in erased.remarks
    assert b'<c r="D2"><f t="shared" ref="D2:D3" si="0">1+1</f></c>' in parts_of(result)[SHEET]
    assert b'<c r="D3"/>' in parts_of(result)[SHEET]


@pytest.mark.parametrize(("old", "new"), [('r="D3"', 'r="D2"'), ('r="D2"', 'r="D3"'), ('r="D4"', 'r="E3"')])
def test_control_a_cell_that_stands_in_another_row_than_it_says_fails_the_proof(tmp_path, old, new):
    with pytest.raises(EraseRefused, match="rule PROOF"):
        erase(tmp_path, in_sheet(old, new))


def test_the_sheet_must_be_one_and_the_record_there(tmp_path):
    with pytest.raises(RecordsUnknown):
        erase(tmp_path, workbook(), records=[4])
    two = workbook(lambda book, _: book.add_worksheet("meer").write("A1", "x"))
    with pytest.raises(EraseRefused, match="rule SHEET"):
        erase(tmp_path, two, sheet=None)
    with pytest.raises(EraseRefused, match="rule SHEET"):
        erase(tmp_path, two, sheet="weg")
    assert erase(tmp_path, workbook(), sheet=None)[0].rows_after == 2
    content = workbook(lambda book, _: book.add_worksheet("meer").write_column(0, 0, ["x", "1", "2"]))
    result = erase(tmp_path, content, [1], "meer", ())[1]
    table = table_of(read_bytes(tmp_path, result, "drop.xlsx", FormatHints(sheet="meer")))
    assert (table.row_numbers.to_list(), table.frame.rows()) == ([2], [("2",)])


@settings(max_examples=effort(20, 60), deadline=None)
@given(st.data(), st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=6), st.booleans())
def test_other_rows_of_any_workbook_keep_value_type_and_style(tmp_path_factory, data, lines, is_openpyxl):
    content = by_openpyxl(lines) if is_openpyxl else by_xlsxwriter(lines)
    filled = [at for at, line in enumerate(lines, 1) if any(cell not in (None, "") for cell in line)]
    records = data.draw(st.lists(st.integers(1, max(filled)), unique=True)) if filled else []
    erased, result = erase(tmp_path_factory.mktemp("erase"), content, records, None, ())
    assert erased.rows_before - erased.rows_after == len(set(records) & set(filled))
    before, after = cells_of(content), cells_of(result)
    for place, cell in before.items():
        if row_of(place[1]) - 1 in records:
            assert (after[place][0], after[place][2]) == (None, cell[2])
        else:
            assert after[place] == cell


EDITABLE_PARTS = re.compile(
    r"xl/worksheets/sheet\d+\.xml|xl/sharedStrings\.xml|xl/workbook\.xml|.*\.rels|\[Content_Types\]\.xml"
)


REAL = {
    "1904.xlsx": "1 -> 0",
    "big-texty-numbers.xlsx": "6 -> 5",
    "deaths.xlsx": "18 -> 17",
    "empty-sheets.xlsx": "record 1",
    "merged-cells.xlsx": "record 1",
    "multiline-headers.xlsx": "rule MERGED",
    "names-need-repair.xlsx": "2 -> 1",
    "persons-dmy-dates.xlsx": "9 -> 8",
    "scientific-notation.xlsx": "1 -> 0",
    "texty-dates.xlsx": "2 -> 1",
}
"""What erasing the first record of each real file does; two have none, one has a merged block over it."""


@pytest.mark.parametrize("name", REAL)
def test_a_real_file_keeps_every_other_cell_and_part(real_data: Path, tmp_path: Path, name: str) -> None:
    path = real_data / "xlsx" / name
    content, sheet = path.read_bytes(), widest_sheet(path)
    try:
        erased, result = erase(tmp_path, content, [1], sheet, ())
    except (EraseRefused, RecordsUnknown) as refused:
        outcome = str(refused.refs[0])
    else:
        outcome = f"{erased.rows_before} -> {erased.rows_after}"
        compare(path, content, result, sheet)
    assert outcome == REAL[name]


def test_no_value_of_a_real_person_is_left_in_a_real_file(real_data: Path, tmp_path: Path) -> None:
    content = (real_data / "xlsx" / "persons-dmy-dates.xlsx").read_bytes()
    frame = table_of(read_bytes(tmp_path, content, "drop.xlsx")).frame
    others = "\n".join(text for row in frame.slice(1).rows() for text in row if text)
    own = [text for text in frame.row(0) if text and len(text) > 4 and text not in others]
    erase(tmp_path, content, [1], None, own)
    result = b"\n".join(parts_of((tmp_path / "target.xlsx").read_bytes()).values()).decode("latin-1")
    before = b"\n".join(parts_of(content).values()).decode("latin-1")
    assert [text for text in own if text in before]
    assert not [text for text in own if text in result]


def compare(path: Path, content: bytes, result: bytes, sheet: str) -> None:
    """Only allowed parts changed, and only one row of one sheet lost its cells."""
    old, new = parts_of(content), parts_of(result)
    changed = {name for name in old if old[name] != new.get(name)}
    assert all(EDITABLE_PARTS.fullmatch(name) or "thumbnail" in name or "calcChain" in name for name in changed), path
    before, after = cells_of(content), cells_of(result)
    differing = {(place[0], row_of(place[1])) for place in before if before[place][:2] != after[place][:2]}
    assert len(differing) == 1 and {title for title, _ in differing} == {sheet}, path
    assert all(before[place][2] == after[place][2] for place in before)


def widest_sheet(path: Path) -> str:
    book = openpyxl.load_workbook(path)
    return str(max(book.worksheets, key=lambda sheet: sheet.max_row * sheet.max_column).title)
