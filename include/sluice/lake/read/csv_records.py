"""What is found in the bytes of a text file before polars sees them: records, cells, dialect, and records that are no
rows.
"""

import csv
import io
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from sluice.lake.header import header_refusal
from sluice.lake.read.dialect import (
    CANDIDATES,
    Body,
    Choice,
    choose_delimiter,
    find_body,
    name_of,
    rows_at,
    said_delimiter,
)
from sluice.lake.read.encoding import Utf8Text
from sluice.lake.read.structure import NO_DELIMITER, Counts, Structure, scan
from sluice.lake.table import SHOWN_ROWS, Dialect, FileLimits, FormatHints, FormatRefusal

_LF, _CR, _APOSTROPHE = 10, 13, 39
_CHUNK = 1 << 20
_WIDEST = 4
"""The most bytes that a character takes in UTF-8."""


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """Everything found in the bytes. ``delimiter`` and ``end`` (of a line) are character codes."""

    text: Utf8Text
    structure: Structure
    body: Body
    delimiter: int
    names: tuple[str, ...]
    codes: dict[int, str]
    """Index of a record in the structure -> code of why it is no row."""
    end: int
    dialect: Dialect


def find_records(text: Utf8Text, hints: FormatHints, limits: FileLimits) -> Records | FormatRefusal:
    """Find the records of a text, or say why they cannot be known."""
    agreed = () if hints.delimiter is None else (ord(hints.delimiter),)
    delimiters = (*dict.fromkeys((*CANDIDATES, *agreed)), NO_DELIMITER)
    if refusal := _without_end(text, delimiters, limits):
        return refusal
    end = _LF
    structure = scan(text.data, delimiters, max_records=limits.records, until_nul=True)
    if structure is not None and structure.lone_cr and not _line_feeds(structure, text):
        end = _CR
        structure = scan(text.data, delimiters, end=_CR, max_records=limits.records, until_nul=True)
    if structure is None:
        return FormatRefusal("LIMIT_RECORDS", "format.limits", count=limits.records)
    if structure.has_nul:
        return _nul_bytes(text, structure)
    body = find_body(structure, text.data)
    if body.last == 0:
        return FormatRefusal("UNREADABLE_EMPTY_FILE", "format.content")
    if end == _LF and structure.lone_cr:
        return _line_ending(structure.lone_cr)
    return _parse_body(text, structure, body, end, hints, limits)


def _parse_body(
    text: Utf8Text, structure: Structure, body: Body, end: int, hints: FormatHints, limits: FileLimits
) -> Records | FormatRefusal:
    def header_of(delimiter: int) -> tuple[str, ...]:
        return _header(text, structure, body, delimiter)

    said = said_delimiter(structure, text.data, body)
    asked = replace(hints, delimiter=said) if said and hints.delimiter is None else hints
    choice = choose_delimiter(structure, body, asked, header_of)
    if isinstance(choice, FormatRefusal):
        return choice
    if said:
        choice = replace(choice, evidence=f"{choice.evidence}, {name_of(ord(said))} said in the line before the header")
    if refusal := _apostrophes(text, structure, choice.delimiter, end):
        return refusal
    names = header_of(choice.delimiter)
    if refusal := header_refusal(names, limits, hints):
        return refusal
    codes = _bad_records(structure, body, choice.delimiter)
    ends = len(structure.starts) - 1
    if codes and 0 < structure.crlf < ends:
        return _line_ending(min(structure.crlf, ends - structure.crlf))
    dialect = _dialect(text, structure, body, choice, end)
    bare = replace(structure, cells={}, strays={})  # they grow with the records and are no longer needed
    return Records(text, bare, body, choice.delimiter, names, codes, end, dialect)


def _without_end(text: Utf8Text, delimiters: tuple[int, ...], limits: FileLimits) -> FormatRefusal | None:
    """Refuse a first line that is longer than any header, judged by its beginning, however large the file is."""
    most = limits.columns * (limits.name_characters * _WIDEST + len('"";'))
    start = scan(text.data[:most], delimiters, until_nul=True) if len(text.data) > most else None
    if start is None or start.records > 1 or start.lone_cr or start.unclosed or start.has_nul:
        return None
    columns = max(int(cells[0]) for delimiter, cells in start.cells.items() if delimiter != NO_DELIMITER)
    return FormatRefusal("LIMIT_COLUMNS" if columns > limits.columns else "LIMIT_NAME", "format.header")


def _nul_bytes(text: Utf8Text, structure: Structure) -> FormatRefusal:
    """The refusal of a text with NUL bytes.

    ``structure`` goes up to about the first of them, so only rows of that part are named; all NULs are counted."""
    looked_at = int(structure.stops[-1])
    offsets = np.flatnonzero(np.frombuffer(text.data[:looked_at], np.uint8) == 0)[:SHOWN_ROWS].tolist()
    chunks = (np.frombuffer(text.data[at : at + _CHUNK], np.uint8) for at in range(0, len(text.data), _CHUNK))
    count = sum(len(chunk) - np.count_nonzero(chunk) for chunk in chunks)
    rows = rows_at(structure, find_body(structure, text.data), offsets)
    return FormatRefusal("TEXT_NUL_BYTE", "format.text", rows=rows, count=int(count))


