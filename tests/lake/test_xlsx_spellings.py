"""Strings, sheets, cells, formulas and what is hidden mean the same in every spelling of a workbook, or are refused."""

import re

import openpyxl
import pytest

from lake.reading import read_bytes, refusal_of, table_of
from lake.sheets import (
    LAST_CELL,
    LINES,
    PLAIN,
    by_openpyxl,
    hidden_sheet,
    in_sheet,
    rows,
    rows_of,
    two_sheets,
    workbook,
)
from lake.workbooks import NAME, SHEET, STRINGS, added, cells_of, edited, erase, naming, parts_of
from lake.workbooks import workbook as persons
from sluice.lake.erase.model import EraseRefused
from sluice.lake.table import FormatHints
from sluice.lake.xlsx import cells as xlsx_cells
from sluice.lake.xlsx.cells import read_usual_cells
from sluice.lake.xlsx.package import XmlRefused
from sluice.lake.xlsx.sheet import read_cells_exact

pytestmark = pytest.mark.slow
MAIN = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
SECOND, ROOT_RELS, BOOK_RELS = "xl/worksheets/sheet2.xml", "_rels/.rels", "xl/_rels/workbook.xml.rels"


def with_entry(content: bytes, entry: bytes, before: int = 0) -> bytes:
    """One more shared string before the others from that number on; each cell still points at its own."""
    later = re.compile(rb'(t="s"><v>)(\d+)')

    def insert(xml: bytes) -> bytes:
        at = [found.start() for found in re.finditer(b"<si>", xml)][before]
        return xml[:at] + entry + xml[at:]

    def move(found: re.Match[bytes]) -> bytes:
        return found[1] + b"%d" % (int(found[2]) + (int(found[2]) >= before))

    return edited(edited(content, STRINGS, insert), SHEET, lambda xml: later.sub(move, xml))


ENTRIES = (b"<si/>", b"<si ></si>", b'<si xml:space="preserve"><t>x</t></si>', b"<si\n><t>x</t></si>")


@pytest.mark.parametrize("entry", ENTRIES)
def test_reader_and_eraser_count_a_string_in_a_rare_spelling(tmp_path, entry):
    for content in (with_entry(PLAIN, entry, 0), with_entry(PLAIN, entry, 3)):
        assert by_openpyxl(content)[1:] == rows_of(tmp_path, content) == LINES
    content = with_entry(persons(), entry)
    _, left = erase(tmp_path, content)
    before, after = cells_of(content), cells_of(left)
    assert (NAME in [value for value, *_ in before.values()], naming(left)) == (True, set())
    assert {place: cell for place, cell in before.items() if not place[1].endswith("3")} == {
        place: cell for place, cell in after.items() if not place[1].endswith("3")
    }


def test_an_encoding_that_is_declared_is_believed(tmp_path):
    def declared(part: bytes) -> bytes:
        return part.replace(b"UTF-8", b"ISO-8859-1").replace(b">An<", ">Zoë<".encode())

    content = edited(PLAIN, STRINGS, declared)
    inline = b'<c r="B2" t="inlineStr"><is><t>An</t></is></c>'
    in_cell = edited(in_sheet(b'<c r="B2" t="s"><v>3</v></c>', inline), SHEET, declared)
    told = "Zoë".encode().decode("latin-1")
    assert by_openpyxl(content)[1] == by_openpyxl(in_cell)[1] == ("007", told)
    assert rows_of(tmp_path, content)[0] == rows_of(tmp_path, in_cell)[0] == ("007", told)


def as_utf16(xml: bytes) -> bytes:
    return xml.decode().replace("UTF-8", "UTF-16").encode("utf-16")


def as_bare_utf16(xml: bytes) -> bytes:
    """The text in UTF-16 without a byte order mark."""
    return xml.decode().partition("?>")[2].strip().encode("utf-16-be")


def prefixed(xml: bytes, prefix: bytes) -> bytes:
    xml = re.sub(rb"<(/?)(?=\w)", rb"<\1" + prefix + b":", xml)
    return xml.replace(b" xmlns=", b" xmlns:" + prefix + b"=")


