"""A reader of its own for what an erasure may have left: any bytes, inflated, in seven encodings.

It shares no code with the product and knows no store: it is given bytes and values.
"""

import base64
import contextlib
import gzip
import hashlib
import html
import io
import json
import re
import urllib.parse
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import ahocorasick_rs
import cramjam
import pyarrow as pa
import pyarrow.parquet as pq

ZSTD, GZIP, ZIP, PARQUET, PDF = b"\x28\xb5\x2f\xfd", b"\x1f\x8b\x08", b"PK\x03\x04", b"PAR1", b"%PDF"
HASH = re.compile(rb"(?<![0-9a-f])(?:[0-9a-f]{32}){1,2}(?![0-9a-f])")
"""SHA-256, or a keyed reference, alone between other characters."""
Opener = Callable[[bytes], bytes | None]
QUOTED: dict[str, Callable[[str], str]] = {
    "plain": lambda text: text,
    "percent": lambda text: urllib.parse.quote(text, safe=""),
    "base64": lambda text: base64.b64encode(f"x{text}".encode()).decode(),
    "hex": lambda text: text.encode().hex(),
    "markup": lambda text: "".join(f"&#{ord(each)};" for each in text),
    "json": lambda text: "".join(f"\\u{ord(each):04x}" for each in text),
    "sha256": lambda text: hashlib.sha256(text.encode()).hexdigest(),
}
"""How a text can quote a value, for tests that plant one; UTF-16, the seventh, is how whole files are written."""


def encodings(value: str) -> Iterator[bytes]:
    """The leak test's seven: plain (its digits too), percent, base64, hex, JSON and HTML escapes, UTF-16, SHA-256."""
    digits = "".join(filter(str.isdigit, value))
    for text in {value, value.lower(), value.upper(), *([digits, f"+{digits}"] if len(digits) >= 9 else [])}:
        plain = text.encode()
        yield plain
        yield urllib.parse.quote(text, safe="").encode()
        yield from (_in_base64(plain, shift) for shift in range(3))
        yield plain.hex().encode()
        yield plain.hex().upper().encode()
        yield json.dumps(text).strip('"').encode()
        yield "".join(f"\\u{ord(each):04x}" for each in text).encode()
        yield html.escape(text).encode()
        yield "".join(f"&#{ord(each)};" for each in text).encode()
        yield "".join(f"&#x{ord(each):x};" for each in text).encode()
        yield text.encode("utf-16-le")
        yield text.encode("utf-16-be")
        yield hashlib.sha256(plain).hexdigest().encode()


