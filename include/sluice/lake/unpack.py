"""What is packed in gzip or zip: exactly one file comes out, or one coded refusal.

Nothing is opened twice: a container in a container is refused. What a member is called matters for its
extension only; no name of an archive ever becomes a path.
"""

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

from sluice.lake.sniff import Kind
from sluice.lake.table import FormatRefusal, Limits

_RULE = "format.archive"
_CHUNK = 1 << 20
_RATIO_COUNTS_FROM = 16 << 20
"""Text of less than this may be as repetitive as it likes."""
_PLAIN = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED = 0x1
PACKED = frozenset({Kind.GZIP, Kind.ZIP})


@dataclass(frozen=True, slots=True)
class Unpacked:
    """The file inside, and the name whose extension may contradict its content."""

    path: Path
    file_name: str


def unpack(path: Path, kind: Kind, file_name: str, target: Path, limits: Limits) -> Unpacked | FormatRefusal:
    """Write what is inside to ``target``, or say why not. ``file_name``: of the container. Raises OSError."""
    if kind is Kind.ZIP:
        return _unzip(path, target, limits)
    with path.open("rb") as packed, target.open("wb") as out:
        refusal = _inflate(packed, out, _most(path, limits))
    return refusal or Unpacked(target, file_name.rpartition(".")[0] if file_name.lower().endswith(".gz") else "")


def _most(path: Path, limits: Limits) -> int:
    """Bytes that may come out of a container of this size."""
    return min(limits.file_bytes, max(_RATIO_COUNTS_FROM, limits.archive_ratio * path.stat().st_size))


def _inflate(packed: BinaryIO, out: BinaryIO, most: int) -> FormatRefusal | None:
    """One member, its CRC and length checked by zlib (RFC 1952)."""
    machine, size = zlib.decompressobj(31), 0
    pending = packed.read(_CHUNK)
    while pending and not machine.eof:
        try:
            size += out.write(machine.decompress(pending, _CHUNK))
        except zlib.error:
            return FormatRefusal("UNREADABLE_ARCHIVE", _RULE)
        if size > most:
            return FormatRefusal("ARCHIVE_RATIO", _RULE)
        pending = machine.unconsumed_tail or (b"" if machine.eof else packed.read(_CHUNK))
    if not machine.eof:
        return FormatRefusal("UNREADABLE_ARCHIVE", _RULE)
    return FormatRefusal("ARCHIVE_MEMBERS", _RULE, count=2) if machine.unused_data or packed.read(1) else None


def _unzip(path: Path, target: Path, limits: Limits) -> Unpacked | FormatRefusal:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) != 1 or members[0].is_dir():
                return FormatRefusal("ARCHIVE_MEMBERS", _RULE, count=len(members))
            [member] = members
            if refusal := _refuse(member):
                return refusal
            with archive.open(member) as packed, target.open("wb") as out:
                return _copy(packed, out, _most(path, limits)) or Unpacked(target, member.filename)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError):
        return FormatRefusal("UNREADABLE_ARCHIVE", _RULE)


def _refuse(member: zipfile.ZipInfo) -> FormatRefusal | None:
    if member.flag_bits & _ENCRYPTED:
        return FormatRefusal("ARCHIVE_ENCRYPTED", _RULE)
    if member.compress_type not in _PLAIN:
        return FormatRefusal("ARCHIVE_METHOD", _RULE)
    return FormatRefusal("UNREADABLE_ARCHIVE", _RULE) if member.header_offset else None


def _copy(packed: IO[bytes], out: BinaryIO, most: int) -> FormatRefusal | None:
    size = 0
    while chunk := packed.read(_CHUNK):
        size += out.write(chunk)
        if size > most:
            return FormatRefusal("ARCHIVE_RATIO", _RULE)
    return None
