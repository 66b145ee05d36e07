"""Locate the only member of a zip in a layout that every reader understands alike (APPNOTE 4.3).

Programs read a zip from its end, from its start, or by searching for marks. All see the same file only if none
of them skips a byte: local header at 0, data, its descriptor, directory, end record, and nothing else.
"""

import os
import struct
import zipfile
from dataclasses import dataclass
from typing import BinaryIO

_LOCAL, _CENTRAL, _END = struct.Struct("<4s5H3I2H"), struct.Struct("<4s6H3I5H2I"), struct.Struct("<4s4H2IH")
_END64, _LOCATOR = struct.Struct("<4sQ2H2I4Q"), struct.Struct("<4sIQI")
_FULL = 0xFFFFFFFF
"""The value of a size that is given in a zip64 record instead."""
_FULL_COUNT = 0xFFFF
_ZIP64 = 1
_SAME_FLAGS = 0x1 | 0x40 | 0x2000
"""Flags that both headers must agree on: encryption of any kind."""
_HAS_DESCRIPTOR = 0x8
_DESCRIPTOR_MARK = b"PK\x07\x08"


@dataclass(frozen=True, slots=True)
class _Directory:
    start: int
    end: int


def data_start(file: BinaryIO, member: zipfile.ZipInfo) -> int | None:
    """Offset of the first data byte of the only member; None when readers could disagree about the file."""
    try:
        directory = _directory(file)
        name = _central_name(file, directory) if directory else None
        return None if directory is None or name is None else _local(file, member, name, directory.start)
    except struct.error:
        return None


def _directory(file: BinaryIO) -> _Directory | None:
    """The central directory, if the end records follow it directly and end the file."""
    size = file.seek(0, os.SEEK_END)
    end = size - _END.size
    mark, *said, length, start, comment = _END.unpack(_read(file, end, _END.size))
    if mark != b"PK\x05\x06" or comment:
        return None
    at = end - _LOCATOR.size - _END64.size
    if at >= 0 and _read(file, at + _END64.size, 4) == b"PK\x06\x07":
        found = _end64(file, at)
        if found is None or not _agree((*said, length, start), found):
            return None
        *said, length, start = found
        end = at
    is_whole = said == [0, 0, 1, 1] and start + length == end
    return _Directory(start, end) if is_whole else None


def _end64(file: BinaryIO, at: int) -> tuple[int, ...] | None:
    """Disks, counts, length and start from the zip64 end record at ``at``; None when it or its locator is odd."""
    mark, length, _, _, *said = _END64.unpack(_read(file, at, _END64.size))
    _, disk, place, disks = _LOCATOR.unpack(_read(file, at + _END64.size, _LOCATOR.size))
    is_one = (mark, length, disk, place, disks) == (b"PK\x06\x06", _END64.size - 12, 0, at, 1)
    return tuple(said) if is_one else None


def _agree(small: tuple[int, ...], large: tuple[int, ...]) -> bool:
    full = (*[_FULL_COUNT] * 4, _FULL, _FULL)
    return all(one in (other, most) for one, other, most in zip(small, large, full, strict=True))


def _central_name(file: BinaryIO, directory: _Directory) -> bytes | None:
    """The name in the only entry of the directory, if that entry fills it."""
    entry = _CENTRAL.unpack(_read(file, directory.start, _CENTRAL.size))
    name, extra, comment = entry[10:13]
    is_all = directory.start + _CENTRAL.size + name + extra == directory.end
    if entry[0] != b"PK\x01\x02" or comment or not is_all:
        return None
    return _read(file, directory.start + _CENTRAL.size, name)


def _local(file: BinaryIO, member: zipfile.ZipInfo, name: bytes, directory_at: int) -> int | None:
    """Offset of the data, if the local header agrees with the directory."""
    mark, _, flags, method, _, _, crc, packed, plain, name_size, extra_size = _LOCAL.unpack(_read(file, 0, _LOCAL.size))
    start = _LOCAL.size + name_size + extra_size
    behind = _read(file, start + member.compress_size, max(0, directory_at - start - member.compress_size))
    extra = _sizes64(_read(file, _LOCAL.size + name_size, extra_size))
    is_same = (
        mark == b"PK\x03\x04"
        and method == member.compress_type
        and not (flags ^ member.flag_bits) & _SAME_FLAGS
        and _read(file, _LOCAL.size, name_size) == name
        and start + member.compress_size + len(behind) == directory_at
    )
    if flags & _HAS_DESCRIPTOR:
        return start if is_same and behind in _descriptors(member) else None
    sizes = extra if (packed, plain) == (_FULL, _FULL) else (plain, packed)
    told = (crc, sizes) == (member.CRC, (member.file_size, member.compress_size))
    return start if is_same and told and not behind else None


def _sizes64(extra: bytes) -> tuple[int, int] | None:
    """Plain and packed size from the zip64 extra field (APPNOTE 4.5.3)."""
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<2H", extra, at)
        if kind == _ZIP64 and size == 16:
            plain, packed = struct.unpack_from("<2Q", extra, at + 4)
            return plain, packed
        at += 4 + size
    return None


def _descriptors(member: zipfile.ZipInfo) -> set[bytes]:
    """All ways to write the data descriptor: with or without mark, 32 or 64 bits (APPNOTE 4.3.9)."""
    said = (member.CRC, member.compress_size, member.file_size)
    bare = [struct.pack("<I2Q", *said)]
    if max(said) <= _FULL:
        bare.append(struct.pack("<3I", *said))
    return {mark + each for mark in (b"", _DESCRIPTOR_MARK) for each in bare}


def _read(file: BinaryIO, at: int, size: int) -> bytes:
    """Read ``size`` bytes at ``at``. Raises struct.error when the file is too short."""
    if at < 0:
        raise struct.error
    file.seek(at)
    data = file.read(size)
    if len(data) != size:
        raise struct.error
    return data
