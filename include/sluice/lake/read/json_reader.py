"""Read JSON into the same table as CSV: an array, one object per line, or objects simply one after another.

Nested objects become columns with dotted names (``Agent.Username``); arrays stay JSON text in one
cell. A number keeps the spelling it has in the file. The file is read in windows, so that not more
than a window of unparsed text is in memory, unless one record is larger.
"""

import codecs
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final, NoReturn

import polars as pl

from sluice.lake.header import header_refusal, padded_names
from sluice.lake.table import Dialect, FileLimits, FormatHints, FormatRefusal, Table, bad_records_frame

_WINDOW = 4 << 20
_LONGEST_TOKEN = 16
"""In characters. When a window cuts off a word, number or escape, the decoder reports an error at its beginning."""
_UNCLOSED = "Unterminated string"
"""The beginning of the decoder's message for a string without end; its position is where the string begins."""
_BATCH = 5_000
_SPACE = " \t\r\n"
_RULE = "format.json"
_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class _Number(str):
    """A number as the file spells it."""

    __slots__ = ()


class _NotJson:
    """Stands for NaN and Infinity, which JSON does not have."""


_NOT_JSON: Final = _NotJson()


class _Refused(Exception):
    """The whole file cannot be read; the reader turns it into its refusal."""

    def __init__(self, refusal: FormatRefusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


class _BadRecord(Exception):
    """One record has sound ends but cannot be a row."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(slots=True)
class _Rows:
    """The records read so far: sound ones in frames and a last batch, bad ones as the file writes them."""

    limits: FileLimits
    names: dict[str, None] = field(default_factory=dict)
    """Columns in the order of their first occurrence."""
    batch: list[dict[str, str | None]] = field(default_factory=list)
    frames: list[pl.DataFrame] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    bad: list[tuple[int, str, str]] = field(default_factory=list)

    def add(self, number: int, record: dict[str, Any], length: int) -> None:
        """Add a record, which takes ``length`` characters in the file.

        Raises _BadRecord, and then nothing is added; _Refused for too many columns, or too large a cell or record."""
        cells: dict[str, str | None] = {}
        _flatten(record, "", self.limits.json_depth, cells)
        if length * 4 > self.limits.cell_bytes:  # a character has at most 4 bytes, and a cell is part of its record
            self._check_size(number, cells)
        if length > self.limits.record_characters:
            raise _Refused(FormatRefusal("LIMIT_RECORD_SIZE", "format.limits", rows=(number,)))
        if not cells:
            raise _BadRecord("SHAPE_BLANK_RECORD")
        if not cells.keys() <= self.names.keys():
            self.names.update(dict.fromkeys(cells))
            if len(self.names) > self.limits.columns:
                refusal = FormatRefusal("LIMIT_COLUMNS", "format.limits", rows=(number,), count=len(self.names))
                raise _Refused(refusal)
        self.batch.append(cells)
        self.numbers.append(number)
        if len(self.batch) == _BATCH:
            self.finish()

    def _check_size(self, number: int, cells: dict[str, str | None]) -> None:
        large = sum(cell is not None and len(cell.encode()) > self.limits.cell_bytes for cell in cells.values())
        if large:
            raise _Refused(FormatRefusal("LIMIT_CELL_SIZE", "format.limits", rows=(number,), count=large))

    def finish(self) -> None:
        """Turn the rows since the last batch into a frame."""
        columns = {name: [cells.get(name) for cells in self.batch] for name in self.names}
        if self.batch:
            self.frames.append(pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)))
        self.batch = []

    def columns(self, hints: FormatHints) -> tuple[str, ...]:
        """The columns found, without objects that are null in every record and whose keys the contract lists.

        The keys of other records do not count, so that a file reads the same after some records are erased."""
        objects = {name[:at] for name in hints.columns for at, letter in enumerate(name) if letter == "."}
        nothing = {name for name in objects.difference(hints.columns) & self.names.keys() if self._is_empty(name)}
        return tuple(name for name in self.names if name not in nothing)

    def _is_empty(self, name: str) -> bool:
        return all(frame[name].null_count() == frame.height for frame in self.frames if name in frame.columns)


def read_json(path: Path, hints: FormatHints, limits: FileLimits) -> Table | FormatRefusal:
    """Read a non-empty JSON file as a table, or say why that is impossible.

    Every column is text; null, an absent key and an empty text are null. Columns are in the order of
    their first occurrence. Contract columns that no record has come last and empty, because JSON may
    leave them out. Records count from 1. Raises OSError."""
    rows = _Rows(limits)
    try:
        with path.open("rb") as file:
            form, count = _read_records(file, rows)
    except _Refused as refused:
        return refused.refusal
    rows.finish()
    names = rows.columns(hints)
    if names and (refusal := header_refusal(names, limits, hints)):
        return refusal
    absent = tuple(name for name in hints.columns if name not in names)
    return Table(
        _frame(rows, absent)[[*names, *absent]],
        pl.Series("row_number", rows.numbers, dtype=pl.UInt32),
        bad_records_frame(rows.bad),
        count,
        Dialect(format="json", encoding="utf-8", evidence={"format": form, "encoding": "valid UTF-8"}),
        padded_names(names),
        absent,
    )


def _frame(rows: _Rows, absent: tuple[str, ...]) -> pl.DataFrame:
    empty = pl.DataFrame(schema=dict.fromkeys((*rows.names, *absent), pl.String))
    return pl.concat([empty, *rows.frames], how="diagonal", rechunk=True)


class _Text:
    """A window on the text of the file: ``data`` from ``at`` on is not yet parsed.

    The text ends at the first byte that is not UTF-8; then ``is_broken`` is true.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.data, self.at = file, "", 0
        self.is_whole, self.is_broken = False, False
        self._decode = codecs.getincrementaldecoder("utf-8")()

    def more(self) -> bool:
        """Read another window of text; False when the file is at its end."""
        if self.is_whole:
            return False
        chunk = self.file.read(_WINDOW)
        self.is_whole = not chunk
        self.data, self.at = self.data[self.at :] + self._decoded(chunk), 0
        return True

    def _decoded(self, chunk: bytes) -> str:
        try:
            return self._decode.decode(chunk, final=self.is_whole)
        except UnicodeDecodeError as error:
            self.is_whole = self.is_broken = True
            return bytes(error.object[: error.start]).decode()

    def peek(self) -> str:
        """Skip white space and return the next character; empty at the end of the text."""
        while True:
            end = len(self.data)
            while self.at < end and self.data[self.at] in _SPACE:
                self.at += 1
            if self.at < end:
                return self.data[self.at]
            if not self.more():
                return ""

    def refuse(self, number: int, code: str = "UNREADABLE_JSON") -> NoReturn:
        """Refuse the file at this record.

        Bytes that are not UTF-8 are reported first, since any other error may only follow from them."""
        if self.is_broken:
            raise _Refused(FormatRefusal("ENCODING_INVALID_UTF8", "format.encoding", rows=(number,)))
        raise _Refused(FormatRefusal(code, _RULE, rows=(number,)))


def _read_records(file: BinaryIO, rows: _Rows) -> tuple[str, int]:
    """Fill ``rows``; return the form found and the number of records. Raises _Refused."""
    if file.read(3).startswith(_MARKS):
        raise _Refused(FormatRefusal("ENCODING_JSON_BOM", "format.encoding"))
    file.seek(0)
    text, count = _Text(file), 0
    is_array = text.peek() == "["
    for value, start in _elements(text, rows.limits) if is_array else _objects(text, rows.limits):
        count += 1
        if count > rows.limits.records:
            raise _Refused(FormatRefusal("LIMIT_RECORDS", "format.limits", count=count))
        try:
            rows.add(count, value, text.at - start)
        except _BadRecord as bad:
            rows.bad.append((count, bad.code, text.data[start : text.at]))
    if text.peek() or text.is_broken:
        text.refuse(count + 1)
    return "array" if is_array else "objects one after another", count


def _objects(text: _Text, limits: FileLimits) -> Iterator[tuple[dict[str, Any], int]]:
    """Each record and where in ``text.data`` it starts; it ends at ``text.at``."""
    number = 0
    while text.peek():
        number += 1
        yield _next(text, number, limits)


def _elements(text: _Text, limits: FileLimits) -> Iterator[tuple[dict[str, Any], int]]:
    """The same for the elements of an array; stops after its closing bracket."""
    number, text.at = 0, text.at + 1
    if text.peek() != "]":
        while True:
            number += 1
            yield _next(text, number, limits)
            if text.peek() != ",":
                break
            text.at += 1
    if text.peek() != "]":
        text.refuse(number + 1)
    text.at += 1


def _next(text: _Text, number: int, limits: FileLimits) -> tuple[dict[str, Any], int]:
    """Parse the object at ``text.at``; return it and its start. Raises _Refused."""
    first = text.peek()
    if first != "{":
        text.refuse(number, "SHAPE_JSON_NOT_OBJECT" if first and first in '["-0123456789tfnNI' else "UNREADABLE_JSON")
    while (found := _decode(text, number, limits)) is None:
        if not text.more():
            text.refuse(number)
    value, end = found
    start, text.at = text.at, end
    return value, start


def _decode(text: _Text, number: int, limits: FileLimits) -> tuple[dict[str, Any], int] | None:
    """The object and its end, or None while it is incomplete. Raises _Refused."""
    try:
        value, end = _DECODER.raw_decode(text.data, text.at)
    except json.JSONDecodeError as error:
        unclosed = len(text.data) - error.pos if error.msg.startswith(_UNCLOSED) else 0
        if not unclosed and error.pos < len(text.data) - _LONGEST_TOKEN:
            text.refuse(number)  # more text would not mend it
        if len(text.data) - text.at > limits.record_characters:
            text.refuse(number, "LIMIT_CELL_SIZE" if unclosed > limits.cell_bytes else "LIMIT_RECORD_SIZE")
        return None
    except RecursionError:
        value, end = None, 0
    if not isinstance(value, dict):
        text.refuse(number, "LIMIT_JSON_DEPTH")
    return value, end


class _Twice(dict[str, Any]):
    """An object with a repeated key, of which readers would take either the first or the last."""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    return made if len(made) == len(pairs) else _Twice(made)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_int=_Number, parse_float=_Number, parse_constant=lambda _: _NOT_JSON
)