SPELLINGS = {
    "utf-16": as_utf16,
    "utf-16 without mark": as_bare_utf16,
    "a-b": lambda xml: prefixed(xml, b"a-b"),
    "a.b": lambda xml: prefixed(xml, b"a.b"),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_second_sheet_is_seen_in_every_spelling_and_left_out_where_it_is_empty(tmp_path, spelling):
    two, hidden = (edited(workbook(fill), SECOND, SPELLINGS[spelling]) for fill in (two_sheets, hidden_sheet))
    assert (by_openpyxl(two, 1), by_openpyxl(hidden, 1)) == ([("b",), ("2",)], [("geheim",)])
    assert (rows_of(tmp_path, two), rows_of(tmp_path, hidden)) == ("DIALECT_SHEET", "HIDDEN_SHEET")
    chosen = read_bytes(tmp_path, two, "drop.xlsx", FormatHints(sheet="Een"))
    assert table_of(chosen).frame.columns == ["a"]
    empty = workbook(lambda book: (two_sheets(book), book.worksheets()[1].table.clear()))
    assert by_openpyxl(empty, 1) == [] and rows_of(tmp_path, edited(empty, SECOND, SPELLINGS[spelling])) == [("1",)]


def kind_of_second(kind: bytes) -> bytes:
    old = b'worksheet" Target="worksheets/sheet2.xml'
    return edited(workbook(two_sheets), BOOK_RELS, lambda xml: xml.replace(old, old.replace(b"worksheet", kind, 1)))


def strings(old: bytes, new: bytes) -> bytes:
    return edited(PLAIN, STRINGS, lambda xml: re.sub(old, new, xml))


def around_cells(first: bytes, last: bytes) -> bytes:
    return edited(PLAIN, SHEET, lambda xml: re.sub(rb"(<sheetData>.*</sheetData>)", first + rb"\1" + last, xml))


def looks_like_cells(prefix: bytes) -> bytes:
    """Cells in a comment; the real ones under a prefix, the longer of which our search for them does not see."""
    looks = b'<!--<sheetData><row r="1"><c r="A1" t="str"><v>no</v></c></row></sheetData>-->'
    real = b'%s<%s:sheetData xmlns:%s="%s">' % (looks, prefix, prefix, MAIN)
    end = b"</%s:sheetData>" % prefix
    hidden = edited(PLAIN, SHEET, lambda xml: xml.replace(b"</sheetData>", end).replace(b"<sheetData>", real))
    assert by_openpyxl(hidden) == by_openpyxl(PLAIN)
    return hidden


def two_lists(identity: bytes) -> bytes:
    again = re.compile(rb'(<Relationship Id=")rId4(" Type="[^"]*" Target=")sharedStrings.xml("/>)')
    content = edited(PLAIN, BOOK_RELS, lambda xml: again.sub(rb"\g<0>\1" + identity + rb"\2other.xml\3", xml))
    return added(content, "xl/other.xml", b"<sst/>")


def root(*targets: bytes) -> bytes:
    """The container names these parts as its workbook."""
    kind = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
    links = [b'<Relationship Id="r%d" Type="%s" Target="%s"/>' % (at, kind, each) for at, each in enumerate(targets)]
    package = b"http://schemas.openxmlformats.org/package/2006/relationships"
    named = b'<Relationships xmlns="%s">%s</Relationships>' % (package, b"".join(links))
    return edited(added(PLAIN, "xl/other.xml", b"<workbook/>"), ROOT_RELS, lambda _: named)


def last_cell(inside: bytes, kind: bytes = b"") -> bytes:
    return in_sheet(LAST_CELL, b'<c r="B3"%s>%s</c>' % (kind, inside))


def columns(said: bytes, first: int = 2, last: int = 2) -> bytes:
    return in_sheet(b"<sheetData>", b'<cols><col min="%d" max="%d" %s/></cols><sheetData>' % (first, last, said))


def formula(said: bytes) -> bytes:
    return last_cell(said % b'"J"' + b"<v>Jo</v>", b' t="str"')


AFTER = b'<extLst><ext><row r="9"><c r="A9"><v>9</v></c></row></ext></extLst></worksheet>'
EXACT = edited(in_sheet(b"</worksheet>", AFTER), SHEET, lambda xml: xml.replace(b"<v>5</v>", b"<!-- --><v>5</v>"))
FORMULAS = (b"<f\t>%s</f>", b"<f\r>%s</f>", b"<f\n>%s</f>", b'<a-b:f xmlns:a-b="' + MAIN + b'">%s</a-b:f>')
WRONG_STRINGS = (
    (rb"(<si>.*</si>)", rb"<?x \1 ?>"),  # the whole list in an instruction
    (rb"<si>(<t>klant</t>)</si>", rb"<x><si>\1</si></x>"),  # a string that is none of the list's own
    (rb">An<", b">A\x01n<"),  # characters that XML does not have
    (rb">An<", b">A\xef\xbf\xbfn<"),
)
TWO_VALUES = (
    *(b"<v>5</v><v>6</v>", b"<v>5</v><is><t>6</t></is>", b"<is><t>5</t></is><is><t>6</t></is>", b"<v>5</v><v/>"),
    *(b"<v>5<x/>6</v>", b'<v>5</v></c><x><c r="C3"><v>6</v></c></x><c r="D3">'),
)
REFUSED = {
    "UNREADABLE_XML": [
        *(strings(*each) for each in WRONG_STRINGS[1:]),
        edited(workbook(two_sheets), SECOND, lambda xml: as_utf16(xml)[:-40]),
        *(kind_of_second(kind) for kind in (b"Worksheet", b"xlMacrosheet", b"dialogsheet")),
        edited(PLAIN, SHEET, as_utf16),
        *(around_cells(*each) for each in ((b"<!--", b"-->"), (b"<?x ", b"?>"), (b"<x><![CDATA[", b"]]></x>"))),
        *(looks_like_cells(b"p" * letters) for letters in (1, 70)),
        *(two_lists(identity) for identity in (b"rId4", b"rId9")),
        *(root(), root(b"xl/other.xml"), root(b"xl/other.xml", b"xl/workbook.xml")),
        root(b"xl/workbook.xml", b"xl/other.xml"),
    ],
    "UNREADABLE_CELL": [
        strings(*WRONG_STRINGS[0]),
        *(last_cell(b"<v>%s</v>" % said, b' t="b"') for said in (b"TRUE", b"True", b"yes", b"2", b" 1", b"-1", b"1.0")),
        *map(last_cell, TWO_VALUES),
    ],
    "UNREADABLE_EMPTY_FILE": [workbook(rows())],
    "ACTIVE_FORMULA": [
        *map(formula, FORMULAS),
        in_sheet(
            b"</worksheet>", b'<extLst><ext><a-b:f xmlns:a-b="urn:x">A1</a-b:f></ext></extLst></worksheet>'
        ),
    ],
    "HIDDEN_COLUMN": [
        *map(columns, (b"hidden='1'", b'hidden = "1"', b'hidden="&#49;"', b'width="0.0"', b'width=" 0 "')),
        columns(b"width='0'"),
    ],
}  # fmt: skip
READ = [
    (EXACT, LINES),
    (edited(PLAIN, SHEET, SPELLINGS["a-b"]), LINES),
    *((root(named), LINES) for named in (b"xl/workbook.xml", b"/xl/workbook.xml", b"./xl/workbook.xml")),
    *((last_cell(b"<v>%s</v>" % value, b' t="b"'), [LINES[0], ("008", "TRUE")]) for value in (b"1", b"true")),
    *((last_cell(b"<v>%s</v>" % value, b' t="b"'), [LINES[0], ("008", "FALSE")]) for value in (b"0", b"false")),
    *((last_cell(value), [LINES[0], ("008", "5")]) for value in (b"<v>5</v>", b"<v>5</v><x/>")),
    *((last_cell(value), [LINES[0], ("008", "5")]) for value in (b"<v><![CDATA[5]]></v>", b"<is><r><t>5</t></r></is>")),
    (in_sheet(b"<sheetFormatPr ", b'<sheetFormatPr zeroHeight="1" '), LINES),  # as Excel hides unused rows
    (columns(b'width="0.0" hidden="1"', 3, 9), LINES),
]


@pytest.mark.parametrize(
    ("code", "at"), [(code, at) for code, contents in REFUSED.items() for at in range(len(contents))]
)
def test_what_a_reader_could_take_otherwise_is_refused(tmp_path, code, at):
    assert rows_of(tmp_path, REFUSED[code][at]) == code


@pytest.mark.parametrize("at", range(len(READ)))
def test_control_what_means_one_thing_is_read(tmp_path, at):
    content, lines = READ[at]
    assert rows_of(tmp_path, content) == lines


def test_another_reader_sees_the_formulas_and_not_the_cells_in_a_comment():
    assert [by_openpyxl(each)[2][1] for each in map(formula, FORMULAS)] == ['="J"'] * 4
    assert by_openpyxl(around_cells(b"<!--", b"-->")) == []
    assert by_openpyxl(edited(PLAIN, SHEET, SPELLINGS["a-b"]))[1:] == LINES


@pytest.mark.parametrize("said", FORMULAS)
def test_a_formula_is_named_by_its_row_and_an_erasure_leaves_no_result_of_it(tmp_path, said):
    """The second letter of the name is too little to search for."""
    assert refusal_of(read_bytes(tmp_path, formula(said), "drop.xlsx")).rows == (2,)
    quoting = b'<c r="B2" t="str">' + said % b"MID(A3,2,1)" + b"<v>a</v></c>"
    content = edited(persons(), SHEET, lambda xml: re.sub(rb'<c r="B2".*?</c>', quoting, xml))
    try:
        done, left = erase(tmp_path, content)
    except EraseRefused as refused:
        assert (str(refused).count("PROOF"), said[:3]) == (1, b"<a-")
    else:
        assert b"<v>a</v>" not in left
        assert "FORMULA_CACHE_DROPPED" in done.remarks


FIRST_ROW = b'<row r="2" spans="1:2">'
HIDDEN_ROWS = (
    *(b"<row r=\"2\" hidden='1'>", b'<row r="2" hidden = "1">', b'<row r="2" hidden="&#49;">'),
    *(b'<row r="2"\thidden="true">', b'<row hidden="1">'),
)
LOW_ROWS = (
    *(b'<row r="2" x=">" hidden="1">', b'<row r="2" ht="0.0">', b"<row r='2' ht='0'>", b'<row r="2" ht="&#48;">'),
    b'<row r="7" hidden="1">',  # of cells that name another row
)
SEEN_ROWS = (
    (b'<row r="2" ht="12.8" hidden="false" customHeight="false">', True),
    (b'<row r="2" hidden="0" ht="15">', True),
    (b"<row r='2' hidden='0' ht='0.5'>", False),
    (b'<row r="9" hidden="1"/><row r="2">', True),
)


@pytest.mark.parametrize("row", [*HIDDEN_ROWS, *LOW_ROWS])
def test_a_row_is_hidden_in_every_spelling(tmp_path, row):
    content = in_sheet(FIRST_ROW, row)
    if row in HIDDEN_ROWS:
        (tmp_path / "x.xlsx").write_bytes(content)
        assert openpyxl.load_workbook(tmp_path / "x.xlsx").worksheets[0].row_dimensions[2].hidden
    refusal = refusal_of(read_bytes(tmp_path, content, "drop.xlsx"))
    assert (refusal.code, refusal.rows) == ("HIDDEN_ROW", (1,))


@pytest.mark.parametrize(("row", "is_usual"), SEEN_ROWS)
def test_control_visible_rows_are_read(tmp_path, row, is_usual):
    content = edited(in_sheet(FIRST_ROW, row), SHEET, lambda xml: xml.replace(b'"15"', b'"15" zeroHeight="false"', 1))
    assert rows_of(tmp_path, content) == LINES
    assert (read_usual_cells(parts_of(content)[SHEET]) is not None) == is_usual


def test_what_is_no_text_is_refused_only_where_all_the_rest_is_usual(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten digits of a character are one more than the quick way to read it takes."""
    monkeypatch.setattr(xlsx_cells, "AT_ONCE", 1)
    rows = b'<row r="1"><c r="A1"><v>&#x0000000041;</v></c></row><row r="2"><c r="A2">%s<v>1</v></c></row>'
    sheet = b"<worksheet><sheetData>%s</sheetData></worksheet>" % rows
    assert xlsx_cells.read_usual_cells(sheet % b"<f>1</f>") is None
    with pytest.raises(XmlRefused):
        xlsx_cells.read_usual_cells(sheet % b"")


@pytest.mark.parametrize("sheet", [b"</sheetData><sheetData>", b"<sheetData></sheetData><sheetData/>", b"<sheetData>"])
def test_cells_that_do_not_begin_once_and_end_once_are_none(sheet: bytes) -> None:
    with pytest.raises(XmlRefused):
        xlsx_cells.read_usual_cells(b"<worksheet>%s</worksheet>" % sheet)


@pytest.mark.parametrize(
    ("cells", "is_usual"),
    [
        (b'<c r="A1" s="1" t="s"><v>0</v></c><c r="B1" t="s" s="1"><v>1</v></c>', True),
        (b'<c r="A1" t="s" ><v>0</v></c><c r="AB1" s="12" /><c r="AC1"/>', True),
        (b'<c r="A1" t="inlineStr"><is><t xml:space="preserve"> a </t></is></c><c r="B1"><is/></c><c r="C1"/>', True),
        (b'<c r="C1"></c>', True),
        (b'<c r="A1"><v/></c><c r="B1"><v xml:space="preserve">1\n</v></c>\n', True),
        (b'<c r="A1"><v>1</v></c></row> <row r="2" ht="15"/><row r="3">\n<c r="A3"><v>2</v></c>', True),
        (b'<c r="A1"/></row><row r="2"></row><row r="3"/> <row r="4">', True),
        (b"", True),
        (b'<c r="A1"/><row r="2"/>', False),
        (b'<c r="A1"/><row r="2"><c r="A2"/>', False),
        (b'<c r="A1"/></row></row><row r="2">', False),
        (b'<c r="A1"/></row><row r="2">', True),
        (b'<c r="A1"/></row><row r="2"><row r="3">', False),
        (b'<c r="A1"/></row><c r="A2"/><row r="2">', False),
        (b'<c r="A1"/></row><row r="2"/><c r="A2"/><row r="3">', False),
        (b'</row><c r="A1"/><row r="2">', False),
        (b'<c r="A1"><v>\x01</v></c>', False),
        (b'<c r="A1"><is><t>\xef\xbf\xbe</t></is></c>', False),
        (b'<c r="A1"><is><t>\xef\xbf\xbd\t</t></is></c>', True),
        (b'<c r="A1" s="1" s="2"><v>0</v></c>', False),
        (b'<c r="A1" t="s" t="s"><v>0</v></c>', False),
        (b'<c t="s" r="A1"><v>0</v></c>', False),
        (b'<c r="A1"><v>0</v>1</c>', False),
        (b'<c r="A1"><v>0</v></c>1', False),
        (b'<c r="A1"><v>0</v></c></c>', False),
        (b'<c r="A1"><v>0</v><is><t>a</t></is></c>', False),
        (b'<c r="A1"><v>0</v></c></row>1<row r="2">', False),
        (b'<c r="A1"><v>0</v></c><c r="B1"><f>A1</f><v>0</v></c>', False),
    ],
)
def test_cells_in_the_usual_shape_are_read_as_the_exact_reader_does(monkeypatch, cells, is_usual):
    sheet = b'<worksheet><sheetData><row r="1">%s</row></sheetData></worksheet>' % cells
    for at_once in (1, 40, xlsx_cells.AT_ONCE):
        monkeypatch.setattr(xlsx_cells, "AT_ONCE", at_once)
        usual = xlsx_cells.read_usual_cells(sheet)
        assert (usual is not None) == is_usual
        assert usual is None or usual.equals(read_cells_exact(sheet).frame)
