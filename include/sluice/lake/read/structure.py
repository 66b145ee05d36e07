"""Find where records begin and end and how many cells each has, for all delimiters in one pass.

The pass takes 64 bytes at a time: a mask has one bit per byte for quotes, line ends and each
delimiter, and a running exclusive or over the quote bits marks what lies inside quotes (the method
of simdjson and simdcsv, on numpy words). It guesses nothing: a quote that neither opens nor closes a
whole cell is reported as a stray. It is independent of the reader that later makes the table.
"""

import mmap
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]
Offsets = npt.NDArray[np.unsignedinteger]
"""UInt32 for texts shorter than 4 GiB, which halves the memory per record; else UInt64."""
Counts = npt.NDArray[np.unsignedinteger]
"""The smallest unsigned type that holds the largest number."""

CHUNK = 1 << 20
NO_DELIMITER = 0
"""The delimiter that stands for *one column*. It can occur in no text, since text with NUL bytes is refused."""

_LF, _CR, _QUOTE, _APOSTROPHE = 10, 13, 34, 39
_ONE = np.uint64(1)
_TOP = np.uint64(63)
_SHOWN = 20
_LET_GO = 16
"""After how many chunks the pages of a mapped file are released from memory."""
_ENOUGH = 1000
"""A delimiter with more strays than this is ruled out; counting further would only cost time."""


@dataclass(frozen=True, slots=True, eq=False)
class Strays:
    """Stray quotes under one delimiter: their number (at least), and the offsets of the first twenty."""

    count: int
    offsets: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """The records of a text.

    ``starts``, ``stops``: offsets of their first byte and after their last, line ends excluded.
    ``cells[d]``: cells per record under delimiter ``d``. ``crlf``, ``lone_cr``: number of line ends CR LF,
    and of CR without LF, outside quotes. ``quotes``: number of quote bytes. ``doubled``: number of quote
    pairs inside quoted cells. ``unclosed``: the last quote has no closing one. ``has_nul``: NUL bytes
    occur, so the counts for NO_DELIMITER mean nothing.
    """

    starts: Offsets
    stops: Offsets
    cells: dict[int, Counts]
    strays: dict[int, Strays]
    quotes: int
    doubled: int
    crlf: int
    lone_cr: int
    unclosed: bool
    has_nul: bool
    has_apostrophe: bool

    @property
    def records(self) -> int:
        """Number of records, blank ones included."""
        return len(self.starts)

    def record_at(self, offset: int) -> int:
        """Index of the record that contains an offset."""
        return int(np.searchsorted(self.starts, offset, side="right")) - 1


