"""Decompression within limits: the output never exceeds the size asked for.

Every error of a codec becomes InflateFailed, without the codec's own message.
"""

import bz2
import io
import lzma
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator

import cramjam

from sluice.scan.model import Reason
from sluice.scan.sweep import Buffer

CHUNK = 1 << 20
STEP = 1 << 22
GZIP, RAW = 31, -15
BUFFER_FULL = "failed to write whole buffer"
"""cramjam's message for a target that is too small; there is no exception class for it."""


class InflateFailed(ValueError):
    """Raised for damaged or oversized compressed bytes."""


class InflateTooLarge(InflateFailed):
    """Raised when more comes out than was asked for."""


class CodecUnknown(InflateFailed):
    """Raised for a compression this scanner does not know."""


class Inflated:
    """Iterates over the inflated bytes of one deflate stream or gzip member; then ``end`` is its end in the buffer.

    Raises InflateFailed.
    """

    def __init__(self, content: Buffer, begin: int, wbits: int) -> None:
        self._content = content
        self._wbits = wbits
        self.end = begin

    def __iter__(self) -> Iterator[bytes]:
        inflater = zlib.decompressobj(self._wbits)
        while not inflater.eof:
            fed = inflater.unconsumed_tail or self._content[self.end : self.end + CHUNK]
            if not inflater.unconsumed_tail:
                self.end += len(fed)
            try:
                out = inflater.decompress(fed, STEP)
            except zlib.error:
                raise InflateFailed from None
            if out:
                yield out
            elif not fed:
                raise InflateFailed
        self.end -= len(inflater.unused_data)


def bz2_chunks(content: Buffer) -> Iterator[bytes]:
    """Inflate every bzip2 stream of the buffer."""
    return _read(bz2.BZ2File(io.BytesIO(content)))


def xz_chunks(content: Buffer) -> Iterator[bytes]:
    """Inflate every xz stream of the buffer."""
    return _read(lzma.LZMAFile(io.BytesIO(content)))


def _read(file: bz2.BZ2File | lzma.LZMAFile) -> Iterator[bytes]:
    try:
        while chunk := file.read(STEP):
            yield chunk
    except (OSError, EOFError, lzma.LZMAError, MemoryError):
        raise InflateFailed from None


def zstd_whole(content: Buffer, limit: int) -> bytes:
    """Inflate the zstd frames of the buffer. Raises InflateFailed, InflateTooLarge beyond ``limit`` bytes."""
    size = min(max(8 * len(content), CHUNK), limit)
    while True:
        try:
            return block(6, content, size, exact=False)
        except InflateTooLarge:
            if size >= limit:
                raise
        size = min(size * 8, limit)


def block(codec: int, content: Buffer, size: int, *, exact: bool = True) -> bytes:
    """Inflate one Parquet page body of a known size (codec: parquet.thrift CompressionCodec).

    exact: the output must have exactly ``size`` bytes. Raises InflateFailed, InflateTooLarge, CodecUnknown.
    """
    if codec == 0:
        out = bytes(content)
    elif codec == 2:
        out = b"".join(_bounded(Inflated(content, 0, GZIP), size))
    elif codec == 5:
        out = _hadoop_lz4(content, size)
    elif codec in BLOCKS:
        out = _into(BLOCKS[codec], content, size)
    else:
        raise CodecUnknown
    if exact and len(out) != size:
        raise InflateFailed
    return out


def _into(inflate: Callable[[bytes, bytearray], int], content: Buffer, size: int) -> bytes:
    target = bytearray(size)
    try:
        written = inflate(bytes(content), target)
    except (cramjam.DecompressionError, OverflowError, MemoryError) as error:
        failed = InflateTooLarge if str(error) == BUFFER_FULL else InflateFailed
        raise failed from None
    return bytes(memoryview(target)[:written])


def _bounded(chunks: Iterable[bytes], limit: int) -> Iterator[bytes]:
    read = 0
    for chunk in chunks:
        read += len(chunk)
        if read > limit:
            raise InflateTooLarge
        yield chunk


def _hadoop_lz4(content: Buffer, size: int) -> bytes:
    """The old LZ4 codec: blocks after two big-endian lengths, or one bare block (parquet-format Compression.md)."""
    out, at = b"", 0
    while at + 8 <= len(content):
        whole, packed = struct.unpack_from(">II", content, at)
        if whole > size - len(out) or packed > len(content) - at - 8:
            return _into(BLOCKS[7], content, size)
        out += _into(BLOCKS[7], content[at + 8 : at + 8 + packed], whole)
        at += 8 + packed
    return out


BLOCKS: dict[int, Callable[[bytes, bytearray], int]] = {
    1: cramjam.snappy.decompress_raw_into,
    4: cramjam.brotli.decompress_into,
    6: cramjam.zstd.decompress_into,
    7: cramjam.lz4.decompress_block_into,
}


def reason_of(failed: InflateFailed) -> Reason:
    """The reason of the doubt for a failure."""
    if isinstance(failed, InflateTooLarge):
        return Reason.TOO_LARGE
    return Reason.UNKNOWN_COMPRESSION if isinstance(failed, CodecUnknown) else Reason.BROKEN
