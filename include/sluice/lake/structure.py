"""Where records begin and end and how many cells each has, for every delimiter at once.

One pass over the bytes, 64 at a time: a mask of one bit per byte for quotes, line ends and each
delimiter; a running exclusive or over the quote bits marks what lies inside quotes (the method of
simdjson and simdcsv, on numpy words). It guesses nothing: a quote that neither opens nor closes a
whole cell is reported as a stray. Independent of the reader that later makes the table.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]
Offsets = npt.NDArray[np.int64]

CHUNK = 1 << 20
NO_DELIMITER = 0
"""Stands for *one column* among the delimiters; text with NUL bytes is refused."""

_LF, _CR, _QUOTE, _APOSTROPHE = 10, 13, 34, 39
_ONE = np.uint64(1)
_TOP = np.uint64(63)
_SHOWN = 20
_ENOUGH = 1000
"""With more strays than this a delimiter is out, and counting them on would only cost time."""


@dataclass(frozen=True, slots=True, eq=False)
class Strays:
    """Quotes inside cells under one delimiter: how many at least, and the offsets of the first twenty."""

    count: int
    offsets: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """Records of a text. ``starts``/``stops``: offsets of their first byte and after their last,
    line ends excluded. ``cells[d]``: cells per record under delimiter ``d``.

    ``crlf``, ``lone_cr``: line ends CR LF, and CR without LF, both outside quotes. ``quotes``: quote
    bytes. ``doubled``: quote pairs inside quoted cells. ``unclosed``: the last quote opens. ``has_nul``: NUL
    bytes occur, so the counts for NO_DELIMITER mean nothing.
    """

    starts: Offsets
    stops: Offsets
    cells: dict[int, npt.NDArray[np.uint32]]
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
        """Index of the record that an offset lies in."""
        return int(np.searchsorted(self.starts, offset, side="right")) - 1


class _Marks:
    """One kind of byte: its bits in the chunk at hand, and what the next chunk must know of it."""

    def __init__(self, byte: int) -> None:
        self.byte = byte
        self.is_here = False
        self.bits: Words = np.zeros(0, np.uint64)
        self.total = 0
        self.at_ends: list[Offsets] = []
        self.carry = np.uint64(0)

    def find(self, raw: bytes, chunk: npt.NDArray[np.uint8]) -> None:
        """Look for the byte; a chunk without it costs next to nothing."""
        self.is_here = raw.find(self.byte) >= 0
        self.bits = _packed(chunk == self.byte) if self.is_here else np.zeros((len(raw) + 63) // 64, np.uint64)

    def count_at(self, ends: Offsets) -> None:
        """Remember how many there were before each record end; ``ends`` are offsets in the chunk."""
        if not self.is_here:
            self.at_ends.append(np.full(len(ends), self.total))
            return
        sums = np.bitwise_count(self.bits).cumsum(dtype=np.int64)
        words = ends >> 6
        below = self.bits[words] & ((_ONE << (ends & 63).astype(np.uint64)) - _ONE)
        before = sums[words] - np.bitwise_count(self.bits[words]) + np.bitwise_count(below)
        self.at_ends.append(before + self.total)
        self.total += int(sums[-1])


class _Scanner:
    """The pass itself; state between chunks is what the class is for."""

    def __init__(self, delimiters: tuple[int, ...], quote: int, end: int) -> None:
        self.quote, self.end = _Marks(quote), _Marks(end)
        self.cr = _Marks(_CR)
        self.delimiters = [_Marks(byte) for byte in delimiters]
        self.stray_counts = dict.fromkeys(delimiters, 0)
        self.stray_offsets: dict[int, list[int]] = {byte: [] for byte in delimiters}
        self.ends: list[Offsets] = []
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
        self.ends.append(ends + at)
        for marks in self.delimiters:
            marks.count_at(ends)

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

    ``delimiters``: one-byte characters, :data:`NO_DELIMITER` for one column. ``until_nul``: of a text with NUL bytes
    only the part up to about the first one, because nothing else of it counts. ``chunk``: a multiple of 64."""
    scanner = _Scanner(delimiters, quote, end)
    found = 0
    for at in range(0, len(data), chunk):
        scanner.read(bytes(data[at : at + chunk]), at)
        found += len(scanner.ends[-1])
        if found > max_records:
            return None
        if until_nul and scanner.nul:
            data = data[: at + chunk]
            break
    return _finish(scanner, np.frombuffer(data, np.uint8))


def _finish(scanner: _Scanner, array: npt.NDArray[np.uint8]) -> Structure:
    ends = np.concatenate([*scanner.ends, np.zeros(0, np.int64)])
    open_end = len(array) > 0 and (len(ends) == 0 or ends[-1] != len(array) - 1)
    stops = np.append(ends, len(array)) if open_end else ends
    starts = np.concatenate([np.zeros(min(1, len(stops)), np.int64), stops[:-1] + 1])
    ended = np.arange(len(stops)) < len(ends)
    before_cr = np.zeros(len(stops), np.int64)
    if scanner.cr_total:
        before_cr = (ended & (stops > starts) & (array[stops - 1] == _CR)).astype(np.int64)
    crlf, stops = int(before_cr.sum()), stops - before_cr
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


def _cells(marks: _Marks, open_end: bool) -> npt.NDArray[np.uint32]:
    before = np.concatenate([*marks.at_ends, np.zeros(0, np.int64)])
    if open_end:
        before = np.append(before, marks.total)
    return (np.diff(before, prepend=0) + 1).astype(np.uint32)


def _packed(mask: npt.NDArray[np.bool_]) -> Words:
    packed = np.packbits(mask, bitorder="little")
    if len(packed) % 8:
        packed = np.concatenate([packed, np.zeros(8 - len(packed) % 8, np.uint8)])
    return packed.view(np.uint64)


def _positions(bits: Words, mask: npt.NDArray[np.bool_]) -> Offsets:
    """Offsets of the set bits; ``mask`` has them and those inside quotes too, and is faster to search."""
    found = np.flatnonzero(mask).astype(np.int64)
    kept = (bits[found >> 6] >> (found & 63).astype(np.uint64)) & _ONE
    outside: Offsets = found[kept.astype(bool)]
    return outside


def _inside(quotes: Words, carry: np.uint64) -> Words:
    """A bit for every byte from an opening quote up to, not including, its closing one."""
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
