"""Strings, sheets and cells of a workbook mean the same in every spelling that XML and OOXML allow, or are refused."""

import re
from pathlib import Path

import pytest

from lake.reading import read_bytes, table_of
from lake.sheets import PLAIN, hidden_sheet, in_sheet, rows, two_sheets, workbook
from lake.spelt import LAST_CELL, LINES, MAIN, by_openpyxl, code_of, rows_of
from lake.workbooks import NAME, SHEET, STRINGS, added, cells_of, edited, erase, naming
from lake.workbooks import workbook as persons
from sluice.lake.table import FormatHints
from sluice.lake.xlsx import cells as xlsx_cells
from sluice.lake.xlsx.package import XmlRefused
from sluice.lake.xlsx.sheet import read_cells_exact

pytestmark = pytest.mark.slow
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
@pytest.mark.parametrize("before", [0, 3])
def test_a_string_in_a_rare_spelling_counts(tmp_path: Path, entry: bytes, before: int) -> None:
    content = with_entry(PLAIN, entry, before)

    assert by_openpyxl(content)[1:] == LINES
    assert rows_of(tmp_path, content) == LINES


@pytest.mark.parametrize("entry", ENTRIES)
def test_reader_and_eraser_count_the_same_strings(tmp_path: Path, entry: bytes) -> None:
    content = with_entry(persons(), entry)

    _, left = erase(tmp_path, content)

    before, after = cells_of(content), cells_of(left)
    assert (NAME in [value for value, *_ in before.values()], naming(left)) == (True, set())
    assert {place: cell for place, cell in before.items() if not place[1].endswith("3")} == {
        place: cell for place, cell in after.items() if not place[1].endswith("3")
    }


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (rb"(<si>.*</si>)", rb"<?x \1 ?>"),  # the whole list in an instruction
        (rb"<si>(<t>klant</t>)</si>", rb"<x><si>\1</si></x>"),  # a string that is none of the list's own
        (rb">An<", b">A\x01n<"),  # characters that XML does not have
        (rb">An<", b">A\xef\xbf\xbfn<"),
    ],
)
def test_strings_that_may_count_or_not_are_refused(tmp_path: Path, old: bytes, new: bytes) -> None:
    content = edited(PLAIN, STRINGS, lambda xml: re.sub(old, new, xml))

    assert code_of(tmp_path, content) in ("UNREADABLE_CELL", "UNREADABLE_XML")


def test_an_encoding_that_is_declared_is_believed(tmp_path: Path) -> None:
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
def test_a_second_sheet_is_seen_in_every_spelling(tmp_path: Path, spelling: str) -> None:
    two, hidden = (edited(workbook(fill), SECOND, SPELLINGS[spelling]) for fill in (two_sheets, hidden_sheet))

    assert (by_openpyxl(two, 1), by_openpyxl(hidden, 1)) == ([("b",), ("2",)], [("geheim",)])
    assert (code_of(tmp_path, two), code_of(tmp_path, hidden)) == ("DIALECT_SHEET", "HIDDEN_SHEET")


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_control_an_empty_second_sheet_is_left_out(tmp_path: Path, spelling: str) -> None:
    content = workbook(lambda book: (two_sheets(book), book.worksheets()[1].table.clear()))
    assert by_openpyxl(content, 1) == []

    assert rows_of(tmp_path, edited(content, SECOND, SPELLINGS[spelling])) == [("1",)]


def test_a_second_sheet_that_cannot_be_read_is_not_left_out(tmp_path: Path) -> None:
    content = edited(workbook(two_sheets), SECOND, lambda xml: as_utf16(xml)[:-40])

    assert code_of(tmp_path, content) == "UNREADABLE_XML"


@pytest.mark.parametrize("kind", [b"Worksheet", b"xlMacrosheet", b"dialogsheet"])
def test_a_sheet_of_an_unknown_kind_is_not_left_out(tmp_path: Path, kind: bytes) -> None:
    old = b'worksheet" Target="worksheets/sheet2.xml'
    content = edited(workbook(two_sheets), BOOK_RELS, lambda xml: xml.replace(old, old.replace(b"worksheet", kind, 1)))

    assert code_of(tmp_path, content) == "UNREADABLE_XML"


