"""Erase persons from lake files: untouched row groups are copied byte for byte, touched ones encoded anew.

No Parquet library builds a file from pieces of another, so the footer is edited here with a small
codec for Thrift's compact protocol, which is trusted only if it reproduces the old footer bit for bit.
A touched group is filtered as plain values and written by the lake's own writer, so that no dictionary
or statistic can carry what was erased. Rows of kept groups are copied without being decoded.
"""

import io
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from sluice.errors import Ref
from sluice.lake.erase.model import Erased, EraseRefused
from sluice.lake.erase.parquet_thrift import STRUCT, Items, Struct, decoded, encoded
from sluice.lake.parquet import write_group

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa
    from pyarrow.parquet import FileMetaData, Statistics

MAGIC = b"PAR1"
HANDS = 2
"""How many threads read, filter and encode row groups; the libraries release the GIL."""
AHEAD = 2 * HANDS
"""How many row groups may be under way or wait, encoded, to be copied."""

# Field numbers of parquet.thrift.
_SCHEMA, _NUM_ROWS, _ROW_GROUPS, _FOOTER_ENCRYPTION = 2, 3, 4, 8
_COLUMNS, _BYTES, _GROUP_ROWS, _FILE_OFFSET, _GROUP_COMPRESSED_BYTES, _ORDINAL = 1, 2, 3, 5, 6, 7
_CHUNK_OFFSET, _CHUNK_META = 2, 3
_NO_STRUCTS = Items(STRUCT, ())
_COMPRESSED_BYTES, _DATA_PAGE, _INDEX_PAGE, _DICTIONARY_PAGE, _BLOOM = 7, 9, 10, 11, 14


@dataclass(frozen=True, slots=True)
class _Task:
    """Which rows to erase from which file."""

    source: Path
    among: "pl.Series" = field(repr=False)
    ref_columns: tuple[str, ...]
    sorted_by: str
    declared: "pl.Schema"


class _Part(NamedTuple):
    """Some columns of a row group, encoded as a file of their own in memory, and its footer."""

    file: "pa.BufferReader"
    footer: Struct
    rows: int


@dataclass(frozen=True, slots=True)
class _Piece:
    """A row group of the result, and its column chunks by source: the old file, or new files in memory."""

    group: Struct
    parts: "tuple[tuple[Path | pa.BufferReader, tuple[Struct, ...]], ...]"


def find_refs(source: Path, refs: AbstractSet[str], ref_columns: Sequence[str]) -> tuple[int, ...]:
    """Count the rows of each row group that name one of ``refs`` in one of ``ref_columns``.

    A column of a group is read only if its statistics do not exclude all of ``refs``. In a lake file
    only the sorted column has statistics, so the other columns are read in every group.
    Raises EraseRefused: PARQUET_SCHEMA (a column is missing), PARQUET_UNREADABLE."""
    among = _among(refs)
    with readable():
        groups = _old_groups(_metadata(source), refs, ref_columns)
        return tuple(_hits(source, group, among) if group.columns else 0 for group in groups)


def erase_refs(
    source: Path, target: Path, refs: AbstractSet[str], ref_columns: Sequence[str], sorted_by: str
) -> Erased:
    """Write ``source`` to ``target`` without the rows that name one of ``refs``, and read it again as proof.

    ref_columns: a row goes when any of them is in ``refs``; sorted_by: as ``write_lake`` got it.
    Other rows keep values, order and types; the file keeps schema and metadata. ``target`` appears
    whole or not at all. Raises EraseRefused: PARQUET_FOREIGN (not as the lake writes),
    PARQUET_SCHEMA (a column is missing, or a group would get other types), PARQUET_UNREADABLE
    (damaged), PARQUET_PROOF (a row was still found)."""
    footer = _footer(source)
    draft = target.with_name(f".{target.name}.part")
    try:
        with readable(), ThreadPoolExecutor(HANDS) as hands:
            metadata = _metadata(source)
            task = _Task(source, _among(refs), tuple(ref_columns), sorted_by, _declared(metadata))
            groups = list(_old_groups(metadata, refs, ref_columns))
            after = _write(draft, footer, _pieces(task, groups, footer, hands))
            is_proven = _is_proven(draft, task, after)
        if not is_proven:
            raise EraseRefused.because("PARQUET_PROOF")
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return Erased(footer.get(_NUM_ROWS, int) or 0, after)