def _flatten(value: dict[str, Any], prefix: str, left: int, cells: dict[str, str | None]) -> None:
    """Add the scalar leaves to ``cells`` under dotted names, empty text as None. Raises _BadRecord.

    ``left``: levels of nesting still allowed, this one included. The commonest types are tested first, because this
    runs for every value of a file."""
    _check(value, left)
    for key, leaf in value.items():
        kind, name = type(leaf), prefix + key
        if kind is dict or kind is _Twice:
            _flatten(leaf, name + ".", left - 1, cells)
            continue
        if name in cells:
            raise _BadRecord("SHAPE_JSON_DUPLICATE_KEY")
        if not key.isascii():
            _check_text(key)
        if kind is str:
            _check_text(leaf)
            cells[name] = leaf or None
        else:
            cells[name] = None if leaf is None else _canonical(leaf, left - 1)


def _canonical(value: Any, left: int) -> str:
    """Compact JSON with sorted keys, and numbers as the file spells them. Raises _BadRecord."""
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, dict):
        _check(value, left)
        parts = (f"{_canonical(key, left)}:{_canonical(value[key], left - 1)}" for key in sorted(value))
        return "{" + ",".join(parts) + "}"
    if isinstance(value, list):
        _check_depth(left)
        return "[" + ",".join(_canonical(entry, left - 1) for entry in value) + "]"
    if isinstance(value, _NotJson):
        raise _BadRecord("VALUE_JSON_NOT_A_NUMBER")
    if isinstance(value, str):
        _check_text(value)
    return json.dumps(value, ensure_ascii=False)


def _check(value: dict[str, Any], left: int) -> None:
    _check_depth(left)
    if isinstance(value, _Twice):
        raise _BadRecord("SHAPE_JSON_DUPLICATE_KEY")


def _check_depth(left: int) -> None:
    if left < 1:
        raise _BadRecord("LIMIT_JSON_DEPTH")


def _check_text(text: str) -> None:
    """Refuse a lone surrogate, which is half a character that UTF-8 cannot hold, and NUL, which no text export writes.

    Raises _BadRecord."""
    if "\0" in text:
        raise _BadRecord("TEXT_NUL_BYTE")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise _BadRecord("TEXT_LONE_SURROGATE") from None