def test_the_sheet_that_is_read_may_have_any_prefix_and_is_no_utf_16(tmp_path: Path) -> None:
    with_dash = edited(PLAIN, SHEET, SPELLINGS["a-b"])

    assert by_openpyxl(with_dash)[1:] == rows_of(tmp_path, with_dash) == LINES
    assert code_of(tmp_path, edited(PLAIN, SHEET, as_utf16)) == "UNREADABLE_XML"


@pytest.mark.parametrize(("first", "last"), [(b"<!--", b"-->"), (b"<?x ", b"?>"), (b"<x><![CDATA[", b"]]></x>")])
def test_cells_in_a_comment_are_no_cells(tmp_path: Path, first: bytes, last: bytes) -> None:
    content = edited(PLAIN, SHEET, lambda xml: re.sub(rb"(<sheetData>.*</sheetData>)", first + rb"\1" + last, xml))

    assert by_openpyxl(content) == []
    assert code_of(tmp_path, content) == "UNREADABLE_XML"


@pytest.mark.parametrize("at_once", [1, 40, xlsx_cells.AT_ONCE])
@pytest.mark.parametrize(
    ("cells", "is_usual"),
    [
        (b'<c r="A1" s="1" t="s"><v>0</v></c><c r="B1" t="s" s="1"><v>1</v></c>', True),
        (b'<c r="A1" t="s" ><v>0</v></c><c r="AB1" s="12" /><c r="AC1"/>', True),
        (
            b'<c r="A1" t="inlineStr"><is><t xml:space="preserve"> a </t></is></c><c r="B1"><is/></c><c r="C1"></c>',
            True,
        ),
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
def test_cells_in_the_usual_shape_are_read_as_the_exact_reader_does(
    monkeypatch: pytest.MonkeyPatch, cells: bytes, is_usual: bool, at_once: int
) -> None:
    monkeypatch.setattr(xlsx_cells, "AT_ONCE", at_once)
    sheet = b'<worksheet><sheetData><row r="1">%s</row></sheetData></worksheet>' % cells

    usual = xlsx_cells.read_usual_cells(sheet)

    assert (usual is not None) == is_usual
    if usual is not None:
        assert usual.equals(read_cells_exact(sheet).frame)


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


@pytest.mark.parametrize("letters", [1, 70])
def test_what_only_looks_like_the_cells_is_not_read_for_them(tmp_path: Path, letters: int) -> None:
    """Cells in a comment; the real ones under a prefix, the longer of which our search for them does not see."""
    prefix = b"p" * letters
    looks = b'<!--<sheetData><row r="1"><c r="A1" t="str"><v>no</v></c></row></sheetData>-->'
    real = b'%s<%s:sheetData xmlns:%s="%s">' % (looks, prefix, prefix, MAIN)

    def hide(xml: bytes) -> bytes:
        return xml.replace(b"</sheetData>", b"</%s:sheetData>" % prefix).replace(b"<sheetData>", real)

    content = edited(PLAIN, SHEET, hide)
    assert by_openpyxl(content) == by_openpyxl(PLAIN)
    assert code_of(tmp_path, content) == "UNREADABLE_XML"


def root(*targets: bytes) -> bytes:
    kind = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
    links = [b'<Relationship Id="r%d" Type="%s" Target="%s"/>' % (at, kind, each) for at, each in enumerate(targets)]
    package = b"http://schemas.openxmlformats.org/package/2006/relationships"
    return b'<Relationships xmlns="%s">%s</Relationships>' % (package, b"".join(links))


def test_the_container_must_name_the_workbook_that_is_read(tmp_path: Path) -> None:
    other = added(PLAIN, "xl/other.xml", b"<workbook/>")
    for targets in (
        (b"xl/other.xml",),
        (b"xl/other.xml", b"xl/workbook.xml"),
        (b"xl/workbook.xml", b"xl/other.xml"),
        (),
    ):
        content = edited(other, ROOT_RELS, lambda _, named=targets: root(*named))  # type: ignore[misc]
        assert code_of(tmp_path, content) == "UNREADABLE_XML", targets
    for target in (b"xl/workbook.xml", b"/xl/workbook.xml", b"./xl/workbook.xml"):
        assert rows_of(tmp_path, edited(other, ROOT_RELS, lambda _, one=target: root(one))) == LINES  # type: ignore[misc]


@pytest.mark.parametrize("identity", [b"rId4", b"rId9"])
def test_a_workbook_with_two_lists_of_strings_is_refused(tmp_path: Path, identity: bytes) -> None:
    again = re.compile(rb'(<Relationship Id=")rId4(" Type="[^"]*" Target=")sharedStrings.xml("/>)')
    content = edited(PLAIN, BOOK_RELS, lambda xml: again.sub(rb"\g<0>\1" + identity + rb"\2other.xml\3", xml))

    assert code_of(tmp_path, added(content, "xl/other.xml", b"<sst/>")) == "UNREADABLE_XML"


@pytest.mark.parametrize("value", [b"TRUE", b"True", b"yes", b"2", b" 1", b"-1", b"1.0"])
def test_a_truth_value_is_none_but_these_four(tmp_path: Path, value: bytes) -> None:
    assert code_of(tmp_path, in_sheet(LAST_CELL, b'<c r="B3" t="b"><v>%s</v></c>' % value)) == "UNREADABLE_CELL"


@pytest.mark.parametrize(("value", "told"), [(b"1", "TRUE"), (b"true", "TRUE"), (b"0", "FALSE"), (b"false", "FALSE")])
def test_control_truth_values_are_read(tmp_path: Path, value: bytes, told: str) -> None:
    assert rows_of(tmp_path, in_sheet(LAST_CELL, b'<c r="B3" t="b"><v>%s</v></c>' % value))[1] == ("008", told)


@pytest.mark.parametrize(
    "inside",
    [
        b"<v>5</v><v>6</v>",
        b"<v>5</v><is><t>6</t></is>",
        b"<is><t>5</t></is><is><t>6</t></is>",
        b"<v>5</v><v/>",
        b"<v>5<x/>6</v>",
        b'<v>5</v></c><x><c r="C3"><v>6</v></c></x><c r="D3">',
    ],
)
def test_a_cell_has_one_value(tmp_path: Path, inside: bytes) -> None:
    assert code_of(tmp_path, in_sheet(LAST_CELL, b'<c r="B3">' + inside + b"</c>")) == "UNREADABLE_CELL"


@pytest.mark.parametrize("inside", [b"<v>5</v>", b"<v>5</v><x/>", b"<v><![CDATA[5]]></v>", b"<is><r><t>5</t></r></is>"])
def test_control_one_value_is_read(tmp_path: Path, inside: bytes) -> None:
    assert rows_of(tmp_path, in_sheet(LAST_CELL, b'<c r="B3">' + inside + b"</c>"))[1] == ("008", "5")


def test_elements_outside_the_cells_are_no_cells(tmp_path: Path) -> None:
    after = b'<extLst><ext><row r="9"><c r="A9"><v>9</v></c></row></ext></extLst></worksheet>'
    content = in_sheet(b"</worksheet>", after)
    content = edited(content, SHEET, lambda xml: xml.replace(b"<v>5</v>", b"<!-- --><v>5</v>"))  # the exact reader

    assert by_openpyxl(PLAIN)[1:] == rows_of(tmp_path, content) == LINES


def test_control_the_contract_may_name_one_of_two_sheets(tmp_path: Path) -> None:
    content = edited(workbook(two_sheets), SECOND, as_utf16)

    chosen = read_bytes(tmp_path, content, "drop.xlsx", FormatHints(sheet="Een"))

    assert table_of(chosen).frame.columns == ["a"]
    assert code_of(tmp_path, workbook(rows())) == "UNREADABLE_EMPTY_FILE"
