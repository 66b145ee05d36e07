"""Read one sheet: its cells (address, style, type and text as in the XML) as a frame, and the rest of its XML.

A sheet in the shape that spreadsheets write is read by the fast reader (:mod:`sluice.lake.xlsx.cells`), any other by
the exact reader, which uses expat. Both give the same frame (a test compares them).
"""

import re
from dataclasses import dataclass, replace
from xml.parsers import expat

import numpy as np
import polars as pl

from sluice.lake.xlsx.cells import CELLS, letters_number, read_usual_cells, sheet_data, usual_span
from sluice.lake.xlsx.package import XmlRefused, local_name, parse_xml
from sluice.lake.xlsx.workbook import escaped_text

MAX_ROW, MAX_COLUMN = 1_048_576, 16_384
_VALUE = re.compile(rb"<(?:\w+:)?(?:v|is|f)[\s>]")
_CELLS_ARE_HERE = "cells-were-here"
"""Replaces the cells while the rest is read. No other element has this name."""
_CELL_PLACE, _ROW_PLACE = ["sheetData", "row", "c"], ["sheetData", "row"]
_VALUE_PLACES = ([*_CELL_PLACE, "v"], [*_CELL_PLACE, "is"])


@dataclass(frozen=True, slots=True)
class SheetFrame:
    """What a sheet has besides cells: hidden columns and merged blocks as (first, last) pairs, other formulas."""

    hidden_columns: tuple[tuple[int, int], ...]
    merged_rows: tuple[tuple[int, int], ...]
    has_formulas: bool


@dataclass(frozen=True, slots=True, eq=False)
class SheetCells:
    """The cells of a sheet as :data:`CELLS`.

    ``span``: where they begin and end in the sheet's XML. ``formula_rows``, ``hidden_rows``: ascending numbers of rows
    with a formula, and of hidden rows with cells."""

    frame: pl.DataFrame
    span: tuple[int, int]
    formula_rows: tuple[int, ...] = ()
    hidden_rows: tuple[int, ...] = ()


def has_content(content: bytes) -> bool:
    """Whether a cell of the sheet has a value or formula. Raises XmlRefused if none is found and the XML is broken."""
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


def read_frame(content: bytes, span: tuple[int, int]) -> SheetFrame:
    """Read columns, merged blocks and formulas from everything outside the span of the cells. Raises XmlRefused."""
    start, end = span
    reader = _FrameReader()
    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parse_xml(content[:start] + f"<{_CELLS_ARE_HERE}/>".encode() + content[end:], parser)
    if reader.data_depths != {_CELLS_ARE_HERE: [2]}:  # the span was in a comment, or in another element
        raise XmlRefused("UNREADABLE_XML")
    return SheetFrame(tuple(reader.hidden), tuple(reader.merged), reader.has_formulas)


class _FrameReader:
    """Handlers of expat for a sheet whose cells were replaced."""

    def __init__(self) -> None:
        self.hidden: list[tuple[int, int]] = []
        self.merged: list[tuple[int, int]] = []
        self.has_formulas = False
        self.data_depths: dict[str, list[int]] = {}
        self.depth = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        name = local_name(tag)
        if name in (_CELLS_ARE_HERE, "sheetData"):
            self.data_depths.setdefault(tag, []).append(self.depth)
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
    """Read the cells that have text. Raises XmlRefused for broken XML, addresses or values."""
    usual = read_usual_cells(content, may_hide=False)
    cells = SheetCells(usual, usual_span(content)) if usual is not None else read_cells_exact(content)
    rows, columns = cells.frame["row"].to_numpy(), cells.frame["column"].to_numpy()
    key = rows.astype(np.uint64)
    key *= MAX_COLUMN + 1
    key += columns
    if not (key[1:] > key[:-1]).all() and len(np.unique(key)) < len(key):
        raise XmlRefused("UNREADABLE_CELL")
    if len(key) and (rows.min() < 1 or rows.max() > MAX_ROW or columns.max() > MAX_COLUMN):
        raise XmlRefused("UNREADABLE_CELL")
    return replace(cells, frame=cells.frame.filter(pl.col("text").is_not_null()))


def read_cells_exact(content: bytes) -> SheetCells:
    """Read the cells of any well-formed sheet, with its formula rows and hidden rows. Raises XmlRefused."""
    reader = _ExactReader()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.CharacterDataHandler = reader.characters
    parser.EndElementHandler = reader.end
    parse_xml(content, parser)
    frame = pl.DataFrame(reader.cells, schema=CELLS, orient="row")
    return SheetCells(frame, sheet_data(content), tuple(sorted(reader.formulas)), tuple(sorted(reader.hidden)))


class _ExactReader:
    """Handlers of expat. A cell or row without an address follows the one before it."""

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
        """Note a formula; refuse elements whose meaning a reader would have to guess. Raises XmlRefused."""
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


def _is_true(text: str | None) -> bool:
    return text is not None and text.strip() not in ("0", "false")


def _is_nothing(size: str | None) -> bool:
    """Whether a width or height is so small that nothing is visible. Raises XmlRefused."""
    try:
        return size is not None and float(size) <= 0
    except ValueError:
        pass
    raise XmlRefused("UNREADABLE_XML")


def _address(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"([A-Z]{1,3})([0-9]{1,7})", text)
    if found is None:
        raise XmlRefused("UNREADABLE_CELL")
    return letters_number(found[1]), int(found[2])


def _rows_of(block: str) -> tuple[int, int]:
    first, _, last = block.replace("$", "").partition(":")
    return _address(first)[1], _address(last or first)[1]


def _row_number(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,7}", text):
        raise XmlRefused("UNREADABLE_CELL")
    return int(text)


def _column_number(text: str | None) -> int:
    return _row_number(text or "")
