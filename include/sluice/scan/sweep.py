"""Search bytes as they are, and also with escapes resolved and with the separators of digits removed."""

import html
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from sluice.scan.dates import LONGEST, is_in_date
from sluice.scan.digest import MARGIN, MOST, decoded, is_in_digest, is_short
from sluice.scan.model import Doubt, Hit, Limits, Reason
from sluice.scan.needles import GROUPED, Label, Needles
from sluice.scan.spell import BASE64, HEX

WINDOW = 1 << 22
JSON_ESCAPE = re.compile(rb"\\(?:u([0-9a-fA-F]{4})|(/))")
MARKUP_ESCAPE = re.compile(rb"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,8}\d{0,2});")
SEPARATORS = b" ./()-" + "\u00a0\u2009\u2011\u202f".encode()
"""Bytes of the separators inside a number or id. Bytes of other characters are removed too, which does not matter when
searching for ASCII."""
SHRUNK = 10
"""The most bytes that one escaped character takes, as in &#0000049;."""
IS_KEPT = ~np.isin(np.arange(256), list(SEPARATORS))

Buffer = bytes | memoryview


class SweepStopped(Exception):
    """Raised when an object inflates to more than the limit: a zip bomb, or too much for one scan."""


@dataclass(slots=True)
class Found:
    """What one scan has found so far; the only mutable state of this room."""

    limits: Limits
    most_bytes: int = Limits().floor_bytes
    """To how many bytes the object may inflate, all parts together."""
    hits: dict[tuple[int, str, str], Hit] = field(default_factory=dict)
    doubts: dict[Doubt, None] = field(default_factory=dict)
    read_bytes: int = 0
    charged_bytes: int = 0

    def charge(self, size: int) -> None:
        """Count bytes that were or will be inflated, or their equivalent. Raises SweepStopped."""
        self.charged_bytes += size
        if self.charged_bytes > self.most_bytes:
            raise SweepStopped

    def charged(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The same chunks, each charged when it is read."""
        for chunk in chunks:
            self.charge(len(chunk))
            yield chunk

    def doubt(self, reason: Reason, where: str) -> None:
        """Note a part that could not be read."""
        self.doubts.setdefault(Doubt(reason, where))

    def hit(self, hit: Hit) -> None:
        """Keep the first hit of a value for each encoding and place."""
        key = (hit.value_index, hit.encoding, hit.where)
        if key in self.hits:
            return
        if len(self.hits) >= self.limits.hits:
            self.doubt(Reason.TOO_MANY_HITS, "")
        else:
            self.hits[key] = hit

    def forget_groups(self, where: str) -> None:
        """Drop hits of grouped numbers at a place that consists of numbers side by side, where they occur by chance."""
        places = {where, *(f"{where} > {view.__name__}" for view in VIEWS)}
        self.hits = {key: hit for key, hit in self.hits.items() if hit.encoding != GROUPED or hit.where not in places}


def sweep(content: Buffer | Iterable[bytes], needles: Needles, where: str, found: Found) -> None:
    """Search all of one part. Windows overlap, so that no needle is lost between them. Raises SweepStopped."""
    overlap = SHRUNK * (max(6 * needles.longest, needles.longest_grouped) + 2 * MARGIN)
    for window in windows(content, overlap):
        found.read_bytes += len(window.content)
        if found.read_bytes > found.limits.inflated_bytes:
            raise SweepStopped
        _search(window, needles, where, found)
        for view in VIEWS:
            if (read := view(window.content)) is not None:
                _search(replace(window, content=read), needles, f"{where} > {view.__name__}", found)


@dataclass(frozen=True, slots=True)
class Window:
    """Some bytes of a part. ``start``: their offset in it; ``is_last``: whether the part ends with them."""

    content: bytes
    start: int
    is_last: bool

    def cuts(self, begin: int, end: int, margin: int) -> bool:
        """Whether the ``margin`` bytes around a match are cut off here; a neighbouring window then has all of them."""
        return (self.start > 0 and begin < margin) or (not self.is_last and end + margin > len(self.content))


def windows(content: Buffer | Iterable[bytes], overlap: int) -> Iterator[Window]:
    """The windows of a part, each beginning with the end of the one before."""
    start, window = 0, b""
    chunks = _chunks(content)
    following = next(chunks, None)
    while following is not None:
        tail = window[-overlap:]
        start += len(window) - len(tail)
        window = tail + following
        following = next(chunks, None)
        yield Window(window, start, following is None)


def _chunks(content: Buffer | Iterable[bytes]) -> Iterator[bytes]:
    if not isinstance(content, bytes | memoryview):
        yield from content
        return
    for at in range(0, len(content), WINDOW):
        yield bytes(content[at : at + WINDOW])


def _search(window: Window, needles: Needles, where: str, found: Found) -> None:
    content, lowered = window.content, window.content.lower()
    for needle, begin, end in needles.automaton.find_matches_as_indexes(lowered, overlapping=True):
        for label in needles.labels[needle]:
            if label.exact is not None and content[begin:end] != label.exact:
                continue
            if label.around and (window.cuts(begin, end, needles.longest) or _is_of_others(label, lowered, begin, end)):
                continue
            if _is_by_chance(label, window, lowered, begin, end):
                continue
            found.hit(Hit(label.value_index, label.encoding, where, window.start + begin))
    if needles.grouped is not None:
        _search_grouped(window, lowered, needles, where, found)


def _is_of_others(label: Label, lowered: bytes, begin: int, end: int) -> bool:
    """Whether the match is inside a longer word of somebody else."""
    return any(lowered.endswith(before, 0, begin) and lowered.startswith(after, end) for before, after in label.around)


def _is_by_chance(label: Label, window: Window, lowered: bytes, begin: int, end: int) -> bool:
    """Whether a short match is inside a digest, or is cut off so that another window will decide.

    A match of the value's own hexadecimal is never chance.
    """
    if label.encoding == HEX:
        return False
    is_cut = window.cuts(begin, end, MARGIN)
    if label.encoding.startswith(BASE64):
        if end - begin > 2 * MOST:
            return False
        lowered, begin, end = decoded(window.content, begin, end, int(label.encoding[-1]))
    return is_short(lowered[begin:end]) and (is_cut or is_in_digest(lowered, begin, end))


def _is_in_date(label: Label, window: Window, begin: int, end: int) -> bool:
    """Whether digits are inside a date, or cut off so that another window will decide. Never if a date is sought."""
    return not label.is_date and (window.cuts(begin, end, LONGEST) or is_in_date(window.content, begin, end))


def _search_grouped(window: Window, lowered: bytes, needles: Needles, where: str, found: Found) -> None:
    """Search for telephone numbers and ids as people write them, in groups of any size."""
    if needles.grouped is None:
        return
    joined = lowered.translate(None, SEPARATORS)
    matches = needles.grouped.find_matches_as_indexes(joined, overlapping=True)
    if not matches:
        return
    kept = np.flatnonzero(IS_KEPT[np.frombuffer(window.content, np.uint8)])
    for needle, begin, end in matches:
        first, last = int(kept[begin]), int(kept[end - 1])
        if last - first >= end - begin:  # otherwise no separator was removed, and the plain search found it
            for label in needles.grouped_labels[needle]:
                is_cut = window.cuts(first, last + 1, 3 * needles.longest)
                if label.around and (is_cut or _is_of_others(label, joined, begin, end)):
                    continue
                place = (first, last + 1)
                if _is_in_date(label, window, *place) or _is_by_chance(label, window, lowered, *place):
                    continue
                found.hit(Hit(label.value_index, label.encoding, where, window.start + first))


def search_int32(block: bytes, needles: Needles, where: str, found: Found) -> None:
    """Search for four-byte integers in a block that may hold them, aligned to its end, where the values are."""
    for needle, indexes in needles.int32.items():
        at = block.find(needle)
        while at >= 0 and (len(block) - at) % 4:
            at = block.find(needle, at + 1)
        if at >= 0:
            for index in indexes:
                found.hit(Hit(index, "int32", where, at))


def unescaped_json(window: bytes) -> bytes | None:
    """The text with ``\\u`` escapes resolved, whichever characters a writer chose to escape; None if it has none."""
    if b"\\u" not in window and b"\\/" not in window:
        return None
    return JSON_ESCAPE.sub(lambda m: b"/" if m[2] else chr(int(m[1], 16)).encode("utf-8", "surrogatepass"), window)


def unescaped_markup(window: bytes) -> bytes | None:
    """The text with the character references of XML and HTML resolved; None if it has none."""
    if b"&" not in window or MARKUP_ESCAPE.search(window) is None:
        return None
    return MARKUP_ESCAPE.sub(lambda m: html.unescape(m[0].decode()).encode("utf-8", "surrogatepass"), window)


VIEWS: tuple[Callable[[bytes], bytes | None], ...] = (unescaped_json, unescaped_markup)
"""Other readings of the same bytes, which are searched too."""
