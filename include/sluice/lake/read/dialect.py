"""Find the delimiter of a text by trying candidates on every record. Pure.

A reading is *perfect* when all records have as many cells as the header, and at least two. A single
perfect reading is taken; between two, only the contract can decide, by its delimiter, column names or
decimal comma.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from mmap import mmap
from typing import TypeAlias

import numpy as np

from sluice.lake.read.structure import NO_DELIMITER, Counts, Structure
from sluice.lake.table import SHOWN_ROWS, FormatHints, FormatRefusal

CANDIDATES = (ord(";"), ord(","), ord("\t"), ord("|"))
_EXCEL_LINE = re.compile(rb"(?i:sep)=([;,\t|])")
_RULE = "format.delimiter"
_MOST = 0.5
"""A usable reading needs more than this share of records to be as wide as the header."""

Bytes: TypeAlias = memoryview | mmap
HeaderOf = Callable[[int], tuple[str, ...]]
"""Returns the column names under a delimiter."""


@dataclass(frozen=True, slots=True)
class Body:
    """Records ``first`` (the header) up to, not including, ``last``, without the blank lines around them.

    ``excel_line``: the record before them, if it is Excel's ``sep=`` line, which names the delimiter."""

    first: int
    last: int
    excel_line: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """The text read with one delimiter: width of the header, the most frequent width, and how many have each."""

    delimiter: int
    header_cells: int
    usual_cells: int
    fitting: int
    """Records as wide as the header."""
    usual: int
    """Records of the usual width."""
    records: int
    """Records after the header that are not blank."""

    @property
    def is_perfect(self) -> bool:
        return self.header_cells > 1 and self.fitting == self.records

    @property
    def is_usable(self) -> bool:
        return self.header_cells > 1 and self.fitting > self.records * _MOST

    @property
    def is_under_a_title(self) -> bool:
        """Whether most records agree on a width of two or more that the first record does not have."""
        differs = self.usual_cells not in (1, self.header_cells)
        return differs and self.usual > self.records * _MOST

    @property
    def splits(self) -> bool:
        return self.header_cells > 1 or self.usual_cells > 1


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen delimiter (``NO_DELIMITER`` for one column) with the evidence for it in words."""

    delimiter: int
    evidence: str


def find_body(structure: Structure, data: Bytes) -> Body:
    """Find where header and records lie. data: the bytes that the structure describes."""
    filled = np.flatnonzero(structure.stops > structure.starts)
    if not len(filled):
        return Body(0, 0)
    is_told = len(filled) > 1 and _said_by(structure, data, int(filled[0])) is not None
    return Body(int(filled[int(is_told)]), int(filled[-1]) + 1, int(filled[0]) if is_told else None)


def said_delimiter(structure: Structure, data: Bytes, body: Body) -> str | None:
    """The delimiter that Excel's ``sep=`` line before the header names; None without such a line."""
    return None if body.excel_line is None else _said_by(structure, data, body.excel_line)


def _said_by(structure: Structure, data: Bytes, record: int) -> str | None:
    start, stop = int(structure.starts[record]), int(structure.stops[record])
    found = _EXCEL_LINE.fullmatch(bytes(data[start:stop])) if stop - start == len("sep=;") else None
    return found[1].decode() if found else None


def rows_at(structure: Structure, body: Body, offsets: Sequence[int]) -> tuple[int, ...]:
    """The distinct row numbers of the records that contain the offsets; the header has none."""
    rows = dict.fromkeys(structure.record_at(offset) - body.first for offset in offsets)
    return tuple(row for row in rows if row > 0)[:SHOWN_ROWS]


def choose_delimiter(
    structure: Structure, body: Body, hints: FormatHints, header_of: HeaderOf
) -> Choice | FormatRefusal:
    """The one delimiter that explains all records, or a refusal that names the readings."""
    readings = [_read_as(structure, body, delimiter) for delimiter in structure.cells if delimiter != NO_DELIMITER]
    if structure.unclosed:
        rows = rows_at(structure, body, (int(structure.starts[-1]),))
        ways = ("the last quote is text", "the last quote opens a cell that was cut off")
        return FormatRefusal("DIALECT_UNCLOSED_QUOTE", "format.quotes", undecided=True, readings=ways, rows=rows)
    sound = [reading for reading in readings if not structure.strays[reading.delimiter].count]
    if hints.delimiter is not None:
        return _agreed(structure, body, readings, sound, ord(hints.delimiter))
    return _best(structure, body, readings, sound, hints, header_of)


def name_of(delimiter: int) -> str:
    """A name for a delimiter that stays readable in a log line."""
    return {NO_DELIMITER: "one column", 9: "tab"}.get(delimiter, chr(delimiter))


def _read_as(structure: Structure, body: Body, delimiter: int) -> Reading:
    cells = structure.cells[delimiter][body.first : body.last]
    filled = (structure.stops > structure.starts)[body.first : body.last]
    widths: Counts = cells[1:][filled[1:]]
    if not len(widths):
        return Reading(delimiter, int(cells[0]), int(cells[0]), 0, 0, 0)
    values, counts = np.unique(widths, return_counts=True)
    usual = int(values[counts.argmax()])
    fitting = int((widths == cells[0]).sum())
    return Reading(delimiter, int(cells[0]), usual, fitting, int(counts.max()), len(widths))


