"""Search a Parquet file byte by byte: pages, statistics, indexes, and bytes to which no footer refers.

Source: apache/parquet-format, parquet.thrift and README. Uses no Parquet library, so that it shares no
blind spot with the code that wrote the file or erased from it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sluice.scan.inflate import InflateFailed, InflateTooLarge, block, reason_of
from sluice.scan.model import Reason
from sluice.scan.needles import Needles
from sluice.scan.sweep import Found, search_int32, sweep
from sluice.scan.thrift import CompactReader, Struct, ThriftBroken

INT32 = 1
DATA, INDEX, DICTIONARY, DATA_V2 = range(4)
PLAIN, PLAIN_DICTIONARY, RLE, BIT_PACKED, RLE_DICTIONARY = 0, 2, 3, 4, 8
READABLE = {PLAIN, PLAIN_DICTIONARY, RLE, RLE_DICTIONARY}
"""Encodings that store values as they are; DELTA and BYTE_STREAM_SPLIT hide them from a search for bytes."""
LEVELS = {RLE, BIT_PACKED}
CODECS = (6, 1, 2, 7, 5, 4, 0)
"""Codecs tried, in this order, when nothing says how a page was compressed."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its header, and where header and body are in the file."""

    header: Struct
    begin: int
    body: int
    end: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """What the walk needs to know about the column of a page. Codec and kind are None if no footer gives them."""

    codec: int | None
    kind: int | None
    where: str


