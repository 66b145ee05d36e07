"""Erase records from JSON: an array, one object per line, or objects one after another.

An array element is removed with one separator, a line with its line end. Every other byte stays, so
numbers keep their spelling and objects their layout. Records are located by counting brackets outside
strings, a chunk of bytes at a time, because no JSON parser reports offsets in bytes.
"""

import json
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sluice.errors import Ref
from sluice.lake.erase.cut import CHUNK, Cuts, check_output, opened, write_kept
from sluice.lake.erase.model import (
    NO_BYTES_LEFT,
    Erased,
    EraseRefused,
    Numbers,
    checked_numbers,
    trailer_remarks,
)
from sluice.lake.read.json_reader import read_json
from sluice.lake.table import FileLimits, FormatHints, Table

_QUOTE, _BACKSLASH, _OPEN_ARRAY = 34, 92, 91
_BRACKETS = np.zeros(256, np.int8)
_BRACKETS[list(b"{[")], _BRACKETS[list(b"}]")] = 1, -1
_BLANK, _SPACE = b" \t", b" \t\r\n"


@dataclass(frozen=True, slots=True, eq=False)
class ElementSpans:
    """Offsets, from record 1 on: of its opening bracket, and of the byte after its closing bracket."""

    starts: Numbers
    stops: Numbers
    is_array: bool

    def cuts(self, data: memoryview, numbers: Numbers) -> Cuts:
        """The byte ranges to cut for these records."""
        if not len(numbers):
            return np.zeros((0, 2), np.int64)
        return self._of_array(numbers) if self.is_array else self._of_lines(data, numbers)

    def _of_array(self, numbers: Numbers) -> Cuts:
        """Cut each element with the separator before it; before the first kept element, with the one after it."""
        kept = np.setdiff1d(np.arange(len(self.starts)), numbers - 1, assume_unique=True)
        if not len(kept):
            return np.array([[self.starts[0], self.stops[-1]]], np.int64)
        ahead, behind = numbers[numbers - 1 < kept[0]] - 1, numbers[numbers - 1 > kept[0]] - 1
        before = np.stack([self.starts[ahead], self.starts[ahead + 1]], axis=1)
        return np.concatenate([before, np.stack([self.stops[behind - 1], self.stops[behind]], axis=1)])

    def _of_lines(self, data: memoryview, numbers: Numbers) -> Cuts:
        pairs = zip(self.starts[numbers - 1].tolist(), self.stops[numbers - 1].tolist(), strict=True)
        return np.array([(start, _line_stop(data, start, stop)) for start, stop in pairs], np.int64)


class _Brackets:
    """The pass over the bytes. Keeps the state between chunks: inside a string, after a backslash, the depth."""

    def __init__(self, base: int) -> None:
        self.base, self.depth = base, 0
        self.inside, self.escaped = False, False
        self.starts: list[Numbers] = []
        self.stops: list[Numbers] = []

    def read(self, raw: bytes, at: int) -> None:
        chunk = np.frombuffer(raw, np.uint8)
        quotes = self._quotes(raw, chunk)
        steps = _BRACKETS[chunk]
        places = np.flatnonzero(steps)
        outside = (np.searchsorted(quotes, places) + int(self.inside)) % 2 == 0
        places = places[outside]
        moves = steps[places].astype(np.int64)
        depths = self.depth + moves.cumsum()
        self.starts.append(places[(moves == 1) & (depths == self.base + 1)] + at)
        self.stops.append(places[(moves == -1) & (depths == self.base)] + at + 1)
        self.depth += int(moves.sum())
        self.inside ^= bool(len(quotes) % 2)

    def _quotes(self, raw: bytes, chunk: npt.NDArray[np.uint8]) -> Numbers:
        """Places of quotes that are not escaped."""
        quotes = np.flatnonzero(chunk == _QUOTE)
        if not self.escaped and raw.find(_BACKSLASH) < 0:
            return quotes
        escaped = _escaped(np.flatnonzero(chunk == _BACKSLASH), self.escaped)
        self.escaped = bool(len(escaped)) and int(escaped[-1]) == len(chunk)
        return np.setdiff1d(quotes, escaped, assume_unique=True)


def erase_records(
    source: Path,
    target: Path,
    records: Iterable[int] | Numbers,
    form: Table,
    *,
    limits: FileLimits | None = None,
    chunk: int = CHUNK,
) -> Erased:
    """Write ``source`` without these records to ``target``, and prove it by reading it again.

    records: numbers as in ``Table.row_numbers``, 1 = first; bad records count too. form: what the
    reader returned for ``source``. target: must not exist. chunk: bytes read at a time.
    Raises EraseRefused, RecordsUnknown, LocalCopyUnreadable; then there is no target."""
    numbers = checked_numbers(records, form.record_count)
    with opened(source, target) as data:
        return cut_elements(data, target, numbers, form, find_elements(data, form, chunk), limits=limits, chunk=chunk)


