"""Erase inside a gzip file: the header stays byte for byte, and the inner file is edited by its own eraser.

Deflate can encode one text in many ways, so the kept content may be compressed to different bytes.
"""

import filecmp
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from sluice.errors import Ref
from sluice.lake.erase.cut import CHUNK, folder_beside
from sluice.lake.erase.model import CONTAINER_TEXT_KEPT, Erased, EraseRefused
from sluice.lake.table import FileLimits

Eraser = Callable[[Path, Path], Erased]
"""Edits the inner file; called with its source and a target that does not exist yet."""

_HEADER_CRC, _EXTRA, _NAME, _COMMENT, _RESERVED = 2, 4, 8, 16, 0xE0
_LEVELS = {2: 9, 4: 1}
"""XFL of the header -> level of zlib (RFC 1952 section 2.3.1)."""
_MOST_HEADER = 1 << 18


@dataclass(frozen=True, slots=True)
class _Header:
    raw: bytes
    has_text: bool

    @property
    def level(self) -> int:
        return _LEVELS.get(self.raw[8], 6)


def erase_in_gzip(source: Path, target: Path, erase: Eraser, limits: FileLimits | None = None) -> Erased:
    """Write ``target``, a gzip file with the same header and with content edited by ``erase``.

    The inner file lies unpacked next to the target while this runs. target: must not exist. Raises
    EraseRefused: MULTI_MEMBER, TRAILING_BYTES, DAMAGED_CONTAINER, LIMIT_FILE_SIZE or a rule of the inner
    eraser; LocalCopyUnreadable."""
    with folder_beside(target) as folder:
        return _erase(source, target, folder, erase, limits or FileLimits())


def _erase(source: Path, target: Path, folder: Path, erase: Eraser, limits: FileLimits) -> Erased:
    inner, edited, packed = folder / "inner", folder / "edited", folder / "packed"
    header = _unpack(source, inner, limits)
    erased = erase(inner, edited)
    _pack(edited, packed, header)
    proof = folder / "proof"
    if _unpack(packed, proof, limits) != header or not filecmp.cmp(proof, edited, shallow=False):
        raise EraseRefused.because("OUTPUT_DIFFERS")
    target.touch(exist_ok=False)
    packed.replace(target)
    remarks = erased.remarks + ((CONTAINER_TEXT_KEPT,) if header.has_text else ())
    return replace(erased, remarks=remarks)


def _unpack(source: Path, inner: Path, limits: FileLimits) -> _Header:
    """Inflate the only member and return its header; zlib checks its CRC and length. Raises EraseRefused."""
    with source.open("rb") as file, inner.open("wb") as out:
        header = _read_header(file.read(_MOST_HEADER))
        file.seek(0)
        rest = _inflate(file, out, limits)
        rest += file.read(CHUNK)
    if rest:
        raise EraseRefused.because("MULTI_MEMBER" if rest.startswith(b"\x1f\x8b") else "TRAILING_BYTES")
    return header


def _inflate(file: BinaryIO, out: BinaryIO, limits: FileLimits) -> bytes:
    """Write the content of the member; return bytes that were read beyond its end. Raises EraseRefused."""
    machine, size = zlib.decompressobj(31), 0
    pending = file.read(CHUNK)
    while pending and not machine.eof:
        try:
            piece = machine.decompress(pending, CHUNK)
        except zlib.error:
            piece = None
        if piece is None:
            raise EraseRefused.because("DAMAGED_CONTAINER")
        size += out.write(piece)
        if size > limits.file_bytes:
            raise EraseRefused.because("LIMIT_FILE_SIZE", Ref("limit", limits.file_bytes))
        pending = machine.unconsumed_tail or (b"" if machine.eof else file.read(CHUNK))
    if not machine.eof:
        raise EraseRefused.because("DAMAGED_CONTAINER")
    return machine.unused_data


def _read_header(start: bytes) -> _Header:
    """The header, byte for byte (RFC 1952 section 2.3). Raises EraseRefused: DAMAGED_CONTAINER."""
    if start[:3] != b"\x1f\x8b\x08" or len(start) < 18 or start[3] & _RESERVED:
        raise EraseRefused.because("DAMAGED_CONTAINER")
    flags, at = start[3], 10
    if flags & _EXTRA:
        at += 2 + int.from_bytes(start[at : at + 2], "little")
    for flag in (_NAME, _COMMENT):
        if flags & flag:
            at = start.find(0, at) + 1 or len(start)
    at += 2 if flags & _HEADER_CRC else 0
    if at >= len(start):
        raise EraseRefused.because("DAMAGED_CONTAINER")
    return _Header(start[:at], bool(flags & (_EXTRA | _NAME | _COMMENT)))


def _pack(edited: Path, packed: Path, header: _Header) -> None:
    machine, crc, size = zlib.compressobj(header.level, zlib.DEFLATED, -zlib.MAX_WBITS), 0, 0
    with edited.open("rb") as file, packed.open("wb") as out:
        out.write(header.raw)
        while chunk := file.read(CHUNK):
            crc, size = zlib.crc32(chunk, crc), size + len(chunk)
            out.write(machine.compress(chunk))
        out.write(machine.flush())
        out.write(crc.to_bytes(4, "little") + (size & 0xFFFFFFFF).to_bytes(4, "little"))
