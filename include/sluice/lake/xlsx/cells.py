"""The fast reader: reads the cells of a sheet in the shape that spreadsheets write, thousands at a time.

The XML is cut into pieces after rows, and :mod:`sluice.lake.xlsx.tags` proves that each piece has that shape. If one
has not, this reader does not read the sheet.
"""

import re

import numpy as np
import polars as pl

from sluice.lake.xlsx.package import XmlRefused, is_utf8
from sluice.lake.xlsx.tags import AT_ONCE, Codes, Place, Places, Spelled, Tag, Tags, UnknownShape, Words, read_pieces
from sluice.lake.xlsx.workbook import plain_text

CELLS = pl.Schema({"row": pl.UInt32, "column": pl.UInt32, "style": pl.UInt32, "type": pl.String, "text": pl.String})

_STYLE, _TYPE = rb's="([0-9]{1,6})"', rb't="([a-zA-Z]+)"'
_CELL = re.compile(
    rb"(?: (?:%s(?: (?:%s ?)?)?|%s(?: (?:%s ?)?)?)?)?(?:>|(/>|></c>)[ \t\n]*)" % (_STYLE, _TYPE, _TYPE, _STYLE)
)
_ROW = re.compile(rb'((?: [A-Za-z][A-Za-z0-9:._-]*="[^"<&]*")*)[ \t\n]*(/?)>[ \t\n]*')
_ATTRIBUTE = re.compile(rb' ([^ =]+)="([^"]*)"')
_HEIGHT, _SEEN_HEIGHT = re.compile(rb"[0-9]+(?:\.[0-9]+)?"), re.compile(rb"[1-9][0-9]*(?:\.[0-9]+)?")
_TAGS = {
    b"<v>": Tag(Place.CELL, Place.VALUE),
    b'<v xml:space="preserve">': Tag(Place.CELL, Place.VALUE),
    b"</v></c>": Tag(Place.VALUE, Place.CELLS),
    b"<v/></c>": Tag(Place.CELL, Place.CELLS),
    b"<is>": Tag(Place.CELL, Place.STRING),
    b"<is/></c>": Tag(Place.CELL, Place.CELLS),
    b"<t>": Tag(Place.STRING, Place.TEXT),
    b'<t xml:space="preserve">': Tag(Place.STRING, Place.TEXT),
    b"</t>": Tag(Place.TEXT, Place.BEHIND_TEXT),
    b"</is></c>": Tag(Place.BEHIND_TEXT, Place.CELLS),
    b"</row>": Tag(Place.CELLS, Place.OUTSIDE),
}
_START, _END, _WORD = b"<sheetData>", b"</sheetData>", b"sheetData"
_BEFORE_WORD, _IN_START, _IN_END = (re.compile(each) for each in (rb"<(/?)(?:[^\s<>/:]+:)?\Z", rb"[\s/>]", rb"\s*>"))
_LETTERS = 26
_EACH, _HIGH = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
"""Masks of the lowest and the highest bit of each of eight bytes."""


def read_usual_cells(content: bytes, *, may_hide: bool = True) -> pl.DataFrame | None:
    """The cells of a sheet as :data:`CELLS`; None when it is not in the usual shape, which has no formulas.

    ``may_hide``: whether a sheet with hidden rows counts as usual. Raises XmlRefused when it is no sheet or has
    invalid text."""
    start, end = usual_span(content)
    first, last = start + len(_START), end - len(_END)
    found = None
    if start >= 0 and first <= last and is_utf8(content):
        found = read_pieces(content, (first, last), (b"</row>", b"</c>"), AT_ONCE, lambda tags: _cells(tags, may_hide))
    sheet_data(content[:first] + content[last:] if found else content)  # the part that was read has no such tag
    if found is None:
        return None
    return pl.concat([cells.with_columns(plain_text(cells["text"])) if marked else cells for cells, marked in found])


def usual_span(content: bytes) -> tuple[int, int]:
    """Like :func:`sheet_data`, for a sheet that is known to be in the usual shape."""
    return content.find(_START), content.rfind(_END) + len(_END)


def _cells(tags: Tags, may_hide: bool) -> tuple[pl.DataFrame, bool]:
    """The cells of whole rows with text as in the XML, and whether any text may need resolving. Raises UnknownShape."""
    rows, cells, values = tags.named(b"ro"), tags.named(b"c "), tags.cut_texts(b"v", b"t")
    row_tails, (numbers, columns, tails) = _row_tails(tags, rows, may_hide), _addresses(tags, cells)
    tags.check_order(_TAGS, [(rows, row_tails), (cells, tails)])
    texts = tags.texts_in(cells, values)
    is_empty = texts == ""
    places = {"row": pl.Series(numbers.astype(np.uint32)), "column": pl.Series(columns.astype(np.uint32))}
    style = _of_kinds("style", [tag.style for tag in tails.tags], tails.kinds)
    kind = _of_kinds("type", [tag.type for tag in tails.tags], tails.kinds)
    text = texts.set(is_empty, None) if is_empty.any() else texts
    marked = b"&" in tags.part or (b"_" in tags.part and b"_x" in tags.part)
    return pl.DataFrame(places).with_columns(style, kind, text.alias("text")), marked