def _in_base64(plain: bytes, shift: int) -> bytes:
    """All characters that these bytes alone decide: six and a half of nine stand in hashes by chance."""
    return base64.b64encode(bytes(shift) + plain)[(0, 2, 3)[shift] : (shift + len(plain)) * 8 // 6]


def as_reference(value: str) -> Iterator[bytes]:
    """How a keyed reference can be kept: as text, as its 16 bytes, as the first 8 of them in either order."""
    raw = bytes.fromhex(value)
    yield from (value.encode(), value.upper().encode(), raw, raw[:8], raw[:8][::-1], base64.b64encode(raw)[:-3])


class Searcher:
    """Finds which of many owners' values stand in some bytes."""

    def __init__(self, owners: Iterable[Sequence[str]], written: Callable[[str], Iterator[bytes]] = encodings) -> None:
        found: dict[bytes, set[int]] = {}
        for number, values in enumerate(owners):
            for value in values:
                for needle in written(value):
                    if len(needle) >= 8:
                        found.setdefault(needle, set()).add(number)
        self._owners = list(found.values())
        self._needles = ahocorasick_rs.BytesAhoCorasick(list(found))
        self.count = len(found)

    def owners_in(self, content: bytes) -> set[int]:
        """Whose values stand in these bytes as they are."""
        return {owner for place, *_ in self._found(content) for owner in self._owners[place]}

    def search(self, content: bytes, *openers: Opener) -> set[int]:
        """Whose values stand in an object, in its bytes and in whatever they inflate to."""
        return {owner for view in views(content, openers) for owner in self.owners_in(view)}

    def traces(self, content: bytes, *openers: Opener) -> Iterator[str]:
        """What :meth:`search` finds, to be read by whoever looks for the reason: whose, which view, where, what."""
        for number, view in enumerate(views(content, openers)):
            for place, begin, end in self._found(view):
                around = view[max(0, begin - 80) : end + 80]
                yield f"{self._owners[place]} in view {number} at {begin}: {view[begin:end]!r} in {around!r}"

    def _found(self, content: bytes) -> Iterator[tuple[int, int, int]]:
        for place, begin, end in self._needles.find_matches_as_indexes(content, overlapping=True):
            if not _is_chance(content, begin, end):
                yield place, begin, end


def _is_chance(content: bytes, begin: int, end: int) -> bool:
    """Whether up to eleven hexadecimal digits stand in a hash: those of one of 1,000 persons do in 6 of 4 million."""
    hashes = HASH.finditer(content, max(0, begin - 65), end + 65) if end - begin < 12 else ()
    return any(each.start() <= begin and end <= each.end() for each in hashes)


def views(content: bytes, openers: Sequence[Opener] = (), depth: int = 0) -> Iterator[bytes]:
    """The bytes, and everything they hold: archives, streams, pages, cells, messages somebody can open."""
    yield content
    if depth > 4:
        return
    for inner in _inside(content, openers):
        yield from views(inner, openers, depth + 1)


def _inside(content: bytes, openers: Sequence[Opener]) -> Iterator[bytes]:
    if content.startswith(ZIP):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            yield from (archive.read(name) for name in archive.namelist())
    elif content.startswith(GZIP):
        yield gzip.decompress(content)
    elif content.startswith(PARQUET):
        yield from _pages(content)
        yield from _cells(pq.read_table(io.BytesIO(content)))
    elif content.startswith(PDF):
        yield from _streams(content)
    elif content.startswith((b"\xff\xfe", b"\xfe\xff")):
        yield content.decode("utf-16").encode()
    else:
        yield from (opened for each in openers if (opened := each(content)) is not None)


def _cells(table: pa.Table) -> Iterator[bytes]:
    for column in table.columns:
        yield "\n".join(map(str, column.to_pylist())).encode()
    yield str(table.schema.metadata).encode()


def _pages(content: bytes) -> Iterator[bytes]:
    """Every zstd frame that begins anywhere, so that what no footer points at is read too; snappy by the footer."""
    at = content.find(ZSTD)
    while at >= 0:
        end = _frame_end(content, at)
        if end:
            yield bytes(cramjam.zstd.decompress(content[at:end]))
        at = content.find(ZSTD, end or at + 1)
    footer = pq.read_metadata(io.BytesIO(content))
    for group in range(footer.num_row_groups):
        for column in range(footer.num_columns):
            chunk = footer.row_group(group).column(column)
            if chunk.compression == "SNAPPY":
                yield from _snappy(content, chunk)


def _snappy(content: bytes, chunk: Any) -> Iterator[bytes]:
    """Pages of a chunk: a raw snappy block may begin at any byte behind a page header of a few bytes."""
    start = chunk.dictionary_page_offset or chunk.data_page_offset
    raw = content[start : start + chunk.total_compressed_size]
    for at in range(min(len(raw), 64)):
        try:
            yield bytes(cramjam.snappy.decompress_raw(raw[at:]))
        except cramjam.DecompressionError:
            continue


def _frame_end(content: bytes, start: int) -> int | None:
    """Where a zstd frame ends (RFC 8878, 3.1.1): header, then blocks that tell their size; None when it is none."""
    head = content[start + 4]
    is_single, at = bool(head & 0x20), start + 5
    at += 0 if is_single else 1
    at += (0, 1, 2, 4)[head & 3]
    at += {0: 1 if is_single else 0, 1: 2, 2: 4, 3: 8}[head >> 6]
    while at + 3 <= len(content):
        block = int.from_bytes(content[at : at + 3], "little")
        kind, size = block >> 1 & 3, block >> 3
        if kind == 3:
            return None
        at += 3 + (1 if kind == 1 else size)
        if block & 1:
            return at + (4 if head & 4 else 0)
    return None


def _streams(content: bytes) -> Iterator[bytes]:
    at = content.find(b"stream\n")
    while at >= 0:
        with contextlib.suppress(zlib.error):
            yield zlib.decompressobj().decompress(content[at + 7 :])
        at = content.find(b"stream\n", at + 7)
