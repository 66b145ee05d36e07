"""Find the tags of XML, and prove that they have a known shape, with arrays instead of one by one.

A tag is the piece from one ``<`` to the next, without the address of a row or cell and without the text after the tag.
What remains has few different spellings in a part. Each spelling is parsed once, from its real bytes, and determines
where such a tag may stand. If a single tag has another spelling or stands elsewhere, the part has not the known shape.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import IntFlag, auto
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl

Places = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
Codes = npt.NDArray[np.uint8]
T = TypeVar("T")

AT_ONCE = 1024 * 1024
"""Size of a piece in bytes, extended to the end of its last element, so that its arrays fit in a CPU cache."""
_SPACE = b" \t\n"
_PADDING = b"<" + bytes(31)
"""Appended to a piece: it ends the last tag, and leaves eight bytes to read wherever a tag or an address begins."""
_READERS = 2
"""Number of threads on any machine: each takes memory, of which the judging process has little."""
_LONGEST, _MOST_SPELLINGS, _MOST_COMPARED = 128, 250, 1 << 26
"""Limits: bytes of a tag, spellings in a piece, and words compared. They keep this from taking longer than expat."""
_MASKS = np.array([(1 << 8 * size) - 1 for size in range(9)], np.uint64)
"""Masks that keep the first 0 to 8 bytes of a word."""
_NO_CHARACTERS = (b"\xef\xbf\xbe", b"\xef\xbf\xbf")
"""UTF-8 of two characters that XML does not allow (XML 1.0, 2.2)."""


class Place(IntFlag):
    """Where a reader is between two tags."""

    OUTSIDE = auto()
    CELLS = auto()
    CELL = auto()
    VALUE = auto()
    STRING = auto()
    TEXT = auto()
    BEHIND_TEXT = auto()


@dataclass(frozen=True, slots=True)
class Tag:
    """Where a tag may stand (any of ``needs``), where a reader is after it, and style and type of a cell."""

    needs: Place
    leaves: Place
    style: int = 0
    type: str | None = None


_LEFT_OUT = Tag(Place(0), Place(0))
"""Stands for a tag whose spelling is parsed separately."""


@dataclass(frozen=True, slots=True, eq=False)
class _Exported:
    """An Arrow array that exposes its C interface only; given a pyarrow array, polars would import pyarrow.compute."""

    array: Any

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        exported: tuple[object, object] = self.array.__arrow_c_array__(requested_schema)
        return exported


class UnknownShape(Exception):
    """A piece has a tag with an unknown spelling or in an unexpected place."""


@dataclass(frozen=True, slots=True, eq=False)
class Spelled:
    """Tags grouped by spelling: tag ``i`` is spelled like ``tags[kinds[i]]``."""

    tags: tuple[Tag, ...]
    kinds: Codes
    needs: Codes
    leaves: Codes


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """Where texts begin and end, and the numbers of the tags before them."""

    tags: Places
    starts: Places
    ends: Places


def read_pieces(
    content: bytes, span: tuple[int, int], ends: tuple[bytes, bytes], at_once: int, read: Callable[["Tags"], T]
) -> list[T] | None:
    """Read a span in pieces of about ``at_once`` bytes; None when its shape is unknown.

    Line ends become line feeds, as XML requires. ends: the tag that ends a piece, and ``joined`` of :class:`Tags`."""
    end, joined = ends

    def piece(span: tuple[int, int]) -> T | None:
        part = b"".join((memoryview(content)[slice(*span)], _PADDING))
        if b"\r" in part:
            part = part.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        try:
            return read(Tags(part, joined)) if _is_text(part) else None
        except UnknownShape:
            return None

    with ThreadPoolExecutor(_READERS) as readers:
        pieces = list(readers.map(piece, _spans(content, *span, end, at_once)))
    found = [each for each in pieces if each is not None]
    return found if len(found) == len(pieces) else None


def _spans(content: bytes, first: int, last: int, end: bytes, at_once: int) -> Iterator[tuple[int, int]]:
    """The spans of the pieces, at least one."""
    while True:
        cut = content.find(end, first + at_once, last) + len(end)
        is_last = cut < len(end)
        yield first, last if is_last else cut
        if is_last:
            return
        first = cut


def _is_text(part: bytes) -> bool:
    """Whether a piece is valid UTF-8 with characters that XML allows, and has no stray ``]]>``.

    Control characters are checked elsewhere (:func:`_has_controls`)."""
    if b"]" in part and b"]]>" in part:
        return False
    if part.isascii():
        return True
    try:
        part.decode()
    except UnicodeDecodeError:
        return False
    return b"\xef" not in part or all(mark not in part for mark in _NO_CHARACTERS)


class Tags:
    """The tags of a piece of XML. The constructor and the methods raise UnknownShape.

    ``at``: where the tags begin, and the end. ``heads``: the first eight bytes of each tag. ``words``: eight bytes
    from each offset. joined: an end tag, a quarter of all tags, that is counted as part of the tag before it."""

    def __init__(self, part: bytes, joined: bytes) -> None:
        content = np.frombuffer(part, np.uint8)
        begins = content == ord("<")
        ends = begins[:-2] & (content[1:-1] == joined[1]) & (content[2:] == joined[2])
        begins[:-2] ^= ends
        self.part = part
        self.words: Words = np.ndarray(len(part) - 7, "<u8", part, strides=(1,))
        self.at: Places = np.flatnonzero(begins)
        self._joined, self._unseen = joined[:3], int(np.count_nonzero(ends))
        self.heads = self.words[self.at[:-1]]
        self._names = (self.heads >> 8).astype(np.uint16)
        self._sizes = np.diff(self.at)
        is_too_long = len(part) >= 1 << 31  # Arrow's string views hold 32-bit offsets
        if is_too_long or part[: self.at[0]].strip(_SPACE) or _has_controls(content[: self.at[-1]]):
            raise UnknownShape

    def named(self, *names: bytes) -> Places:
        """Indexes of the tags whose second and third byte are one of these names."""
        found = np.zeros(len(self._names), bool)
        for name in names:
            found |= self._names == int.from_bytes(name, "little")
        return np.flatnonzero(found)

    def begin(self, numbers: Places, head: bytes) -> npt.NDArray[np.bool_]:
        """Which of these tags begin with ``head``, of at most eight bytes."""
        found: npt.NDArray[np.bool_] = self.heads[numbers] & _MASKS[len(head)] == int.from_bytes(head, "little")
        return found

    def cut_texts(self, *letters: bytes) -> Texts:
        """The texts after the tags named by one of these letters."""
        plain, spaced = (self.named(*(letter + end for letter in letters)) for end in (b">", b" "))
        self._sizes[plain] = len(b"<v>")
        if len(spaced):
            self._sizes[spaced] = np.minimum(self._sizes[spaced], len(b'<v xml:space="preserve">'))
            plain = np.sort(np.concatenate([plain, spaced]))
        return Texts(plain, self.at[plain] + self._sizes[plain], self.at[plain + 1])

    def texts_in(self, elements: Places, texts: Texts) -> pl.Series:
        """The text in each of these elements, given by their tags; empty if there is none. Each has at most one."""
        if len(texts.tags) == len(elements):
            return self._column(texts.starts, texts.ends - texts.starts)
        starts, sizes = self.at[elements], np.zeros(len(elements), np.int64)
        places = np.searchsorted(elements, texts.tags) - 1
        starts[places], sizes[places] = texts.starts, texts.ends - texts.starts
        return self._column(starts, sizes)

    def _column(self, starts: Places, sizes: Places) -> pl.Series:
        """Pieces of the part as Arrow string views, without copying.

        A view is the size, then up to twelve bytes of text, or its first four bytes, a buffer and the offset in it."""
        import pyarrow as pa

        heads = self._pieces(starts, sizes)
        views = np.column_stack([sizes.astype(np.uint64) | heads << 32, heads >> 32])
        longer, apart = np.flatnonzero(sizes > 8), np.flatnonzero(sizes > 12)
        views[longer, 1] = self._pieces(starts[longer] + 4, sizes[longer] - 4)
        views[apart, 1] = starts[apart].astype(np.uint64) << 32
        buffers = [None, pa.py_buffer(views), *([pa.py_buffer(self.part)] if len(apart) else [])]
        return pl.Series(_Exported(pa.Array.from_buffers(pa.string_view(), len(views), buffers)))

    def _pieces(self, starts: Places, sizes: Places) -> Words:
        """The first eight bytes of each piece; shorter pieces are padded with zeros."""
        pieces: Words = self.words[starts] & _MASKS.take(sizes, mode="clip")
        return pieces

    def spelled(self, starts: Places, ends: Places, read: Callable[[bytes], Tag | None]) -> Spelled:
        """Group pieces by spelling. ``read`` parses each spelling once and returns None for an unknown one."""
        return self._spelled(self.words[starts], starts, ends - starts, read)

    def check_order(self, known: Mapping[bytes, Tag], apart: Sequence[tuple[Places, Spelled]] = ()) -> None:
        """Check that each tag is known and stands where it may, and that the piece begins and ends outside of rows.

        apart: the tags that were parsed already, by index."""
        for numbers, _ in apart:
            self._sizes[numbers] = 0

        def read(tag: bytes) -> Tag | None:
            return known.get(tag.rstrip(_SPACE)) if tag else _LEFT_OUT

        order = self._spelled(self.heads, self.at[:-1], self._sizes, read)
        for numbers, spelled in apart:
            order.needs[numbers], order.leaves[numbers] = spelled.needs, spelled.leaves
        outside = np.uint8(Place.OUTSIDE)
        before, after = np.append(outside, order.leaves), np.append(order.needs, outside)
        if not (before & after).all() or self._unseen:
            raise UnknownShape

    def _spelled(self, heads: Words, starts: Places, sizes: Places, read: Callable[[bytes], Tag | None]) -> Spelled:
        longest = int(sizes.max(initial=0))
        keys = [heads & _MASKS.take(sizes, mode="clip")]
        for done in range(8, min(longest, _LONGEST), 8):
            more = np.flatnonzero(sizes > done)
            keys.append(np.zeros_like(heads))
            keys[-1][more] = self._pieces(starts[more] + done, sizes[more] - done)
        most = min(_MOST_SPELLINGS, _MOST_COMPARED // (len(keys) * len(heads) or 1)) if longest <= _LONGEST else 0
        tags: list[Tag] = []
        kinds, needs, leaves = (np.zeros(len(heads), np.uint8) for _ in range(3))
        first = 0
        while first < len(kinds) and not kinds[first]:
            spelling = self.part[starts[first] : starts[first] + sizes[first]]
            tag = read(spelling)
            if tag is None or len(tags) >= most:
                raise UnknownShape
            tags.append(tag)
            same = keys[0] == keys[0][first]
            for key in keys[1:]:
                same &= key == key[first]
            for codes, code in ((kinds, len(tags)), (needs, tag.needs), (leaves, tag.leaves)):
                codes |= same.view(np.uint8) * np.uint8(code)
            self._unseen -= spelling.count(self._joined) * int(np.count_nonzero(same))
            first = int((kinds == 0).argmax())
        return Spelled(tuple(tags), kinds - np.uint8(1), needs, leaves)


def _has_controls(content: Codes) -> bool:
    """Whether a piece has control characters other than tab and line feed."""
    if not len(content) or content.min() >= ord(" "):
        return False
    low = content[content < ord(" ")]
    return not ((low == ord("\t")) | (low == ord("\n"))).all()