class ParquetWalk:
    """One walk over one file, whose raw bytes were all searched before."""

    def __init__(self, content: memoryview, needles: Needles, where: str, found: Found) -> None:
        self._content = content
        self._needles = needles
        self._where = where
        self._found = found
        self._spans: list[tuple[int, int]] = []

    def run(self) -> None:
        """Search everything; note a doubt for a file that cannot be parsed."""
        try:
            self._walk()
        except (ThriftBroken, InflateFailed, OverflowError):
            self._doubt(Reason.BROKEN, "footer")

    def _walk(self) -> None:
        size = len(self._content)
        begin = size - 8 - int.from_bytes(self._content[size - 8 : size - 4], "little")
        if size < 12 or begin < 4:
            raise ThriftBroken
        self._spans += [(0, 4), (begin, size)]
        footer = self._struct_within(begin, size - 8)
        if 8 in footer.fields:
            self._doubt(Reason.ENCRYPTED, "footer")
        for group, row_group in enumerate(footer.structs(4)):
            for column, chunk in enumerate(row_group.structs(1)):
                self._walk_chunk(chunk, f"row group {group} column {column}")
        self._walk_gaps()

    def _struct_within(self, begin: int, end: int) -> Struct:
        """Parse the struct that fills these bytes. If bytes follow it, which nobody reads, note a doubt."""
        reader = CompactReader(self._content[begin:end])
        whole = reader.struct()
        if begin + reader.at != end:
            self._doubt(Reason.UNREAD_GAP, f"behind a struct at {begin}")
        return whole

    def _walk_chunk(self, chunk: Struct, where: str) -> None:
        if 8 in chunk.fields or 9 in chunk.fields:
            self._doubt(Reason.ENCRYPTED, where)
            return
        if 1 in chunk.fields:
            self._doubt(Reason.UNKNOWN_FORM, f"{where} in another file")
            return
        meta = chunk.struct(3)
        column = Chunk(meta.number(4), meta.number(1), where)
        self._search_bounds(meta.struct(12), column)
        self._walk_index(chunk, column)
        if 14 in meta.fields:
            self._doubt(Reason.BLOOM_FILTER, where)
            self._claim_bloom(meta)
        first = min((number for field in (9, 11) if (number := meta.number(field, 0)) > 0), default=0)
        self._walk_pages(first, first + meta.number(7), column)

    def _walk_index(self, chunk: Struct, column: Chunk) -> None:
        """Search the integers of offset index (4, 5) and column index (6, 7); their raw bytes were searched before."""
        for offset, length in ((4, 5), (6, 7)):
            if offset in chunk.fields:
                begin, size = chunk.number(offset), chunk.number(length)
                self._claim(begin, begin + size)
                self._search_bounds(self._struct_within(begin, begin + size), column)

    def _claim_bloom(self, meta: Struct) -> None:
        begin = meta.number(14)
        reader = CompactReader(self._content, begin)
        size = reader.struct().number(1)
        self._claim(begin, reader.at + size)

    def _walk_pages(self, begin: int, end: int, column: Chunk) -> None:
        self._claim(begin, end)
        try:
            pages = list(self._pages(begin, end))
        except ThriftBroken:
            self._doubt(Reason.BROKEN, column.where)
            return
        for number, page in enumerate(pages):
            self._search_page(page, Chunk(column.codec, column.kind, f"{column.where} page {number}"))

    def _pages(self, begin: int, end: int) -> Iterator[Page]:
        """The pages that fill these bytes exactly. Raises ThriftBroken if they do not."""
        while begin < end:
            reader = CompactReader(self._content[:end], begin)
            header = reader.struct()
            if header.number(1) not in range(4) or header.number(3) < 0 or reader.at + header.number(3) > end:
                raise ThriftBroken
            yield Page(header, begin, reader.at, reader.at + header.number(3))
            begin = reader.at + header.number(3)

    def _search_page(self, page: Page, column: Chunk) -> None:
        self._check_encoding(page.header, column)
        for field in (5, 8):
            self._search_bounds(page.header.struct(field).struct(5 if field == 5 else 8), column)
        try:
            content = self._inflated(page, column.codec)
        except InflateFailed as failed:
            self._doubt(reason_of(failed), column.where)
            return
        sweep(content, self._needles, self._named(column.where), self._found)
        if column.kind in (INT32, None):
            search_int32(content, self._needles, self._named(column.where), self._found)

    def _check_encoding(self, header: Struct, column: Chunk) -> None:
        kind = header.number(1)
        if kind == INDEX:
            self._doubt(Reason.UNKNOWN_ENCODING, column.where)
            return
        inner = header.struct({DATA: 5, DICTIONARY: 7, DATA_V2: 8}[kind])
        encoding = inner.number(4 if kind == DATA_V2 else 2)
        levels = {inner.number(3), inner.number(4)} if kind == DATA else set()
        if encoding not in READABLE or not levels <= LEVELS:
            self._doubt(Reason.UNKNOWN_ENCODING, column.where)

    def _inflated(self, page: Page, codec: int | None) -> bytes:
        size = page.header.number(2)
        if size > self._found.limits.whole_bytes:
            raise InflateTooLarge
        if size < 0:
            raise InflateFailed
        self._found.charge(size)
        levels, is_packed = 0, True
        if page.header.number(1) == DATA_V2:
            inner = page.header.struct(8)
            levels = inner.number(5) + inner.number(6)
            is_packed = inner.fields.get(7, True) is True
        if not 0 <= levels <= min(size, page.end - page.body):
            raise InflateFailed
        body = self._content[page.body + levels : page.end]
        codecs = (codec if is_packed else 0,) if codec is not None else CODECS
        return bytes(self._content[page.body : page.body + levels]) + _first_that_fits(codecs, body, size - levels)

    def _search_bounds(self, statistics: Struct, column: Chunk) -> None:
        """Search minima and maxima of integers; those of text were found as raw bytes."""
        if column.kind == INT32:
            for bound in statistics.binaries():
                if len(bound) == 4:
                    search_int32(bound, self._needles, self._named(f"{column.where} bounds"), self._found)

    def _walk_gaps(self) -> None:
        at = 0
        for begin, end in sorted(self._spans):
            if at < begin:
                self._walk_gap(at, begin)
            at = max(at, end)

    def _walk_gap(self, begin: int, end: int) -> None:
        """Search bytes to which no footer refers: padding, copies of metadata, or pages left behind."""
        where = f"gap at {begin}"
        if not any(self._content[begin:end]):
            return
        if self._is_pages(begin, end):
            self._walk_pages(begin, end, Chunk(None, None, where))
        elif not self._is_metadata(begin, end):
            self._doubt(Reason.UNREAD_GAP, where)

    def _is_pages(self, begin: int, end: int) -> bool:
        return self._parses(lambda: all(2 in page.header.fields for page in self._pages(begin, end)))

    def _is_metadata(self, begin: int, end: int) -> bool:
        """Whether a gap holds copies of column metadata, as writers leave them after each chunk.

        These have path (3), codec (4) and sizes (5-7)."""
        return self._parses(lambda: all(_is_column(one) for one in self._structs(begin, end)))

    def _structs(self, begin: int, end: int) -> Iterator[Struct]:
        reader = CompactReader(self._content[:end], begin)
        while reader.at < end:
            yield reader.struct()

    def _parses(self, attempt: Callable[[], bool]) -> bool:
        try:
            return attempt()
        except ThriftBroken:
            return False

    def _claim(self, begin: int, end: int) -> None:
        if not 0 <= begin <= end <= len(self._content):
            raise ThriftBroken
        self._spans.append((begin, end))

    def _doubt(self, reason: Reason, where: str) -> None:
        self._found.doubt(reason, self._named(where))

    def _named(self, where: str) -> str:
        return f"{self._where} > {where}"


def _is_column(one: Struct) -> bool:
    meta = one.fields.get(3)
    fields = meta.fields if isinstance(meta, Struct) else one.fields
    return isinstance(fields.get(3), list) and all(isinstance(fields.get(field), int) for field in (1, 4, 5, 6, 7))


def _first_that_fits(codecs: tuple[int | None, ...], body: memoryview, size: int) -> bytes:
    """Inflate with the first codec that fits; an empty body is an empty page in every codec. Raises InflateFailed."""
    if size == 0 and not len(body):
        return b""
    for codec in codecs[:-1]:
        try:
            return block(codec or 0, body, size)
        except InflateFailed:
            continue
    return block(codecs[-1] or 0, body, size)