@contextmanager
def readable() -> Iterator[None]:
    """Turn errors of the Parquet libraries, whose messages may quote a cell, into EraseRefused: PARQUET_UNREADABLE."""
    from polars.exceptions import PanicException, PolarsError
    from pyarrow import ArrowException

    try:
        yield
        return
    except (ArrowException, PolarsError, PanicException):
        pass
    raise EraseRefused.because("PARQUET_UNREADABLE")


@dataclass(frozen=True, slots=True)
class _OldGroup:
    """One row group: its rows, the reference columns whose statistics do not exclude every person, and the columns
    that have a dictionary."""

    number: int
    start: int
    rows: int
    columns: tuple[str, ...]
    repeating: frozenset[str]


def _metadata(source: Path) -> "FileMetaData":
    from pyarrow.parquet import read_metadata

    return read_metadata(source)


def _old_groups(footer: "FileMetaData", refs: AbstractSet[str], ref_columns: Sequence[str]) -> Iterator[_OldGroup]:
    wanted, start = sorted(refs), 0
    places = {footer.schema.column(place).path: place for place in range(footer.num_columns)}
    if not ref_columns:
        raise EraseRefused.because("PARQUET_SCHEMA", Ref("reference columns", 0))
    if missing := [name for name in ref_columns if name not in places]:
        raise EraseRefused.because("PARQUET_SCHEMA", Ref("column", missing[0]))
    for number in range(footer.num_row_groups):
        group = footer.row_group(number)
        read = (name for name in ref_columns if _may_hold(group.column(places[name]).statistics, wanted))
        repeating = frozenset(name for name, place in places.items() if group.column(place).has_dictionary_page)
        yield _OldGroup(number, start, group.num_rows, tuple(read), repeating)
        start += group.num_rows


def _may_hold(statistics: "Statistics | None", refs: Sequence[str]) -> bool:
    if statistics is None or not statistics.has_min_max:
        return bool(refs)
    return bisect_left(refs, statistics.min) < bisect_right(refs, statistics.max)


def _rows(source: Path, start: int, count: int, columns: Sequence[str] | None) -> "pl.DataFrame":
    """Rows of a file. columns: None is all of them, which costs less than to name them."""
    import polars as pl

    rows = pl.scan_parquet(source, glob=False).slice(start, count)
    return (rows if columns is None else rows.select(columns)).collect()


def _hits(source: Path, group: _OldGroup, among: "pl.Series") -> int:
    return int(_named(_rows(source, group.start, group.rows, group.columns), group.columns, among).sum())


def _among(refs: AbstractSet[str]) -> "pl.Series":
    import polars as pl

    return pl.Series(sorted(refs), dtype=pl.String).implode()


def _named(rows: "pl.DataFrame", columns: Sequence[str], among: "pl.Series") -> "pl.Series":
    import polars as pl

    named = pl.any_horizontal(pl.col(name).cast(pl.String).is_in(among) for name in columns)
    return rows.select(named.fill_null(False)).to_series()


def _pieces(task: _Task, groups: Sequence[_OldGroup], footer: Struct, hands: ThreadPoolExecutor) -> Iterator[_Piece]:
    """The row groups of the result, in order."""
    fresh = _fresh_parts(task, groups, hands)
    for group, old in zip(groups, _groups(footer), strict=True):
        parts = next(fresh) if group.columns else None
        if parts is None:
            yield _Piece(old, ((task.source, tuple(_chunks(old))),))
        else:
            yield from _joined(parts, footer, group)


