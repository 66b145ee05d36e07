"""Find the members of a ZIP, deleted ones included, by their own headers; the directory is used for sizes only.

Source: PKWARE APPNOTE 6.3.10, 4.3 and 4.4. Names, comments and extra fields are searched with the whole file.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sluice.scan.form import is_text
from sluice.scan.inflate import RAW, Inflated, InflateFailed

LOCAL, CENTRAL, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
STORED, DEFLATED, BZIP2, ZSTD = 0, 8, 12, 93
DESCRIPTOR_MAX = 24
END_RECORDS_MAX = 56 + 20 + 22
ZIP64 = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Member:
    """One member: its method, and the span of its packed bytes."""

    method: int
    is_encrypted: bool
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Bytes between members that no header claims and that are not text."""

    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Directory:
    """Packed sizes by the offset of the local header, and where the directory begins and ends."""

    sizes: dict[int, int]
    begin: int
    end: int


def zip_parts(content: memoryview, charge: Callable[[int], None]) -> Iterator[Member | Gap]:
    """Every member and every gap between members, in the order of their bytes.

    charge: called with the number of bytes inflated only to find where a member ends, and of their packed bytes.
    """
    data = content.obj if isinstance(content.obj, bytes) and len(content.obj) == len(content) else bytes(content)
    directory = _directory(data)
    at = begin = 0
    while 0 <= (begin := data.find(LOCAL, begin)) < directory.begin:
        if (member := _member(data, begin, directory.sizes.get(begin), charge)) is None:
            begin += 1  # these four bytes are no header, but there by chance
            continue
        yield from _gap(data, at, begin)
        yield member
        at = begin = member.end
    yield from _gap(data, at, directory.begin)
    yield from _gap(data, directory.end, len(data))


def _gap(data: bytes, begin: int, end: int) -> Iterator[Gap]:
    """A gap, unless it is a data descriptor, padding or text, which the search of the whole file reads anyway."""
    part = data[begin:end]
    if len(part) > DESCRIPTOR_MAX and any(part) and not is_text(part):
        yield Gap(begin, end)


def _member(data: bytes, begin: int, size: int | None, charge: Callable[[int], None]) -> Member | None:
    """The member at a local header, or None. If the directory does not list it, its end is found by inflating it."""
    if begin + 30 > len(data):
        return None
    flags, method = struct.unpack_from("<HH", data, begin + 6)
    packed, _, name, extra = struct.unpack_from("<IIHH", data, begin + 18)
    start = begin + 30 + name + extra
    if size is None and method == DEFLATED and not flags & 1:
        size = _deflated_size(data, start, charge)
    elif size is None:
        size = packed if packed not in (0, ZIP64) else None
    if size is None or start + size > len(data):
        return None
    return Member(method, bool(flags & 1), start, start + size)


def _deflated_size(data: bytes, start: int, charge: Callable[[int], None]) -> int | None:
    """The packed size of a deflate stream, or None. Packed bytes are charged too: many may inflate to nothing."""
    inflated = Inflated(memoryview(data), start, RAW)
    try:
        for chunk in inflated:
            charge(len(chunk))
    except InflateFailed:
        return None
    finally:
        charge(max(inflated.end - start, 0))
    return inflated.end - start


def _directory(data: bytes) -> Directory:
    """The central directory, read from its first entry; an absent or odd one gives no sizes."""
    end = data.rfind(END)
    if end < 0 or end + 22 > len(data):
        return Directory({}, len(data), len(data))
    size, at = struct.unpack_from("<II", data, end + 12)
    if ZIP64 in (size, at):
        size, at = _zip64(data, end)
    begin, sizes = at, {}
    while data[at : at + 4] == CENTRAL and at + 46 <= len(data):
        offset, packed, at = _entry(data, at)
        sizes[offset] = packed
    comment = struct.unpack_from("<H", data, end + 20)[0]
    if not begin <= at <= end or end - at > END_RECORDS_MAX:
        return Directory({}, end, end)
    return Directory(sizes, begin, end + 22 + comment)


def _zip64(data: bytes, end: int) -> tuple[int, int]:
    """Size and offset of the directory of an archive of more than 4 GiB (APPNOTE 4.3.14)."""
    at = data.rfind(b"PK\x06\x06", 0, end)
    if at < 0 or at + 56 > len(data):
        return 0, len(data)
    size, offset = struct.unpack_from("<QQ", data, at + 40)
    return int(size), int(offset)


def _entry(data: bytes, at: int) -> tuple[int, int, int]:
    """Offset of the local header, packed size, and offset of the next entry."""
    packed, unpacked, name, extra, comment = struct.unpack_from("<IIHHH", data, at + 20)
    offset = struct.unpack_from("<I", data, at + 42)[0]
    wide = _wide(data[at + 46 + name : at + 46 + name + extra])
    if unpacked == ZIP64:
        wide = wide[1:]
    if packed == ZIP64 and wide:
        packed, *wide = wide
    if offset == ZIP64 and wide:
        offset = wide[0]
    return offset, packed, at + 46 + name + extra + comment


def _wide(extra: bytes) -> list[int]:
    """The eight-byte numbers of a ZIP64 extra field, in their fixed order."""
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            count = min(size, len(extra) - at - 4) // 8
            return list(struct.unpack_from(f"<{count}Q", extra, at + 4))
        at += 4 + size
    return []