class _Marks:
    """One byte value: its bits in the current chunk, and the state that the next chunk needs."""

    def __init__(self, byte: int) -> None:
        self.byte = byte
        self.is_here = False
        self.bits: Words = np.zeros(0, np.uint64)
        self.total = self.at_end = 0
        self.widths: list[Counts] = []
        self.carry = np.uint64(0)

    def find(self, raw: bytes, chunk: npt.NDArray[np.uint8]) -> None:
        """Find the byte in a chunk; a chunk without it costs next to nothing."""
        self.is_here = raw.find(self.byte) >= 0
        self.bits = _packed(chunk == self.byte) if self.is_here else np.zeros((len(raw) + 63) // 64, np.uint64)

    def count_at(self, ends: npt.NDArray[np.int64]) -> None:
        """Record how many bytes of this kind each ending record has; ``ends`` are offsets in the chunk."""
        before = np.full(len(ends), self.total)
        if self.is_here:
            sums = np.bitwise_count(self.bits).cumsum(dtype=np.int64)
            words = ends >> 6
            below = self.bits[words] & ((_ONE << (ends & 63).astype(np.uint64)) - _ONE)
            before += sums[words] - np.bitwise_count(self.bits[words]) + np.bitwise_count(below)
            self.total += int(sums[-1])
        if len(ends):
            self.widths.append(_small(np.diff(before, prepend=self.at_end)))
            self.at_end = int(before[-1])


class _Scanner:
    """The pass itself; keeps the state between chunks."""

    def __init__(self, delimiters: tuple[int, ...], quote: int, end: int, size: int) -> None:
        self.offset = np.dtype(np.uint32 if size < 1 << 32 else np.uint64)
        self.quote, self.end = _Marks(quote), _Marks(end)
        self.cr = _Marks(_CR)
        self.delimiters = [_Marks(byte) for byte in delimiters]
        self.stray_counts = dict.fromkeys(delimiters, 0)
        self.stray_offsets: dict[int, list[int]] = {byte: [] for byte in delimiters}
        self.ends: list[Offsets] = []
        self.after_cr: list[npt.NDArray[np.bool_]] = []
        self.last_byte = 0
        self.inside = np.uint64(0)
        self.closed_before = np.uint64(0)
        self.edge_before = _ONE
        self.cr_total = self.quotes = self.doubled = 0
        self.nul = self.apostrophe = False

    def read(self, raw: bytes, at: int) -> None:
        chunk = np.frombuffer(raw, np.uint8)
        for marks in (self.quote, self.end, self.cr, *self.delimiters):
            marks.find(raw, chunk)
        self.nul = self.nul or raw.find(0) >= 0
        self.apostrophe = self.apostrophe or raw.find(_APOSTROPHE) >= 0
        if self.inside or self.closed_before or self.quote.is_here:
            self._mask_quoted(len(chunk), at)
        else:
            self._remember_edges(len(chunk), np.uint64(0))
        if self.cr.is_here and self.end.byte != _CR:
            self.cr_total += int(np.bitwise_count(self.cr.bits).sum())
        ends = _positions(self.end.bits, chunk == self.end.byte)
        self.ends.append((ends + at).astype(self.offset))
        self.after_cr.append(self._after_cr(chunk, ends))
        for marks in self.delimiters:
            marks.count_at(ends)
        self.last_byte = int(chunk[-1])

    def _after_cr(self, chunk: npt.NDArray[np.uint8], ends: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Which of these line feeds follow a carriage return; none when CR itself ends the lines."""
        if self.end.byte == _CR or not len(ends):
            return np.zeros(len(ends), np.bool_)
        found: npt.NDArray[np.bool_] = chunk[ends - 1] == _CR
        found[0] = (self.last_byte if ends[0] == 0 else chunk[ends[0] - 1]) == _CR
        return found

    def _mask_quoted(self, size: int, at: int) -> None:
        inside = _inside(self.quote.bits, self.inside)
        opening, closing = self.quote.bits & inside, self.quote.bits & ~inside
        for marks in (self.end, self.cr, *self.delimiters):
            marks.bits = marks.bits & ~inside
        after_close = _one_later(closing, self.closed_before)
        self.quotes += int(np.bitwise_count(self.quote.bits).sum())
        self.doubled += int(np.bitwise_count(opening & after_close).sum())
        edge_before = _one_later(self.end.bits, self.edge_before) | after_close
        edge_after = self.end.bits | self.cr.bits | self.quote.bits
        for marks in self.delimiters:
            if self.stray_counts[marks.byte] > _ENOUGH:
                continue
            wrong = opening & ~(edge_before | _one_later(marks.bits, marks.carry))
            wrong |= after_close & ~(edge_after | marks.bits)  # what follows a closing quote
            self._note_strays(marks.byte, wrong, size, at)
        self._remember_edges(size, _bit(closing, size - 1))
        self.inside = _bit(inside, size - 1)

    def _note_strays(self, byte: int, wrong: Words, size: int, at: int) -> None:
        if size % 64:
            wrong[-1] &= (_ONE << np.uint64(size % 64)) - _ONE
        seen = self.stray_offsets[byte]
        if (count := int(np.bitwise_count(wrong).sum())) and len(seen) < _SHOWN:
            offsets = np.flatnonzero(np.unpackbits(wrong.view(np.uint8), bitorder="little"))
            seen.extend((offsets[: _SHOWN - len(seen)] + at).tolist())
        self.stray_counts[byte] += count

    def _remember_edges(self, size: int, closed: np.uint64) -> None:
        self.closed_before = closed
        self.edge_before = _bit(self.end.bits, size - 1)
        for marks in self.delimiters:
            marks.carry = _bit(marks.bits, size - 1)


def scan(
    data: memoryview,
    delimiters: tuple[int, ...],
    *,
    quote: int = _QUOTE,
    end: int = _LF,
    max_records: int = 1 << 62,
    until_nul: bool = False,
    chunk: int = CHUNK,
) -> Structure | None:
    """The structure of a text; None when it has more than ``max_records``.

    ``delimiters``: one-byte characters, :data:`NO_DELIMITER` for one column. ``until_nul``: stop soon after the first
    NUL byte, because such a text is refused anyway. ``chunk``: a multiple of 64."""
    scanner = _Scanner(delimiters, quote, end, len(data))
    found = 0
    for at in range(0, len(data), chunk):
        scanner.read(bytes(data[at : at + chunk]), at)
        if at // chunk % _LET_GO == 0:
            let_go(data)
        found += len(scanner.ends[-1])
        if found > max_records:
            return None
        if until_nul and scanner.nul:
            data = data[: at + chunk]
            break
    let_go(data)
    return _finish(scanner, len(data))


def let_go(data: memoryview) -> None:
    """Release the pages of a mapped file from this process's memory; they stay in the system's cache."""
    if isinstance(data.obj, mmap.mmap):
        data.obj.madvise(mmap.MADV_DONTNEED)


def _finish(scanner: _Scanner, size: int) -> Structure:
    ends, after_cr = _taken(scanner.ends, scanner.offset), _taken(scanner.after_cr, np.dtype(np.bool_))
    open_end = size > 0 and (len(ends) == 0 or ends[-1] != size - 1)
    stops = np.append(ends, ends.dtype.type(size)) if open_end else ends
    starts = np.zeros(len(stops), ends.dtype)
    np.add(stops[:-1], 1, out=starts[1:])
    stops[: len(after_cr)] -= after_cr
    crlf = int(after_cr.sum())
    return Structure(
        starts=starts,
        stops=stops,
        cells={marks.byte: _cells(marks, open_end) for marks in scanner.delimiters},
        strays={
            byte: Strays(count, tuple(scanner.stray_offsets[byte])) for byte, count in scanner.stray_counts.items()
        },
        quotes=scanner.quotes,
        doubled=scanner.doubled,
        crlf=crlf,
        lone_cr=scanner.cr_total - crlf,
        unclosed=bool(scanner.inside),
        has_nul=scanner.nul,
        has_apostrophe=scanner.apostrophe,
    )


def _taken(parts: list[Any], dtype: "np.dtype[Any]") -> npt.NDArray[Any]:
    """Concatenate the parts and empty the list."""
    whole = np.concatenate([np.zeros(0, dtype), *parts])
    parts.clear()
    return whole


def _cells(marks: _Marks, open_end: bool) -> Counts:
    last = [_small(np.array([marks.total - marks.at_end]))] if open_end else []
    return _taken([*marks.widths, *last], np.dtype(np.uint8))


def _small(widths: npt.NDArray[np.int64]) -> Counts:
    """Turn the number of delimiters in each record into a number of cells, in the smallest type."""
    cells = widths + 1
    return cells.astype(np.min_scalar_type(int(cells.max())))


def _packed(mask: npt.NDArray[np.bool_]) -> Words:
    packed = np.packbits(mask, bitorder="little")
    if len(packed) % 8:
        packed = np.concatenate([packed, np.zeros(8 - len(packed) % 8, np.uint8)])
    return packed.view(np.uint64)


def _positions(bits: Words, mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Offsets of the set bits. ``mask``: the same places and those inside quotes, which is faster to search."""
    found = np.flatnonzero(mask).astype(np.int64)
    kept = (bits[found >> 6] >> (found & 63).astype(np.uint64)) & _ONE
    outside: npt.NDArray[np.int64] = found[kept.astype(bool)]
    return outside


def _inside(quotes: Words, carry: np.uint64) -> Words:
    """Set a bit for every byte from an opening quote up to, not including, its closing one."""
    inside = quotes.copy()
    for shift in (1, 2, 4, 8, 16, 32):
        inside ^= inside << np.uint64(shift)
    parity = np.bitwise_xor.accumulate(inside >> _TOP) ^ carry
    before = np.concatenate([np.array([carry], np.uint64), parity[:-1]])
    flipped: Words = inside ^ (np.uint64(0) - before)
    return flipped


def _one_later(bits: Words, carry: np.uint64) -> Words:
    later = bits << _ONE
    later[1:] |= bits[:-1] >> _TOP
    later[0] |= carry
    return later


def _bit(bits: Words, position: int) -> np.uint64:
    return np.uint64((int(bits[position >> 6]) >> (position & 63)) & 1)