def _fresh_parts(task: _Task, groups: Sequence[_OldGroup], hands: ThreadPoolExecutor) -> "Iterator[list[_Part] | None]":
    """For each group that may name a person: the parts that take its place, or None if it stays as it is.

    The threads begin at once and take a group each; half of the columns each if there is only one such group."""
    touched = [group for group in groups if group.columns]
    names = task.declared.names()
    middle = (len(names) + 1) // 2 if len(touched) == 1 else len(names)
    shares = [share for share in (names[:middle], names[middle:]) if share]
    calls = (partial(_encoded, task, group, share) for group in touched for share in shares)
    begun = deque(hands.submit(call) for call in islice(calls, AHEAD))

    def results() -> "Iterator[list[_Part] | None]":
        while begun:
            parts = [begun.popleft().result() for _ in shares]
            begun.extend(hands.submit(call) for call in islice(calls, len(shares)))
            yield _side_by_side(parts)

    return results()


def _side_by_side(parts: "Iterable[_Part | None]") -> "list[_Part] | None":
    """The parts of one group, without those that have no rows; None if it stays as it is, which all parts say."""
    found = [part for part in parts if part is not None]
    return [part for part in found if part.rows] if found else None


def _encoded(task: _Task, group: _OldGroup, columns: Sequence[str]) -> "_Part | None":
    """Read these columns of a group and encode the rows that stay, in the declared types; None if all rows stay.

    If the sorted column may hold a person, everything is read at once; else the columns concerned are read first."""
    is_likely = task.sorted_by in group.columns
    first = dict.fromkeys((*group.columns, *columns)) if is_likely else group.columns
    rows = _rows(task.source, group.start, group.rows, None if len(first) == len(task.declared) else list(first))
    gone = _named(rows, group.columns, task.among)
    if not gone.any():
        return None
    if not is_likely:
        rows = _rows(task.source, group.start, group.rows, columns)
    own = rows if rows.columns == list(columns) else rows.select(columns)
    return _part(_as_declared(own.filter(~gone), task), group, task)


def _declared(metadata: "FileMetaData") -> "pl.Schema":
    """The types that the file declares."""
    import polars as pl

    return pl.Schema(metadata.schema.to_arrow_schema())


def _as_declared(rows: "pl.DataFrame", task: _Task) -> "pl.DataFrame":
    if all(task.declared[name] == found for name, found in rows.schema.items()):
        return rows
    return rows.cast({name: task.declared[name] for name in rows.columns})


def _part(rows: "pl.DataFrame", group: _OldGroup, task: _Task) -> "_Part":
    """Write rows as a file in pyarrow's own memory buffer, which is written without holding the GIL."""
    import pyarrow as pa

    written = pa.BufferOutputStream()
    write_group(rows, written, sorted_by=task.sorted_by, repeating=group.repeating)
    file = pa.BufferReader(written.getvalue())
    return _Part(file, _decoded_footer(_raw_footer(file)), rows.height)


def _joined(parts: Sequence[_Part], footer: Struct, group: _OldGroup) -> Iterator[_Piece]:
    """The replacement of a row group: the columns of its encoded parts side by side.

    Raises EraseRefused: PARQUET_SCHEMA."""
    columns = [column for part in parts for column in (part.footer.get(_SCHEMA, Items) or _NO_STRUCTS).values[1:]]
    if parts and tuple(columns) != (footer.get(_SCHEMA, Items) or _NO_STRUCTS).values[1:]:
        raise EraseRefused.because("PARQUET_SCHEMA", Ref("row group", group.number + 1))
    for pieces in zip(*(_groups(part.footer) for part in parts), strict=True):
        whole = pieces[0]
        for number in (_BYTES, _GROUP_COMPRESSED_BYTES):
            whole = whole.holding(number, sum(piece.get(number, int) or 0 for piece in pieces))
        yield _Piece(
            whole, tuple((part.file, tuple(_chunks(piece))) for part, piece in zip(parts, pieces, strict=True))
        )


def _footer(path: Path) -> Struct:
    """Read the footer of a file that the lake wrote. Raises EraseRefused: PARQUET_FOREIGN."""
    with path.open("rb") as file:
        raw = _raw_footer(file)
    footer = _decoded_footer(raw)
    if encoded(footer) != raw or not _is_ours(footer):
        raise EraseRefused.because("PARQUET_FOREIGN")
    return footer