def _line_feeds(structure: Structure, text: Utf8Text) -> int:
    return structure.records - (0 if text.data[-1] == _LF else 1)


def _line_ending(count: int) -> FormatRefusal:
    readings = ("the break ends a record", "the break belongs to a cell")
    return FormatRefusal("DIALECT_LINE_ENDING", "format.lines", undecided=True, readings=readings, count=count)


def _header(text: Utf8Text, structure: Structure, body: Body, delimiter: int) -> tuple[str, ...]:
    line = raw(text, structure, body.first)
    if delimiter == NO_DELIMITER:
        return (line[1:-1].replace('""', '"') if line.startswith('"') else line,)
    try:
        return tuple(next(csv.reader(io.StringIO(line, newline=""), delimiter=chr(delimiter))))
    except csv.Error:  # a name of more than 128 KiB
        return (line,)


def _apostrophes(text: Utf8Text, structure: Structure, delimiter: int, end: int) -> FormatRefusal | None:
    """Undecided when apostrophes may be quotes: they wrap whole cells, and reading them so gives another table."""
    if structure.quotes or not structure.has_apostrophe:
        return None
    if not _may_quote(bytes(text.data[: 1 << 16]), delimiter, end):
        return None
    quoted = scan(text.data, (delimiter,), quote=_APOSTROPHE, end=end)
    if quoted is None or quoted.unclosed or not quoted.quotes or quoted.strays[delimiter].count:
        return None
    moved = quoted.records != structure.records or bool((quoted.cells[delimiter] != structure.cells[delimiter]).any())
    pairs = quoted.quotes // 2 - quoted.doubled
    empty = b"''" in bytes(text.data)  # well-formed and not doubled: an empty cell in apostrophes
    if not (moved or quoted.doubled or empty or pairs * 2 >= structure.records - 1):
        return None
    return FormatRefusal("DIALECT_QUOTE", "format.quotes", undecided=True, readings=("'", '"'), count=pairs)


def _may_quote(sample: bytes, delimiter: int, end: int) -> bool:
    """A cheap first check: one stray apostrophe in the sample rules apostrophes out as quotes."""
    whole = sample[: sample.rfind(bytes([end])) + 1] or sample
    looked = scan(memoryview(whole), (delimiter,), quote=_APOSTROPHE, end=end)
    return looked is not None and not looked.strays[delimiter].count


def _bad_records(structure: Structure, body: Body, delimiter: int) -> dict[int, str]:
    """Records that are no rows, by index: with another number of cells, blank, or perhaps cut short."""
    cells = structure.cells[delimiter][body.first : body.last]
    filled = (structure.stops > structure.starts)[body.first : body.last]
    odd = np.flatnonzero((cells != cells[0]) | ~filled)
    width = int(cells[0])
    codes = {int(at): _shape_code(int(cells[at]), width, bool(filled[at])) for at in odd}
    if width > 1:
        codes |= dict.fromkeys(_cut_short(cells, filled, odd), "SHAPE_MAY_CONTINUE")
    return {at + body.first: code for at, code in sorted(codes.items())}


def _shape_code(cells: int, width: int, filled: bool) -> str:
    if not filled:
        return "SHAPE_BLANK_RECORD"
    return "SHAPE_TOO_FEW_CELLS" if cells < width else "SHAPE_TOO_MANY_CELLS"


def _cut_short(cells: Counts, filled: npt.NDArray[np.bool_], odd: npt.NDArray[np.int64]) -> list[int]:
    """Sound records before lines of one cell, because an unquoted line break would look exactly like that."""
    suspects: list[int] = []
    last, anchor = -1, 0
    for at in odd.tolist():
        is_piece = not filled[at] or cells[at] == 1
        if at - 1 != last:
            anchor = at - 1
        if filled[at] and is_piece and anchor > 0:
            suspects.append(anchor)
        last, anchor = at, anchor if is_piece else 0
    return suspects


def _dialect(text: Utf8Text, structure: Structure, body: Body, choice: Choice, end: int) -> Dialect:
    ends = _line_feeds(structure, text) if end == _LF else structure.records
    lines = "cr" if end == _CR else "lf" if not structure.crlf else "crlf" if structure.crlf == ends else "mixed"
    evidence = {
        "encoding": text.evidence,
        "delimiter": choice.evidence,
        "quote": f"{structure.quotes} quotes, {structure.doubled} doubled, 0 stray",
        "line_ending": f"{structure.crlf} of {ends} line ends are CR LF" if end == _LF else f"{ends} line ends are CR",
    }
    return Dialect(
        format="csv",
        encoding=text.encoding,
        bom=text.bom,
        delimiter=None if choice.delimiter == NO_DELIMITER else chr(choice.delimiter),
        quote='"' if structure.quotes else None,
        line_ending=lines,
        header_row=body.first + 1,
        evidence=evidence,
    )


def raw(text: Utf8Text, structure: Structure, at: int) -> str:
    """The text of a record as it stands in the file, without its line end."""
    return bytes(text.data[structure.starts[at] : structure.stops[at]]).decode()
