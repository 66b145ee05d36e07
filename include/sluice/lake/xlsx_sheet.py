"""The cells of one sheet as a frame: address, style, type and text as they stand in the XML.

Two readers. The fast one cuts the text at every ``<c `` and lets one anchored expression prove that
each piece has the shape spreadsheets write; a single piece of another shape sends the whole sheet
to the exact one, expat. Both give the same frame (a test compares them).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from xml.parsers import expat

import polars as pl

from sluice.lake.xlsx_package import XmlRefused, is_utf8, local_name, parse_xml
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
_VALUE = re.compile(rb"<(?:\w+:)?(?:v|is|f)[\s>]")
_LOW_ROW = re.compile(rb"""ht(?<=\sht)\s*=\s*["'](?![1-9])""")
_CELL_PLACE, _ROW_PLACE = ["sheetData", "row", "c"], ["sheetData", "row"]
_VALUE_PLACES = ([*_CELL_PLACE, "v"], [*_CELL_PLACE, "is"])


@dataclass(frozen=True, slots=True)
class SheetFrame:
    """What surrounds the cells: hidden columns and merged blocks as (first, last) pairs, formulas of other things."""

    hidden_columns: tuple[tuple[int, int], ...]
    merged_rows: tuple[tuple[int, int], ...]
    has_formulas: bool


@dataclass(frozen=True, slots=True, eq=False)
class SheetCells:
    """Cells as :data:`CELLS`, and in order the rows that have a formula and those with cells that nobody sees."""

    frame: pl.DataFrame
    formula_rows: tuple[int, ...] = ()
    hidden_rows: tuple[int, ...] = ()


def has_content(content: bytes) -> bool:
    """Whether any cell of a sheet has a value or a formula. raises XmlRefused: nothing found in broken XML."""
    if _VALUE.search(content):
        return True
    parser, found, open_tags = expat.ParserCreate(), False, list[str]()

    def start(tag: str, _: dict[str, str]) -> None:
        nonlocal found
        open_tags.append(local_name(tag))
        found = found or open_tags[-1] == "f"

    def characters(_: str) -> None:
        nonlocal found
        found = found or open_tags[-1] == "v" or "is" in open_tags

    parser.StartElementHandler, parser.CharacterDataHandler = start, characters
    parser.EndElementHandler = lambda _: open_tags.pop()
    parse_xml(content, parser)
    return found


def read_frame(content: bytes) -> SheetFrame:
    """Columns, merged blocks and formulas, from everything outside the cells. raises XmlRefused."""
    start, end = _sheet_data(content)
    reader = _FrameReader()
    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parse_xml(content[:start] + b"<sheetData/>" + content[end:], parser)
    if reader.data_depths != [2]:  # bytes that look like the cells, in a comment or another element
        raise XmlRefused("UNREADABLE_XML")
    return SheetFrame(tuple(reader.hidden), tuple(reader.merged), reader.has_formulas)


class _FrameReader:
    """Handlers of expat for a sheet whose cells were taken out."""

    def __init__(self) -> None:
        self.hidden: list[tuple[int, int]] = []
        self.merged: list[tuple[int, int]] = []
        self.has_formulas = False
        self.data_depths: list[int] = []
        self.depth = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        name = local_name(tag)
        if name == "sheetData":
            self.data_depths.append(self.depth)
        elif name == "col" and (_is_true(attributes.get("hidden")) or _is_nothing(attributes.get("width"))):
            self.hidden.append((_column_number(attributes.get("min")), _column_number(attributes.get("max"))))
        elif name == "mergeCell":
            self.merged.append(_rows_of(attributes.get("ref", "")))
        elif name == "f":
            self.has_formulas = True
        elif name in ("oleObject", "control"):
            raise XmlRefused("ACTIVE_EMBEDDED_OBJECT")

    def end(self, _: str) -> None:
        self.depth -= 1


def read_cells(content: bytes) -> SheetCells:
    """Cells with something in them. raises XmlRefused: broken XML, addresses or values."""
    fast = None if _may_hide_rows(content) else read_cells_fast(content)
    cells = SheetCells(fast) if fast is not None else read_cells_exact(content)
    rows, columns = cells.frame["row"], cells.frame["column"]
    key = rows.cast(pl.UInt64) * (MAX_COLUMN + 1) + columns
    in_order = bool((key.diff().drop_nulls() > 0).all()) if key.is_sorted() else key.n_unique() == len(key)
    if not in_order or ((rows < 1) | (rows > MAX_ROW) | (columns > MAX_COLUMN)).any():
        raise XmlRefused("UNREADABLE_CELL")
    return replace(cells, frame=cells.frame.filter(pl.col("text").is_not_null()))