def _of_kinds(name: str, values: list[int] | list[str | None], kinds: Codes) -> pl.Series | pl.Expr:
    """The value for the kind of each cell. Most pieces have only one kind; its value is then stored just once."""
    if len(values) == 1:
        return pl.lit(values[0], CELLS[name]).alias(name)
    return pl.Series(name, values, CELLS[name]).gather(kinds)


def _row_tails(tags: Tags, rows: Places, may_hide: bool) -> Spelled:
    """The tags of rows without their row number, which the cells have too. Raises UnknownShape."""
    if not tags.begin(rows, b"<row").all():
        raise UnknownShape
    starts = tags.at[rows] + len(b"<row")
    numbered = tags.begin(rows, b'<row r="')
    starts[numbered] += len(b' r="')
    starts[numbered] += _numbers(tags.words[starts[numbered]])[1] + len(b'"')
    return tags.spelled(starts, tags.at[rows + 1], lambda tail: _row_tag(tail, may_hide))


def _addresses(tags: Tags, cells: Places) -> tuple[Words, Words, Spelled]:
    """Row and column of each cell, and the rest of its tag. Raises UnknownShape."""
    if not tags.begin(cells, b'<c r="').all():
        raise UnknownShape
    places = tags.at[cells] + len(b'<c r="')
    columns, letters = _columns(tags.words[places])
    places += letters
    rows, digits = _numbers(tags.words[places])
    places += digits + len(b'"')
    return rows, columns, tags.spelled(places, tags.at[cells + 1], _cell_tag)


def _columns(words: Words) -> tuple[Words, Places]:
    """Parse one to three capital letters into a column, 1 = A; also the number of letters. Raises UnknownShape."""
    first, second, third = (words.view(np.uint8)[at::8] - np.uint8(ord("A")) for at in range(3))
    has_second = second < _LETTERS
    has_third = has_second & (third < _LETTERS)
    if (first >= _LETTERS).any():
        raise UnknownShape
    columns, letters = first.astype(np.uint64) + 1, np.ones(len(words), np.int64)
    for has_more, letter in ((has_second, second), (has_third, third)):
        if has_more.any():
            columns = np.where(has_more, columns * _LETTERS + letter + 1, columns)
            letters += has_more
    return columns, letters


def _numbers(words: Words) -> tuple[Words, Places]:
    """Parse one to seven digits before a quote into a number; also the number of digits. Raises UnknownShape.

    This works on all eight bytes of a word at once: the digits are shifted to its end, then combined in pairs, fours
    and eights."""
    quotes = words ^ ord('"') * _EACH
    quotes = (quotes - _EACH) & ~quotes & _HIGH
    bits = np.bitwise_count((quotes & -quotes) - 1) & 0x78
    digits = (words ^ ord("0") * _EACH) << (64 - bits).astype(np.uint64)
    is_other = (digits + (0x80 - 10) * _EACH | digits) & _HIGH
    if is_other.any() or not ((bits > 0) & (bits < 64)).all():
        raise UnknownShape
    for tens, shift, mask in ((10, 8, 0x00FF00FF00FF00FF), (100, 16, 0x0000FFFF0000FFFF), (10_000, 32, 0xFFFFFFFF)):
        digits = digits * np.uint64(tens) + (digits >> np.uint64(shift)) & np.uint64(mask)
    return digits, (bits >> 3).astype(np.int64)


def _cell_tag(tail: bytes) -> Tag | None:
    found = _CELL.fullmatch(tail)
    if found is None:
        return None
    style, kind = found[1] or found[4] or b"0", found[2] or found[3]
    return Tag(Place.CELLS, Place.CELLS if found[5] else Place.CELL, int(style), kind.decode() if kind else None)


def _row_tag(tail: bytes, may_hide: bool) -> Tag | None:
    """The tag of a row; None for a repeated attribute, an invalid height, or a hidden row unless ``may_hide``."""
    found = _ROW.fullmatch(tail)
    attributes = _ATTRIBUTE.findall(found[1]) if found else []
    said = dict(attributes)
    height = said.get(b"ht", b"15")
    is_seen = said.get(b"hidden", b"0") in (b"0", b"false") and _SEEN_HEIGHT.fullmatch(height)
    if found is None or len(said) < len(attributes) or b"r" in said or not _HEIGHT.fullmatch(height):
        return None
    return Tag(Place.OUTSIDE, Place.OUTSIDE if found[2] else Place.CELLS) if is_seen or may_hide else None


def sheet_data(content: bytes) -> tuple[int, int]:
    """The span of the cells: from ``<sheetData`` to after its end tag. Raises XmlRefused unless there is just one."""
    starts, ends = list[int](), list[int]()
    at = content.find(_WORD)
    while at >= 0:
        begun = _BEFORE_WORD.search(content, max(0, at - 64), at)
        if begun and not begun[1] and _IN_START.match(content, at + len(_WORD)):
            starts.append(begun.start())
        elif begun and begun[1] and _IN_END.match(content, at + len(_WORD)):
            ends.append(begun.start())
        at = content.find(_WORD, at + 1)
    if len(starts) != 1 or len(ends) > 1:
        raise XmlRefused("UNREADABLE_XML")
    start = starts[0]
    last = content.find(b">", ends[0] if ends else start) + 1
    if last <= start or (not ends and content[last - 2 : last] != b"/>"):
        raise XmlRefused("UNREADABLE_XML")
    return start, last


def letters_number(letters: str) -> int:
    """The number of a column, 1 = A, from its capital letters."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number
