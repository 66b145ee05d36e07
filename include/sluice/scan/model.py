"""The result of the second scan for one object.

Nothing here can hold a value: a hit names the index in the list of values and the place of the bytes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from sluice.errors import SluiceError

Decrypt = Callable[[bytes], bytes | None]
"""Returns the plaintext of an age or OpenPGP message, or None if its key is not ours."""


class Status(StrEnum):
    """The status of an object. CLEAN means that it was read to its last byte, in forms that this scanner knows."""

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
    """The object store does not give the object."""
    TOO_HEAVY = "TOO_HEAVY"
    """The reader process reached its limit of memory or time, or died."""


@dataclass(frozen=True, slots=True, order=True)
class Hit:
    """One value found; only the first occurrence in each encoding and place is kept."""

    value_index: int
    encoding: str
    where: str
    """Path of positions, such as ``member 3 > gzip > text``; never a name from the object."""
    offset: int
    """Bytes from the start of the part that ``where`` names, after inflating."""


@dataclass(frozen=True, slots=True, order=True)
class Doubt:
    """A part of an object that could not be searched."""

    reason: Reason
    where: str


@dataclass(frozen=True, slots=True)
class Scan:
    """The result for one object."""

    hits: tuple[Hit, ...]
    doubts: tuple[Doubt, ...]
    read_bytes: int
    """Number of bytes searched, including inflated ones."""

    @property
    def status(self) -> Status:
        """HIT if anything was found; otherwise OPAQUE when encryption is the only doubt."""
        if self.hits:
            return Status.HIT
        if not self.doubts:
            return Status.CLEAN
        return Status.OPAQUE if {one.reason for one in self.doubts} == {Reason.ENCRYPTED} else Status.NOT_CLEAN


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits at which the scanner stops and reports a doubt, instead of filling the memory of its machine."""

    depth: int = 8
    whole_bytes: int = 1 << 30
    """Largest inflated part that is held in memory; text is streamed and has no such limit."""
    inflated_bytes: int = 64 << 30
    """Most bytes that are searched in one object."""
    floor_bytes: int = 256 << 20
    swell: int = 1100
    """All inflated bytes of an object together are at most this many times its size, or ``floor_bytes``. Deflate cannot
    make so many bytes of one."""
    hits: int = 10_000

    def most_of(self, size_bytes: int) -> int:
        """To how many bytes an object of this size may inflate."""
        return max(self.floor_bytes, self.swell * size_bytes)


class ScanFailed(SluiceError):
    """Raised for a needle list or a content that cannot be scanned at all."""

    code = "SLU-429"
    summary = "the second scan could not begin"
    cure = "give it at least one value that is long enough to search for"