def _may_hide_rows(content: bytes) -> bool:
    """False only where the bytes exclude it: each word that hides rows stands there in a form that says no.

    Where a sheet hides its rows by default (``zeroHeight``), those that are written out are the ones that are not
    (ECMA-376, 18.3.1.81).
    """
    start, end = _sheet_data(content)
    found = content.count(b"hidden", start, end)
    if found and found != sum(content.count(b' hidden="%s"' % no, start, end) for no in (b"0", b"false")):
        return True
    return _LOW_ROW.search(content, start, end) is not None


def read_cells_fast(content: bytes) -> pl.DataFrame | None:
    """The cells of a sheet in the usual shape, else None. That shape has no formulas."""
    start, end = _sheet_data(content)
    body = content[start : end - len(b"</sheetData>")]
    if not content[start:end].startswith(b"<sheetData>") or b"<!" in body or b"<?" in body or not is_utf8(content):
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


def read_cells_exact(content: bytes) -> SheetCells:
    """The same cells from any well-formed sheet, with what else its rows are. raises XmlRefused."""
    reader = _ExactReader()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.CharacterDataHandler = reader.characters
    parser.EndElementHandler = reader.end
    parse_xml(content, parser)
    frame = pl.DataFrame(reader.cells, schema=CELLS, orient="row")
    return SheetCells(frame, tuple(sorted(reader.formulas)), tuple(sorted(reader.hidden)))


class _ExactReader:
    """Handlers of expat. Cells and rows without an address follow the one before."""

    def __init__(self) -> None:
        self.cells: list[tuple[int, int, int, str | None, str | None]] = []
        self.row = self.column = self.style = self.values = 0
        self.type: str | None = None
        self.parts: list[str] = []
        self.open: list[str] = []
        self.formulas, self.hidden = set[int](), set[int]()
        self.is_hidden = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.open.append(local_name(tag))
        place = self.open[1:]
        if place == _CELL_PLACE:
            self._start_cell(attributes)
        elif place in _VALUE_PLACES:
            self.values += 1
            if self.values > 1:
                raise XmlRefused("UNREADABLE_CELL")
        elif place == _ROW_PLACE:
            self._start_row(attributes)
        elif place[:1] == ["sheetData"]:
            self._start_other(place)

    def _start_row(self, attributes: dict[str, str]) -> None:
        self.row = _row_number(attributes["r"]) if "r" in attributes else self.row + 1
        self.column = 0
        self.is_hidden = _is_true(attributes.get("hidden")) or _is_nothing(attributes.get("ht"))

    def _start_cell(self, attributes: dict[str, str]) -> None:
        self.column += 1
        if "r" in attributes:
            self.column, self.row = _address(attributes["r"])
        self.style = _row_number(attributes.get("s", "0"))
        self.type, self.parts, self.values = attributes.get("t"), [], 0
        if self.is_hidden:
            self.hidden.add(self.row)

    def _start_other(self, place: list[str]) -> None:
        """Formulas, pieces of inline text, and elements where a reader would have to guess."""
        if place[-1] == "f":
            self.formulas.add(self.row)
        elif place[-1] in ("row", "c") or place[-2:-1] in (["v"], ["t"]):
            raise XmlRefused("UNREADABLE_CELL")

    def characters(self, piece: str) -> None:
        place = self.open[1:]
        if place == _VALUE_PLACES[0] or (place[:4] == _VALUE_PLACES[1] and place[-1] == "t" and "rPh" not in place):
            self.parts.append(piece)

    def end(self, _: str) -> None:
        is_cell = self.open[1:] == _CELL_PLACE
        self.open.pop()
        if is_cell:
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
    starts = list(_tags(content, rb"<(?:[^\s<>/:]+:)?sheetData[\s/>]"))
    ends = list(_tags(content, rb"</(?:[^\s<>/:]+:)?sheetData\s*>"))
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
            and re.fullmatch(rb"</?(?:[^\s<>/:]+:)?", content[first:at])
        ):
            yield first
        at = content.find(b"sheetData", at + 1)


def _is_true(text: str | None) -> bool:
    return text is not None and text.strip() not in ("0", "false")


def _is_nothing(size: str | None) -> bool:
    """Whether a width or height leaves nothing to see."""
    try:
        return size is not None and float(size) <= 0
    except ValueError:
        pass
    raise XmlRefused("UNREADABLE_XML")


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
