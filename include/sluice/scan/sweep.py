"""Searches bytes as they are, and as they read once escapes and digit separators are taken out."""

import html
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from sluice.scan.model import Doubt, Hit, Limits, Reason
from sluice.scan.needles import GROUPED, Label, Needles

WINDOW = 1 << 22
JSON_ESCAPE = re.compile(rb"\\(?:u([0-9a-fA-F]{4})|(/))")
MARKUP_ESCAPE = re.compile(rb"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,8}\d{0,2});")
SEPARATORS = b" ./()-" + "\u00a0\u2009\u2011\u202f".encode()
"""What stands inside one number or id. Bytes of other letters go too, which a search for ASCII bears."""
IS_KEPT = ~np.isin(np.arange(256), list(SEPARATORS))

Buffer = bytes | memoryview


class SweepStopped(Exception):
    """Raised when an object inflates to more than the limit: a bomb, or too much for one scan."""


@dataclass(slots=True)
class Found:
    """What one scan has gathered so far; the only thing in this room that changes."""

    limits: Limits
    hits: dict[tuple[int, str, str], Hit] = field(default_factory=dict)
    doubts: dict[Doubt, None] = field(default_factory=dict)
    read_bytes: int = 0

    def doubt(self, reason: Reason, where: str) -> None:
        """Note a part that could not be read."""
        self.doubts.setdefault(Doubt(reason, where))

    def hit(self, hit: Hit) -> None:
        """Keep the first hit of a value in each encoding and place; a whole word before a part of one."""
        key = (hit.value_index, hit.encoding, hit.where)
        known = self.hits.get(key)
        if known is None and len(self.hits) >= self.limits.hits:
            self.doubt(Reason.TOO_MANY_HITS, "")
        elif known is None or (hit.whole and not known.whole):
            self.hits[key] = hit

    def forget_groups(self, where: str) -> None:
        """Drop numbers in groups at a place whose own syntax is numbers side by side: by chance they read as any."""
        places = {where, *(f"{where} > {view.__name__}" for view in VIEWS)}
        self.hits = {key: hit for key, hit in self.hits.items() if hit.encoding != GROUPED or hit.where not in places}


def sweep(content: Buffer | Iterable[bytes], needles: Needles, where: str, found: Found) -> None:
    """Search all of one part; windows overlap, so no needle is lost between two of them."""
    overlap = 6 * max(needles.longest, needles.longest_grouped)
    for start, window in windows(content, overlap):
        found.read_bytes += len(window)
        if found.read_bytes > found.limits.inflated_bytes:
            raise SweepStopped
        _search(window, start, needles, where, found)
        for view in VIEWS:
            if (read := view(window)) is not None:
                _search(read, start, needles, f"{where} > {view.__name__}", found)


def windows(content: Buffer | Iterable[bytes], overlap: int) -> Iterator[tuple[int, bytes]]:
    """Pieces with their offset, each beginning with the end of the one before."""
    start, tail = 0, b""
    for chunk in _chunks(content):
        window = tail + chunk
        yield start, window
        tail = window[-overlap:]
        start += len(window) - len(tail)


def _chunks(content: Buffer | Iterable[bytes]) -> Iterator[bytes]:
    if not isinstance(content, bytes | memoryview):
        yield from content
        return
    for at in range(0, len(content), WINDOW):
        yield bytes(content[at : at + WINDOW])


def _search(window: bytes, start: int, needles: Needles, where: str, found: Found) -> None:
    lowered = window.lower()
    for needle, begin, end in needles.automaton.find_matches_as_indexes(lowered, overlapping=True):
        for label in needles.labels[needle]:
            if label.exact is None or window[begin:end] == label.exact:
                found.hit(_hit(label, where, start + begin, is_whole(window, begin, end)))
    if needles.grouped is not None:
        _search_grouped(window, lowered, start, needles, where, found)


def _search_grouped(window: bytes, lowered: bytes, start: int, needles: Needles, where: str, found: Found) -> None:
    """Telephone numbers and ids as people write them: in groups of any size."""
    if needles.grouped is None:
        return
    joined = lowered.translate(None, SEPARATORS)
    matches = needles.grouped.find_matches_as_indexes(joined, overlapping=True)
    if not matches:
        return
    kept = np.flatnonzero(IS_KEPT[np.frombuffer(window, np.uint8)])
    for needle, begin, end in matches:
        first, last = int(kept[begin]), int(kept[end - 1])
        if last - first >= end - begin:  # otherwise nothing was taken out: found as it is
            for label in needles.grouped_labels[needle]:
                found.hit(_hit(label, where, start + first, is_whole(window, first, last + 1)))


def search_int32(block: bytes, needles: Needles, where: str, found: Found) -> None:
    """Four-byte integers, in a block that is known to hold such: counted from its end, where values stand."""
    for needle, indexes in needles.int32.items():
        at = block.find(needle)
        while at >= 0 and (len(block) - at) % 4:
            at = block.find(needle, at + 1)
        if at >= 0:
            for index in indexes:
                found.hit(Hit(index, "int32", where, at, True))


def is_whole(window: bytes, begin: int, end: int) -> bool:
    """Whether neither neighbour continues the word or the number."""
    before, after = window[begin - 1 : begin] if begin else b"", window[end : end + 1]
    return not _continues(before, window[begin : begin + 1]) and not _continues(window[end - 1 : end], after)


def _continues(left: bytes, right: bytes) -> bool:
    return (left.isdigit() and right.isdigit()) or (left.isalpha() and right.isalpha())


def _hit(label: Label, where: str, offset: int, whole: bool) -> Hit:
    return Hit(label.value_index, label.encoding, where, offset, whole)


def unescaped_json(window: bytes) -> bytes | None:
    """The text behind ``\\u`` escapes, whichever characters a writer chose to escape."""
    if b"\\u" not in window and b"\\/" not in window:
        return None
    return JSON_ESCAPE.sub(lambda m: b"/" if m[2] else chr(int(m[1], 16)).encode("utf-8", "surrogatepass"), window)


def unescaped_markup(window: bytes) -> bytes | None:
    """The text behind character references of XML and HTML."""
    if b"&" not in window or MARKUP_ESCAPE.search(window) is None:
        return None
    return MARKUP_ESCAPE.sub(lambda m: html.unescape(m[0].decode()).encode("utf-8", "surrogatepass"), window)


VIEWS: tuple[Callable[[bytes], bytes | None], ...] = (unescaped_json, unescaped_markup)
"""Other ways to read the same bytes."""
