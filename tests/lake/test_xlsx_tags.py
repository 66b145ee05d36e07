"""Sheets that are drawn, and damaged: the usual reader reads them as the exact one does, or leaves them to it."""

import io
import random
import re
import zipfile
from itertools import chain

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.lake.xlsx import cells as xlsx_cells
from sluice.lake.xlsx import workbook
from sluice.lake.xlsx.cells import read_usual_cells
from sluice.lake.xlsx.package import Package, XmlRefused
from sluice.lake.xlsx.sheet import SheetCells, read_cells_exact
from sluice.lake.xlsx.workbook import Workbook, read_strings
from support.effort import chosen, effort

pytestmark = pytest.mark.slow

COLUMNS = ["A", "B", "Z", "AA", "AZ", "ZZ", "AAA", "XFD"]
ROW_NUMBERS = ["1", "9", "10", "999999", "1000000", "1048576", "9999999", "007"]
SPACES = ["", "", "", " ", "\n", "\t \n", "\r\n", "\n" + 12 * " "]
STYLES = ["", "", ' s="0"', ' s="12"', ' s="000007"', ' s="123456"']
TYPES = ["", ' t="s"', ' t="n"', ' t="str"', ' t="inlineStr"', ' t="e"', ' t="b"']
ROW_WORDS = ["", ' spans="1:20"', ' ht="15.75"', ' hidden="0"', ' hidden="false"', ' x14ac:dyDescent="0.25"', ' a=">"']
TEXTS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="<&]\ufffe\uffff"), max_size=20
).filter(lambda text: "_x" not in text)  # hypothesis draws words of our source, and neither reader reads "_x0000_"
VALUES = TEXTS | st.sampled_from(
    [
        13 * "é",
        *(
            "1",
            "12345678",
            "0",
            "a\tb\nc",
            "a\r\nb\rc",
            "&amp;&lt;&#65;&#x20AC;",
            "_x000D_",
            "_xD83D__xDE00_",
            "]",
            "]>",
        ),
    ]
)

ODD = [
    *(b" ", b"\n", b"\t", b"\r", b"\x0b", b"\x0c", b"\x01", b"\0", b"\x7f", b"\xff", b"]]>", b"&", b"&amp;", b"&no;"),
    *(b"\xc2\xa0", b"\xe2\x80\xa8", b"\xed\xa0\x80", b"\xef\xbf\xbd", b"\xef\xbf\xbe", b"\xef\xbf\xbf"),
    *(b"&#1;", b"&#13;", b"&#xFFFE;", b"&#xD800;", b"_x0041_", b"_x0000_", b"<!-- -->", b"<![CDATA[1]]>", b"<?x ?>"),
    *(b"<", b">", b"/", b'"', b"'", b"=", b"x", b"1", b'<c r="A9"/>', b"<c/>", b"<c>", b"</c>", b"</cx>", b"<x:c/>"),
    *(b"<row/>", b"<row>", b"</row>", b'<row r="3">', b'<row r="x">', b'<row" a="1">', b"<rox>", b"<row >"),
    b"<f>1</f>",
    *(b"<v/>", b"<v>", b"</v>", b"<v></c>", b"<v>1</v>", b"<v >1</v>", b"<is/>", b"<is>", b"</is>", b"<t/>", b"<t>"),
    *(b"</t>", b"<r><t>1</t></r>", b"<is><t>1</t></is>", b'<v xml:space="preserve">', b' xml:space="preserve"'),
    b' xml:space="x"',
    *(b' s="1"', b' t="s"', b' r="A1"', b' r="5"', b" t='s'", b' x:t="s"', b' s=""', b' hidden="1"', b' hidden=" 0"'),
    *(b' ht="0"', b' ht="0.5"', b' ht="x"', b' a="&no;"', b' a="<"', b' a="1" a="1"', b"</sheetData>", b"<sheetData>"),
]


def sheet_of(rows: bytes) -> bytes:
    return b'<?xml version="1.0"?>\n<worksheet><sheetData>%s</sheetData><x/></worksheet>' % rows