def _best(
    structure: Structure,
    body: Body,
    readings: list[Reading],
    sound: list[Reading],
    hints: FormatHints,
    header_of: HeaderOf,
) -> Choice | FormatRefusal:
    good = [reading for reading in sound if reading.is_perfect] or [reading for reading in sound if reading.is_usable]
    if len(good) > 1:
        good = _decided_by_contract(good, hints, header_of)
    if len(good) == 1:
        return _choice(good[0])
    if good:
        return _ambiguous(tuple(name_of(reading.delimiter) for reading in good))
    return _none_good(structure, body, readings, sound)


def _none_good(
    structure: Structure, body: Body, readings: list[Reading], sound: list[Reading]
) -> Choice | FormatRefusal:
    if titled := [reading for reading in sound if reading.is_under_a_title]:
        best = max(titled, key=lambda reading: reading.usual)
        return _not_first(best)
    splitting = [reading for reading in readings if reading.splits]
    if not splitting:
        strays = structure.strays[NO_DELIMITER].count
        return _stray(structure, body, readings) if strays else _one_column(structure, body, sound)
    best = max(splitting, key=lambda reading: (reading in sound, reading.header_cells > 1, reading.fitting))
    return _ragged(structure, body, best) if best in sound else _stray(structure, body, [best])


def _one_column(structure: Structure, body: Body, sound: list[Reading]) -> Choice | FormatRefusal:
    """Choose one column, unless some records contain a delimiter: then the header may be the exception."""
    for reading in sound:
        if (structure.cells[reading.delimiter][body.first : body.last] > 1).any():
            return _ambiguous(("one column", name_of(reading.delimiter)))
    return Choice(NO_DELIMITER, f"no delimiter in {body.last - body.first - 1} of {body.last - body.first - 1} records")


def _agreed(
    structure: Structure, body: Body, readings: list[Reading], sound: list[Reading], agreed: int
) -> Choice | FormatRefusal:
    mine = next(reading for reading in readings if reading.delimiter == agreed)
    if mine in sound and (mine.is_perfect or mine.is_usable):
        return _choice(mine)
    others = [other for other in sound if other is not mine and (other.is_perfect or other.is_usable)]
    if others and not (mine in sound and mine.is_under_a_title):
        found = name_of(max(others, key=lambda other: other.fitting).delimiter)
        return FormatRefusal("DIALECT_NOT_AS_AGREED", _RULE, readings=(name_of(agreed), found))
    if mine not in sound:
        return _stray(structure, body, [mine])
    if mine.is_under_a_title:
        return _not_first(mine)
    if mine.header_cells == 1 and mine.usual_cells == 1:
        return Choice(agreed, f"no {name_of(agreed)} in the header: one column")
    return _ragged(structure, body, mine)


def _decided_by_contract(good: list[Reading], hints: FormatHints, header_of: HeaderOf) -> list[Reading]:
    """The readings that fit the contract's column names or decimal comma; all of them when neither decides."""
    known = set(hints.columns)
    named = [reading for reading in good if known & set(header_of(reading.delimiter))]
    if len(named) == 1:
        return named
    if hints.decimal_comma:
        return [reading for reading in good if reading.delimiter != ord(",")]
    return good


def _choice(reading: Reading) -> Choice:
    words = f"{name_of(reading.delimiter)} in {reading.fitting} of {reading.records} records"
    return Choice(reading.delimiter, words)


def _ambiguous(names: tuple[str, ...]) -> FormatRefusal:
    return FormatRefusal("DIALECT_AMBIGUOUS", _RULE, undecided=True, readings=names)


def _not_first(reading: Reading) -> FormatRefusal:
    readings = (f"first record: {reading.header_cells} cells", f"most records: {reading.usual_cells} cells")
    return FormatRefusal("HEADER_NOT_FIRST", "format.header", undecided=True, readings=readings)


def _stray(structure: Structure, body: Body, readings: list[Reading]) -> FormatRefusal:
    best = max(readings, key=lambda reading: (reading.fitting, reading.usual_cells))
    strays = structure.strays[best.delimiter]
    rows = rows_at(structure, body, strays.offsets)
    return FormatRefusal(
        "DIALECT_QUOTING",
        "format.quotes",
        undecided=True,
        readings=("the quote is text", "the quote opens or closes a cell"),
        rows=rows,
        count=strays.count,
    )


def _ragged(structure: Structure, body: Body, reading: Reading) -> FormatRefusal:
    cells = structure.cells[reading.delimiter][body.first : body.last]
    odd = np.flatnonzero(cells != cells[0])
    rows = tuple(odd[:SHOWN_ROWS].tolist())
    readings = ("the header says how wide the table is", "the records say it")
    return FormatRefusal(
        "SHAPE_RAGGED_ROWS", "format.shape", undecided=True, readings=readings, rows=rows, count=len(odd)
    )
