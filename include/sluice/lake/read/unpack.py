"""Unpack gzip or zip: exactly one file comes out, or one coded refusal.

A container inside a container is refused. Of a member's name only the extension matters; no name from an
archive ever becomes a path.
"""

import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sluice.lake.read.sniff import Kind
from sluice.lake.read.zip_layout import data_start
from sluice.lake.table import FileLimits, FormatRefusal

_RULE = "format.archive"
_CHUNK = 1 << 20
_PLAIN = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED = 0x1
PACKED = frozenset({Kind.GZIP, Kind.ZIP})


@dataclass(frozen=True, slots=True)
class Unpacked:
    """The unpacked file, and its name, whose extension may contradict its content."""

    path: Path
    file_name: str


def unpack(path: Path, kind: Kind, file_name: str, target: Path, limits: FileLimits) -> Unpacked | FormatRefusal:
    """Unpack the only file to ``target``, or say why not. ``file_name``: of the container. Raises OSError."""
    if kind is Kind.ZIP:
        return _unzip(path, target, limits)
    with path.open("rb") as packed, target.open("wb") as out:
        refusal = _inflate(packed, out, limits, path.stat().st_size)
    return refusal or Unpacked(target, file_name.rpartition(".")[0] if file_name.lower().endswith(".gz") else "")


def _inflate(packed: BinaryIO, out: BinaryIO, limits: FileLimits, packed_bytes: int) -> FormatRefusal | None:
    """Inflate the only member of a gzip file; zlib checks its CRC and length (RFC 1952)."""
    machine, size, most = zlib.decompressobj(31), 0, limits.unpacked_bytes(packed_bytes)
    pending = packed.read(_CHUNK)
    while pending and not machine.eof:
        try:
            size += out.write(machine.decompress(pending, _CHUNK))
        except zlib.error:
            return FormatRefusal("UNREADABLE_ARCHIVE", _RULE)
        if size > most:
            return FormatRefusal(limits.swollen(packed_bytes), _RULE)
        pending = machine.unconsumed_tail or (b"" if machine.eof else packed.read(_CHUNK))
    if not machine.eof:
        return FormatRefusal("UNREADABLE_ARCHIVE", _RULE)
    return FormatRefusal("ARCHIVE_MEMBERS", _RULE, count=2) if machine.unused_data or packed.read(1) else None


def _unzip(path: Path, target: Path, limits: FileLimits) -> Unpacked | FormatRefusal:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        return FormatRefusal("UNREADABLE_ARCHIVE", _RULE)
    if len(members) != 1 or members[0].is_dir():
        return FormatRefusal("ARCHIVE_MEMBERS", _RULE, count=len(members))
    [member] = members
    if member.flag_bits & _ENCRYPTED:
        return FormatRefusal("ARCHIVE_ENCRYPTED", _RULE)
    if member.compress_type not in _PLAIN:
        return FormatRefusal("ARCHIVE_METHOD", _RULE)
    with path.open("rb") as packed, target.open("wb") as out:
        start = None if member.header_offset else data_start(packed, member)
        if start is None:
            return FormatRefusal("UNREADABLE_ARCHIVE", _RULE)
        packed.seek(start)
        return _copy(packed, out, member, limits, path.stat().st_size) or Unpacked(target, member.filename)


def _copy(
    packed: BinaryIO, out: BinaryIO, member: zipfile.ZipInfo, limits: FileLimits, packed_bytes: int
) -> FormatRefusal | None:
    """Copy the content of the member; refuse it if it does not have the size and CRC of the directory."""
    size, crc, most = 0, 0, limits.unpacked_bytes(packed_bytes)
    try:
        for piece in _pieces(packed, member):
            size, crc = size + out.write(piece), zlib.crc32(piece, crc)
            if size > most:
                return FormatRefusal(limits.swollen(packed_bytes), _RULE)
    except (zlib.error, EOFError):
        return FormatRefusal("UNREADABLE_ARCHIVE", _RULE)
    return None if (size, crc) == (member.file_size, member.CRC) else FormatRefusal("UNREADABLE_ARCHIVE", _RULE)


def _pieces(packed: BinaryIO, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """The unpacked bytes. Raises zlib.error, and EOFError when the stream does not end where the member ends."""
    left = member.compress_size
    machine = zlib.decompressobj(-zlib.MAX_WBITS) if member.compress_type == zipfile.ZIP_DEFLATED else None
    while left:
        chunk = packed.read(min(left, _CHUNK))
        if not chunk or (machine and machine.eof):
            raise EOFError
        left -= len(chunk)
        if machine is None:
            yield chunk
        while machine and chunk:
            yield machine.decompress(chunk, _CHUNK)
            chunk = machine.unconsumed_tail
    if machine:
        yield machine.flush()
        if machine.unused_data or not machine.eof:
            raise EOFError
