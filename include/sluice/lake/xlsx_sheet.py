"""The cells of one sheet as a frame: address, style, type and text as they stand in the XML.

Two readers. The fast one cuts the text at every ``<c `` and lets one anchored expression prove that
each piece has the shape spreadsheets write; a single piece of another shape sends the whole sheet
to the exact one, expat. Both give the same frame (a test compares them).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.parsers import expat

import polars as pl

from sluice.lake.xlsx_package import XmlRefused, local_name, parse_xml
from sluice.lake.xlsx_workbook import escaped_text, plain_text

MAX_ROW, MAX_COLUMN = 1_048_576, 16_384
CELLS = pl.Schema({"row": pl.UInt32, "column": pl.UInt32, "style": pl.UInt32, "type": pl.String, "text": pl.String})

_ROW = r'<row(?: [A-Za-z][A-Za-z0-9:._-]*="[^"<]*")*\s*(?:/>|>)'
_SPACE = r'(?: xml:space="preserve")?'
_TAIL = rf"\s*(?:</row>\s*(?:{_ROW}\s*(?:</row>\s*)?)*)?$"
_CELL = (
    r'^r="([A-Z]{1,3})([0-9]{1,7})"(?: s="([0-9]{1,6})")?(?: t="([a-zA-Z]+)")?(?: s="([0-9]{1,6})")?'
    rf"\s?(?:/>|>(?:<v{_SPACE}>([^<]*)</v>|<v/>|<is><t{_SPACE}>([^<]*)</t></is>|<is/>)?</c>)" + _TAIL
)
_FIRST = rf"^<sheetData>\s*(?:{_ROW}\s*(?:</row>\s*)?)*$"
_FORMULA = re.compile(rb'<(?:\w+:)?c (?:[^>]*? )?r="[A-Z]+([0-9]+)"[^>]*>\s*<(?:\w+:)?f[\s/>]')
_ANY_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
_HIDDEN_ROW = re.compile(rb'<(?:\w+:)?row (?=[^>]*(?:hidden="(?:1|true)"|ht="0"))[^>]*?\br="([0-9]+)"')


@dataclass(frozen=True, slots=True)
class SheetFrame:
    """What surrounds the cells: hidden columns and merged blocks as (first, last) pairs."""

    hidden_columns: tuple[tuple[int, int], ...]
    merged_rows: tuple[tuple[int, int], ...]


def has_content(content: bytes) -> bool:
    """Whether any cell of a sheet has a value."""
    return re.search(rb"<(?:\w+:)?(?:v|is|f)[\s>]", content) is not None


def formula_rows(content: bytes) -> list[int]:
    """Rows with formulas, in order, once each; [0] when there are some without an address."""
    if not any(tag in content for tag in (b"<f>", b"<f ", b"<f/", b":f>", b":f ", b":f/", b"<f\n")):
        return []
    if not _ANY_FORMULA.search(content):
        return []
    return list(dict.fromkeys(int(row) for row in _FORMULA.findall(content))) or [0]


def hidden_rows(content: bytes) -> list[int]:
    """Rows that a filter or a person hid."""
    if b"hidden=" not in content and b'ht="0"' not in content:
        return []
    return [int(row) for row in _HIDDEN_ROW.findall(content)]


def read_frame(content: bytes) -> SheetFrame:
    """Columns and merged blocks, from everything outside the cells. raises XmlRefused."""
    start, end = _sheet_data(content)
    hidden: list[tuple[int, int]] = []
    merged: list[tuple[int, int]] = []

    def element(tag: str, attributes: dict[str, str]) -> None:
        name = local_name(tag)
        if name == "col" and (attributes.get("hidden") in ("1", "true") or attributes.get("width") == "0"):
            hidden.append((_column_number(attributes.get("min")), _column_number(attributes.get("max"))))
        if name == "mergeCell":
            merged.append(_rows_of(attributes.get("ref", "")))
        if name in ("oleObject", "control"):
            raise XmlRefused("ACTIVE_EMBEDDED_OBJECT")

    parser = expat.ParserCreate()
    parser.StartElementHandler = element
    parse_xml(content[:start] + content[end:], parser)
    return SheetFrame(tuple(hidden), tuple(merged))


def read_cells(content: bytes) -> pl.DataFrame:
    """Cells with something in them, as :data:`CELLS`. raises XmlRefused: broken XML or addresses."""
    cells = read_cells_fast(content)
    if cells is None:
        cells = read_cells_exact(content)
    rows, columns = cells["row"], cells["column"]
    key = rows.cast(pl.UInt64) * (MAX_COLUMN + 1) + columns
    in_order = bool((key.diff().drop_nulls() > 0).all()) if key.is_sorted() else key.n_unique() == len(key)
    if not in_order or ((rows < 1) | (rows > MAX_ROW) | (columns > MAX_COLUMN)).any():
        raise XmlRefused("UNREADABLE_CELL")
    return cells.filter(pl.col("text").is_not_null())


def read_cells_fast(content: bytes) -> pl.DataFrame | None:
    """The cells of a sheet in the usual shape, else None."""
    start, end = _sheet_data(content)
    body = content[start : end - len(b"</sheetData>")]
    if not content[start:end].startswith(b"<sheetData>") or b"<!" in body or b"<?" in body:
        return None
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    pieces = pl.Series("piece", [text]).str.split("<c ").explode()
    if not pieces.head(1).str.contains(_FIRST).all():
        return None
    found = pieces.slice(1).str.extract_groups(_CELL).struct.unnest()
    return None if found["1"].null_count() else _as_cells(found)


def read_cells_exact(content: bytes) -> pl.DataFrame:
    """The same frame from any well-formed sheet. raises XmlRefused."""
    reader = _ExactReader()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.CharacterDataHandler = reader.characters
    parser.EndElementHandler = reader.end
    parse_xml(content, parser)
    return pl.DataFrame(reader.cells, schema=CELLS, orient="row")


class _ExactReader:
    """Handlers of expat. Cells and rows without an address follow the one before."""

    def __init__(self) -> None:
        self.cells: list[tuple[int, int, int, str | None, str | None]] = []
        self.row = self.column = 0
        self.style = 0
        self.type: str | None = None
        self.parts: list[str] = []
        self.open: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = local_name(tag)
        self.open.append(name)
        if name == "row":
            self.row = _row_number(attributes["r"]) if "r" in attributes else self.row + 1
            self.column = 0
        elif name == "c":
            self._start_cell(attributes)

    def _start_cell(self, attributes: dict[str, str]) -> None:
        self.column += 1
        if "r" in attributes:
            self.column, self.row = _address(attributes["r"])
        self.style = _row_number(attributes.get("s", "0"))
        self.type, self.parts = attributes.get("t"), []

    def characters(self, piece: str) -> None:
        inside = self.open[-1:] == ["v"] or (self.open[-1:] == ["t"] and "is" in self.open and "rPh" not in self.open)
        if inside and "c" in self.open:
            self.parts.append(piece)

    def end(self, _: str) -> None:
        if self.open.pop() == "c":
            text = escaped_text("".join(self.parts)) or None
            self.cells.append((self.row, self.column, self.style, self.type, text))


def _as_cells(found: pl.DataFrame) -> pl.DataFrame:
    letters = found["1"].unique()
    numbers = pl.Series([_letters_number(name) for name in letters.to_list()], dtype=pl.UInt32)
    text = pl.coalesce(pl.col("6"), pl.col("7")).replace("", None)
    cells = found.select(
        row=pl.col("2").cast(pl.UInt32),
        column=pl.col("1").replace_strict(letters, numbers, return_dtype=pl.UInt32),
        style=pl.coalesce("3", "5").fill_null("0").cast(pl.UInt32),
        type=pl.col("4"),
        text=text,
    )
    marked = cells["text"].str.contains_any(["&", "_x"]).fill_null(False)
    return cells if not marked.any() else cells.with_columns(plain_text(cells["text"]).alias("text"))


def _sheet_data(content: bytes) -> tuple[int, int]:
    """Where the cells are: from ``<sheetData`` to after its end tag; there must be one of each."""
    starts = list(_tags(content, rb"<(?:\w+:)?sheetData[\s/>]"))
    ends = list(_tags(content, rb"</(?:\w+:)?sheetData\s*>"))
    if len(starts) != 1 or len(ends) > 1:
        raise XmlRefused("UNREADABLE_XML")
    start = starts[0]
    last = content.find(b">", ends[0] if ends else start) + 1
    if last == 0 or (not ends and content[last - 2 : last] != b"/>"):
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
            and re.fullmatch(rb"</?(?:\w+:)?", content[first:at])
        ):
            yield first
        at = content.find(b"sheetData", at + 1)


def _address(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"([A-Z]{1,3})([0-9]{1,7})", text)
    if found is None:
        raise XmlRefused("UNREADABLE_CELL")
    return _letters_number(found[1]), int(found[2])


def _rows_of(block: str) -> tuple[int, int]:
    first, _, last = block.replace("$", "").partition(":")
    return _address(first)[1], _address(last or first)[1]


def _letters_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _row_number(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,7}", text):
        raise XmlRefused("UNREADABLE_CELL")
    return int(text)


def _column_number(text: str | None) -> int:
    return _row_number(text or "")
