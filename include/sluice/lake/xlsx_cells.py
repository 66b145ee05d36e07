"""The cells of a sheet in the shape that spreadsheets write, thousands at a time.

The XML is cut behind rows, then at every ``<c ``. One anchored expression, written so that at each character it can
go on in one way only (then its groups cost half), proves that a piece has that shape; others, what is between cells. A
single piece of another shape, and the sheet is not for this reader.
"""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import polars as pl

from sluice.lake.xlsx_package import XmlRefused, is_utf8
from sluice.lake.xlsx_workbook import PLAIN, plain_text

CELLS = pl.Schema({"row": pl.UInt32, "column": pl.UInt32, "style": pl.UInt32, "type": pl.String, "text": pl.String})

AT_ONCE = 4 * 1024 * 1024
"""Bytes of a sheet that a reader takes, and the rest of the last row among them."""
_READERS = 2
"""Whatever the machine has: each of them takes memory, which the judging process has little of."""

_STYLE, _TYPE, _SPACE = r's="([0-9]{1,6})"', r't="([a-zA-Z]+)"', r'(?: xml:space="preserve")?'
_ATTRIBUTES = rf"(?: (?:{_STYLE}(?: (?:{_TYPE} ?)?)?|{_TYPE}(?: (?:{_STYLE} ?)?)?)?)?"
_INNER = rf"v(?:{_SPACE}>({PLAIN})</v>|/>)|is(?:><t{_SPACE}>({PLAIN})</t></is>|/>)"
_CELL = rf'^r="([A-Z]{{1,3}})([0-9]{{1,7}})"{_ATTRIBUTES}(?:/>|><(?:(?:{_INNER})</c>|/c>))((?s:.*))$'
_ROW = r'<row(?: [A-Za-z][A-Za-z0-9:._-]*="[^"<]*")*\s*'
_EMPTY_ROWS = rf"(?:{_ROW}(?:/>|>\s*</row>)\s*)*"
_NOTHING, _FIRST = rf"^\s*{_EMPTY_ROWS}$", rf"^\s*{_EMPTY_ROWS}{_ROW}>\s*$"
_BETWEEN, _LAST = rf"^\s*(?:</row>\s*{_EMPTY_ROWS}{_ROW}>\s*)?$", rf"^\s*</row>\s*{_EMPTY_ROWS}$"
_ODD_HEIGHT = re.compile(rb' ht="(?![1-9][0-9]*(?:\.[0-9]+)?")')


def read_usual_cells(content: bytes, *, may_hide: bool = True) -> pl.DataFrame | None:
    """The cells of a sheet as :data:`CELLS`; None: it is not in the usual shape, which has no formulas.

    ``may_hide``: whether rows that are hidden have that shape too. raises XmlRefused: no sheet, no text."""
    start, end = sheet_data(content)
    first, last = start + len(b"<sheetData>"), end - len(b"</sheetData>")
    is_plain = all(content.find(mark, start, end) < 0 for mark in (b"<!", b"<?")) and is_utf8(content)
    if not content.startswith(b"<sheetData>", start) or not is_plain:
        return None
    if not may_hide and _may_hide_rows(content, start, end):
        return None
    with ThreadPoolExecutor(_READERS) as readers:
        parts = list(readers.map(_cells, _parts(content, first, last)))
    found = [part for part in parts if part is not None]
    if len(found) < len(parts):
        return None
    cells = pl.concat(found)
    return cells.with_columns(plain_text(cells["text"]).alias("text"))


def _may_hide_rows(content: bytes, start: int, end: int) -> bool:
    """False only where the bytes exclude it: each word that hides rows stands there in a form that says no.

    Where a sheet hides its rows by default (``zeroHeight``), those that are written out are the ones that are not
    (ECMA-376, 18.3.1.81). A height behind other white space is not the usual shape.
    """
    found = content.count(b"hidden", start, end)
    if found and found != sum(content.count(b' hidden="%s"' % no, start, end) for no in (b"0", b"false")):
        return True
    return content.find(b' ht="', start, end) >= 0 and _ODD_HEIGHT.search(content, start, end) is not None


def _parts(content: bytes, first: int, last: int) -> Iterator[bytes]:
    """The rows in pieces of whole rows; at least one piece."""
    row_end = b"</row>"
    while True:
        cut = content.find(row_end, first + AT_ONCE, last) + len(row_end)
        is_last = cut < len(row_end)
        yield content[first : last if is_last else cut]
        if is_last:
            return
        first = cut


def _cells(part: bytes) -> pl.DataFrame | None:
    """The cells of whole rows, text as in the XML; None where one, or what is between them, has another shape."""
    try:
        text = part.decode()
    except UnicodeDecodeError:
        return None
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    pieces = pl.Series("piece", [text]).str.split("<c ").explode()
    found = pieces.slice(1).str.extract_groups(_CELL).struct.unnest()
    if found["1"].null_count() or not _are_rows(pieces[0], found["9"]):
        return None
    return _as_cells(found)


def _are_rows(before: str, after: pl.Series) -> bool:
    """Whether what stands before the first cell, and after each, makes whole rows of them."""
    if after.is_empty():
        return _matches(pl.Series([before]), _NOTHING)
    between = after.head(-1)
    return (
        _matches(pl.Series([before]), _FIRST)
        and _matches(between.filter(between != ""), _BETWEEN)
        and _matches(after.tail(1), _LAST)
    )


def _matches(texts: pl.Series, pattern: str) -> bool:
    return texts.str.contains(pattern).all()


def _as_cells(found: pl.DataFrame) -> pl.DataFrame:
    letters = found["1"].unique()
    numbers = pl.Series([letters_number(name) for name in letters.to_list()], dtype=pl.UInt32)
    return found.select(
        row=pl.col("2"),
        column=pl.col("1").replace_strict(letters, numbers, return_dtype=pl.UInt32),
        style=pl.coalesce("3", "6", pl.lit("0")),
        type=pl.coalesce("4", "5"),
        text=pl.coalesce("7", "8").replace("", None),
    ).cast(CELLS)


def sheet_data(content: bytes) -> tuple[int, int]:
    """Where the cells are: from ``<sheetData`` to after its end tag; there must be one of each."""
    starts = list(_tags(content, rb"<(?:[^\s<>/:]+:)?sheetData[\s/>]"))
    ends = list(_tags(content, rb"</(?:[^\s<>/:]+:)?sheetData\s*>"))
    if len(starts) != 1 or len(ends) > 1:
        raise XmlRefused("UNREADABLE_XML")
    start = starts[0]
    last = content.find(b">", ends[0] if ends else start) + 1
    if last <= start or (not ends and content[last - 2 : last] != b"/>"):
        raise XmlRefused("UNREADABLE_XML")
    return start, last


def _tags(content: bytes, pattern: bytes) -> Iterator[int]:
    """Where a tag with the name sheetData begins; looks only around that word."""
    at = content.find(b"sheetData")
    while at >= 0:
        first = content.rfind(b"<", max(0, at - 64), at)
        if (
            first >= 0
            and re.compile(pattern).match(content, first)
            and re.fullmatch(rb"</?(?:[^\s<>/:]+:)?", content[first:at])
        ):
            yield first
        at = content.find(b"sheetData", at + 1)


def letters_number(letters: str) -> int:
    """The number of a column, 1 = A, from its capital letters."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number
