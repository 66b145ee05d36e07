"""What the second scan says of one object, and how much of it was read.

Nothing here can hold a value: a hit names the place in the list of values and where the bytes stand.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from sluice.errors import SluiceError

Decrypt = Callable[[bytes], bytes | None]
"""Gives the plaintext of an age or OpenPGP message, or None where its key is not ours."""


class Status(StrEnum):
    """CLEAN is said only of an object that was read to its last byte, in forms this scanner knows."""

    CLEAN = "CLEAN"
    HIT = "HIT"
    NOT_CLEAN = "NOT_CLEAN"
    OPAQUE = "OPAQUE"


class Reason(StrEnum):
    """Why an object without a hit cannot be called clean."""

    ENCRYPTED = "ENCRYPTED"
    UNKNOWN_FORM = "UNKNOWN_FORM"
    UNKNOWN_ENCODING = "UNKNOWN_ENCODING"
    UNKNOWN_COMPRESSION = "UNKNOWN_COMPRESSION"
    BROKEN = "BROKEN"
    UNREAD_GAP = "UNREAD_GAP"
    BLOOM_FILTER = "BLOOM_FILTER"
    PICTURE = "PICTURE"
    FONT_ENCODED_TEXT = "FONT_ENCODED_TEXT"
    TOO_DEEP = "TOO_DEEP"
    TOO_LARGE = "TOO_LARGE"
    TOO_MANY_HITS = "TOO_MANY_HITS"
    UNREADABLE = "UNREADABLE"
    """The store does not give it."""
    TOO_HEAVY = "TOO_HEAVY"
    """Who read it came to the end of their memory or time, or died."""


@dataclass(frozen=True, slots=True, order=True)
class Hit:
    """One value found in one place: its first time in each encoding and place."""

    value_index: int
    encoding: str
    where: str
    """Path of positions, such as ``member 3 > gzip > text``; never a name out of the object."""
    offset: int
    """Bytes from the start of what ``where`` names, after inflating."""


@dataclass(frozen=True, slots=True, order=True)
class Doubt:
    """A part that could not be read as bytes of text."""

    reason: Reason
    where: str


@dataclass(frozen=True, slots=True)
class Scan:
    """The answer for one object."""

    hits: tuple[Hit, ...]
    doubts: tuple[Doubt, ...]
    read_bytes: int
    """Bytes that were searched, the inflated ones included."""

    @property
    def status(self) -> Status:
        """HIT before all; OPAQUE when encryption is the only doubt."""
        if self.hits:
            return Status.HIT
        if not self.doubts:
            return Status.CLEAN
        return Status.OPAQUE if {one.reason for one in self.doubts} == {Reason.ENCRYPTED} else Status.NOT_CLEAN


@dataclass(frozen=True, slots=True)
class Limits:
    """Where the scanner stops and says so, instead of filling the memory of its machine."""

    depth: int = 8
    whole_bytes: int = 1 << 30
    """Largest inflated part that is held at once; text is streamed and has no such limit."""
    inflated_bytes: int = 64 << 30
    """Most bytes that are searched."""
    floor_bytes: int = 256 << 20
    swell: int = 1100
    """More than deflate can make of one byte: all that is inflated of an object together is at most so many times its
    size, or ``floor_bytes``."""
    hits: int = 10_000

    def most_of(self, size_bytes: int) -> int:
        """Bytes that an object of this size may inflate to."""
        return max(self.floor_bytes, self.swell * size_bytes)


class ScanFailed(SluiceError):
    """Raised for a needle list or a content that cannot be scanned at all."""

    code = "SLU-429"
    summary = "the second scan could not begin"
    cure = "give it at least one value that is long enough to search for"