@st.composite
def cells(draw: st.DrawFn) -> str:
    """One cell in any of the usual shapes."""
    place = draw(st.sampled_from(COLUMNS)) + draw(st.sampled_from(ROW_NUMBERS))
    words = [draw(st.sampled_from(STYLES)), draw(st.sampled_from(TYPES))]
    attributes = "".join(words if draw(st.booleans()) else reversed(words))
    space = draw(st.sampled_from(["", "", ' xml:space="preserve"']))
    value = draw(VALUES)
    inside = draw(
        st.sampled_from(
            [f"<v{space}>{value}</v>"] * 4 + [f"<is><t{space}>{value}</t></is>"] * 2 + ["", "<v/>", "<is/>"]
        )
    )
    start = f'<c r="{place}"{attributes}'
    return (start + "/>" if not inside and draw(st.booleans()) else f"{start}>{inside}</c>") + draw(
        st.sampled_from(SPACES)
    )


@st.composite
def usual_sheets(draw: st.DrawFn) -> bytes:
    """Rows whose numbers are not those of their cells, rows without a number, of no cells, and white space between."""
    pieces = [draw(st.sampled_from(SPACES))]
    for _ in range(draw(st.integers(0, 5))):
        words = "".join(
            draw(st.lists(st.sampled_from(ROW_WORDS[1:]), unique_by=lambda word: word.split("=")[0], max_size=3))
        )
        number = draw(st.sampled_from(["", *(f' r="{number}"' for number in ROW_NUMBERS)]))
        inside = "".join(draw(st.lists(cells(), max_size=4)))
        start = f"<row{number}{words}"
        is_closed = not inside and draw(st.booleans())
        pieces.append(start + "/>" if is_closed else f"{start}>{draw(st.sampled_from(SPACES))}{inside}</row>")
        pieces.append(draw(st.sampled_from(SPACES)))
    return sheet_of("".join(pieces).encode())


def damaged(sheet: bytes, chance: random.Random) -> bytes:
    """Once or twice: an odd piece put in, a byte changed, a piece left out, said twice or moved; mostly at tags."""
    first, last = sheet.index(b"<sheetData>") + 11, sheet.index(b"</sheetData>")
    rows = sheet[first:last]
    for _ in range(chance.choice([1, 1, 2])):
        edges = [at for found in re.finditer(rb'[<>"]', rows) for at in found.span()] or [0]
        one, other = sorted(
            chance.choice(edges) if chance.random() < 0.8 else chance.randint(0, len(rows)) for _ in "ab"
        )
        rows = chance.choice(
            [
                rows[:one] + chance.choice(ODD) + rows[one:],
                rows[:one] + chance.choice(ODD) + rows[one:],
                rows[:one] + bytes([chance.randrange(256)]) + rows[one + 1 :],
                rows[:one] + rows[one + 1 :],
                rows[:one] + rows[other:],
                rows[:other] + rows[one:],
                rows[other:] + rows[:one],
            ]
        )
    return sheet[:first] + rows + sheet[last:]


def by_exact(sheet: bytes) -> SheetCells | None:
    try:
        return read_cells_exact(sheet)
    except XmlRefused:
        return None


def by_usual(sheet: bytes) -> pl.DataFrame | None:
    """Read by the fast reader; None if it leaves it to the exact one or refuses."""
    try:
        return read_usual_cells(sheet, may_hide=False)
    except XmlRefused:
        return None


def agrees(usual: pl.DataFrame, exact: SheetCells | None) -> bool:
    return exact is not None and usual.equals(exact.frame) and not exact.formula_rows and not exact.hidden_rows


@settings(max_examples=effort(40, 300))
@given(sheet=usual_sheets(), at_once=st.sampled_from([1, 100, xlsx_cells.AT_ONCE]))
def test_a_sheet_in_the_usual_shape_is_read_as_the_exact_reader_does(sheet: bytes, at_once: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xlsx_cells, "AT_ONCE", at_once)
        usual = read_usual_cells(sheet, may_hide=False)
    assert usual is not None
    assert agrees(usual, by_exact(sheet)), sheet


@settings(max_examples=effort(50, 100))
@given(sheet=usual_sheets(), chance=st.randoms(use_true_random=False))
def test_a_damaged_sheet_is_read_as_the_exact_reader_does_or_left_to_it(sheet: bytes, chance: random.Random) -> None:
    other = damaged(sheet, chance)
    usual = by_usual(other)
    assert usual is None or agrees(usual, by_exact(other)), other


ONE = sheet_of(
    b'<row r="1" spans="1:2"><c r="A1" t="s"><v>12</v></c><c r="B1" s="3"><v>1.5</v></c></row>'
    b'<row r="2"><c r="A2" t="inlineStr"><is><t>An</t></is></c><c r="B2"/></row><row ht="15"><c r="A3"></c></row>'
)