def _raw_footer(file: BinaryIO) -> bytes:
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - 8))
    tail = file.read(8)
    length = int.from_bytes(tail[:4], "little")
    if size < 12 or tail[4:] != MAGIC or length > size - 12:
        raise EraseRefused.because("PARQUET_FOREIGN")
    file.seek(size - 8 - length)
    return file.read(length)


def _decoded_footer(raw: bytes) -> Struct:
    try:
        return decoded(raw)[0]
    except (IndexError, ValueError, RecursionError):
        pass
    raise EraseRefused.because("PARQUET_FOREIGN")


def _is_ours(footer: Struct) -> bool:
    """Whether all is in the pages and this footer: no page index, bloom filter, encryption or second file."""
    known = {number for number, _, _ in footer.fields} <= set(range(1, _FOOTER_ENCRYPTION))
    chunks = [chunk for group in _groups(footer) for chunk in _chunks(group)]
    return known and footer.get(_ROW_GROUPS, Items) is not None and all(map(_is_plain, chunks))


def _is_plain(chunk: Struct) -> bool:
    meta = chunk.get(_CHUNK_META, Struct)
    numbers = {number for number, _, _ in chunk.fields}
    if meta is None or not numbers <= {_CHUNK_OFFSET, _CHUNK_META} or chunk.get(_CHUNK_OFFSET, int):
        return False
    return meta.get(_INDEX_PAGE, int) is None and meta.get(_BLOOM, int) is None


def _groups(footer: Struct) -> Iterator[Struct]:
    return (footer.get(_ROW_GROUPS, Items) or _NO_STRUCTS).structs()


def _chunks(group: Struct) -> Iterator[Struct]:
    return (group.get(_COLUMNS, Items) or _NO_STRUCTS).structs()


def _write(target: Path, footer: Struct, pieces: Iterable[_Piece]) -> int:
    """Write the pieces and a footer with their new offsets; return the number of rows."""
    with target.open("wb") as out:
        out.write(MAGIC)
        groups = tuple(_copied(piece, out).holding(_ORDINAL, number) for number, piece in enumerate(pieces))
        rows = sum(group.get(_GROUP_ROWS, int) or 0 for group in groups)
        tail = encoded(footer.holding(_NUM_ROWS, rows).holding(_ROW_GROUPS, Items(STRUCT, groups)))
        out.write(tail + len(tail).to_bytes(4, "little") + MAGIC)
    return rows


def _copied(piece: _Piece, out: BinaryIO) -> Struct:
    """Copy a row group to ``out``; return it with its new offsets.

    Each chunk is copied by its own extent, so that bytes in gaps between chunks are left behind."""
    start = out.tell()
    chunks: list[Struct] = []
    for source, its in piece.parts:
        with source.open("rb") if isinstance(source, Path) else nullcontext(source) as file:
            chunks += [_copied_chunk(chunk, file, out) for chunk in its]
    return piece.group.holding(_COLUMNS, Items(STRUCT, tuple(chunks))).holding(_FILE_OFFSET, start)


def _copied_chunk(chunk: Struct, source: BinaryIO, out: BinaryIO) -> Struct:
    meta = chunk.get(_CHUNK_META, Struct) or Struct(())
    data, dictionary = meta.get(_DATA_PAGE, int) or 0, meta.get(_DICTIONARY_PAGE, int)
    size = meta.get(_COMPRESSED_BYTES, int) or 0
    start = min(data, dictionary or data)
    shift = out.tell() - start
    source.seek(start)
    pages = source.read(size)
    if len(pages) != size:
        raise EraseRefused.because("PARQUET_FOREIGN")
    out.write(pages)
    moved = meta.holding(_DATA_PAGE, data + shift)
    if dictionary:
        moved = moved.holding(_DICTIONARY_PAGE, dictionary + shift)
    return chunk.holding(_CHUNK_META, moved)


def _is_proven(draft: Path, task: _Task, rows: int) -> bool:
    """Whether the new file has as many rows as were kept and none names a person. Ignores the file's statistics."""
    import polars as pl

    read = pl.scan_parquet(draft, glob=False).select(task.ref_columns).collect()
    return read.height == rows and not _named(read, task.ref_columns, task.among).any()