def find_elements(data: memoryview, form: Table, chunk: int = CHUNK) -> ElementSpans:
    """Locate every record. Raises EraseRefused. Memory: 16 bytes per record."""
    is_array = next(_not_space(data), None) == _OPEN_ARRAY
    brackets = _Brackets(int(is_array))
    for at in range(0, len(data), chunk):
        brackets.read(bytes(data[at : at + chunk]), at)
    starts = np.concatenate([*brackets.starts, np.zeros(0, np.int64)])
    stops = np.concatenate([*brackets.stops, np.zeros(0, np.int64)])
    if not len(starts) == len(stops) == form.record_count:
        raise EraseRefused.because("COUNT_DIFFERS", Ref("expected", form.record_count), Ref("found", len(starts)))
    return ElementSpans(starts, stops, is_array)


def cut_elements(
    data: memoryview,
    target: Path,
    numbers: Numbers,
    form: Table,
    spans: ElementSpans,
    *,
    limits: FileLimits | None = None,
    chunk: int = CHUNK,
) -> Erased:
    """Prove that each span is the record asked for, write the file without these spans, then prove the file.

    Raises EraseRefused: SPAN_NOT_RECORD, or what ``check_output`` finds."""
    limits = limits or FileLimits()
    hints = FormatHints(columns=tuple(form.frame.columns))
    _check_spans(data, spans, numbers)
    _check_cells(data, target.parent, spans, numbers, form, limits)
    write_kept(data, spans.cuts(data, numbers), target, chunk)
    check_output(form, read_json(target, hints, limits), numbers)
    remarks = trailer_remarks(form, numbers) + (() if target.stat().st_size else (NO_BYTES_LEFT,))
    return Erased(form.record_count, form.record_count - len(numbers), remarks)


def _escaped(backslashes: Numbers, first: bool) -> Numbers:
    """Offsets of escaped bytes; may include the one after the last backslash. first: the byte at 0 is escaped too."""
    own = backslashes[backslashes > 0] if first else backslashes
    begins = np.flatnonzero(np.diff(own, prepend=-2) != 1)
    lengths = np.diff(np.append(begins, len(own)))
    ends = own[begins] + lengths
    escaped = ends[lengths % 2 == 1]
    return np.append(0, escaped) if first else escaped


def _not_space(data: memoryview) -> Iterator[int]:
    return (byte for byte in data if byte not in _SPACE)


def _line_stop(data: memoryview, start: int, stop: int) -> int:
    """Where to stop cutting: after the line end when the record stands alone on its line, else after the record."""
    before = start
    while before and data[before - 1] in _BLANK:
        before -= 1
    if before and data[before - 1] not in b"\r\n":
        return stop
    while stop < len(data) and data[stop] in _BLANK:
        stop += 1
    behind = bytes(data[stop : stop + 2])
    return stop + (2 if behind == b"\r\n" else 1 if behind[:1] in (b"\r", b"\n") else 0)


def _check_spans(data: memoryview, spans: ElementSpans, numbers: Numbers) -> None:
    """Check with another parser than the pass that each span is one whole JSON object and nothing else.

    Raises EraseRefused: SPAN_NOT_RECORD."""
    for number in numbers.tolist():
        span = bytes(data[spans.starts[number - 1] : spans.stops[number - 1]])
        try:
            is_object = isinstance(json.loads(span.decode(), parse_int=str), dict)
        except (ValueError, RecursionError):
            is_object = False  # a message would quote the record
        if not is_object:
            raise EraseRefused.because("SPAN_NOT_RECORD", Ref("record", number))


def _check_cells(
    data: memoryview, folder: Path, spans: ElementSpans, numbers: Numbers, form: Table, limits: FileLimits
) -> None:
    """Check with the product's reader that the spans to cut hold exactly the records asked for.

    The scratch file lies next to the target and is removed at once. Raises EraseRefused: SPAN_NOT_RECORD."""
    keep = np.setdiff1d(np.arange(1, form.record_count + 1), numbers, assume_unique=True)
    hints = FormatHints(columns=tuple(form.frame.columns))
    with tempfile.NamedTemporaryFile(dir=folder, prefix="erase-") as scratch:
        for number in numbers.tolist():
            scratch.write(data[spans.starts[number - 1] : spans.stops[number - 1]])
        scratch.flush()
        gone = read_json(Path(scratch.name), hints, limits)
    try:
        check_output(form, gone, keep)
    except EraseRefused:
        raise EraseRefused.because("SPAN_NOT_RECORD", Ref("count", len(numbers))) from None