def test_damage_is_read_and_left_to_the_exact_reader_in_turn() -> None:
    """Each byte of a sheet changed, and each odd piece at edges of tags: no agreement by always saying None."""
    first, last = ONE.index(b"<sheetData>") + 11, ONE.index(b"</sheetData>")
    odd, step = b'\0\n "</>0A&\xff', effort(5, 1)
    changed = [ONE[:at] + bytes([new]) + ONE[at + 1 :] for at in range(first, last) for new in odd[at % step :: step]]
    edges = sorted({at for found in re.finditer(rb'[<>" ]', ONE) for at in found.span() if first <= at <= last})
    longer = [ONE[:at] + piece + ONE[at:] for piece in ODD for at in chosen(edges, 8)]
    read = 0
    for sheet in [*changed, *longer]:
        usual = by_usual(sheet)
        read += usual is not None
        assert usual is None or agrees(usual, by_exact(sheet)), sheet
    assert read > 20


def test_control_one_byte_more_or_less_is_no_agreement() -> None:
    usual = by_usual(ONE)
    assert usual is not None and agrees(usual, by_exact(ONE))
    changes = {b"12": b"13", b"A1": b"C1", b"A2": b"A3", b's="3"': b's="4"', b't="s"': b't="b"'}
    for old, new in (changes | {b"</v></c></row>": b"</v></c><f/></row>"}).items():
        assert not agrees(usual, by_exact(ONE.replace(old, new, 1))), old


@pytest.mark.parametrize("count", [250, 251])
def test_a_sheet_with_more_spellings_than_are_numbered_is_left_to_the_exact_reader(count: int) -> None:
    sheet = sheet_of(b'<row r="1">%s</row>' % b"".join(b'<c r="A%d" s="%d"/>' % (at, at) for at in range(1, count + 1)))
    usual = by_usual(sheet)
    assert (usual is None) == (count > 250)
    assert usual is None or agrees(usual, by_exact(sheet))


def strings_of(entries: bytes) -> bytes:
    return b'<sst count="1">' + entries + b"</sst>"


def read_part(content: bytes) -> list[str] | None:
    """Read a part; None if it is refused."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("strings", content)
    with zipfile.ZipFile(out) as archive:
        try:
            return read_strings(Package(archive), Workbook((), False, (), "strings", frozenset())).to_list()
        except XmlRefused:
            return None


def by_exact_strings(content: bytes) -> list[str] | None:
    """A comment in the first string is not for the usual reader."""
    return read_part(content.replace(b"<si>", b"<si><!-- -->", 1))


SPACED = st.sampled_from(["", "", ' xml:space="preserve"'])
ENTRIES = st.one_of(st.builds("<si><t{}>{}</t></si>".format, SPACED, VALUES), st.just("<si><t/></si>"))


@settings(max_examples=effort(40, 100))
@given(st.lists(st.tuples(ENTRIES, st.sampled_from(SPACES)), min_size=1), st.integers(1, 200))
def test_strings_are_read_as_the_exact_reader_does(entries: list[tuple[str, str]], at_once: int) -> None:
    content = strings_of("".join(chain(*entries)).encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workbook, "AT_ONCE", at_once)
        found = read_part(content)
    assert found is not None
    assert len(found) == len(entries)
    assert found == by_exact_strings(content)


def test_damaged_strings_are_read_as_the_exact_reader_does_or_refused() -> None:
    entries = b'<si><t>An</t></si><si><t xml:space="preserve"> b </t></si><si><t/></si>'
    odd = [*ODD, b"<si>", b"</si>", b"<si/>", b"<si><t>x</t></si>", b"<rPh><t>x</t></rPh>"]
    longer = [entries[:at] + piece + entries[at:] for piece in odd for at in chosen(range(len(entries) + 1), 8)]
    shorter = [entries[:at] + entries[at + n :] for n in (1, 2, 4, 5, 9, 14) for at in chosen(range(len(entries)), 30)]
    read = 0
    for content in map(strings_of, [*longer, *shorter]):
        found = read_part(content)
        read += found is not None
        assert found is None or found == by_exact_strings(content), content
    assert read > len(longer + shorter) // 20
    assert read_part(strings_of(entries)) == ["An", " b ", ""]
    assert read_part(strings_of(entries.replace(b"An", b"Jo"))) != by_exact_strings(strings_of(entries))
