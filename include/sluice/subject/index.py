"""The subject index: from a SubjectRef to the objects that hold the person, as sorted Parquet runs.

A run holds the first 8 bytes of each reference (big-endian), sorted: enough to point at files, because a hit is checked
again in the file. There is one run per exchange. Many of them can be merged into one, which is split by the leading
bits of the references. Bytes in, bytes out: where they are kept is not decided here.
"""

import io
from binascii import unhexlify
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import polars as pl

from sluice.errors import Ref
from sluice.subject.model import IndexInvalid, RefMalformed
from sluice.terms import SubjectKind

if TYPE_CHECKING:
    from pyarrow import Table
    from pyarrow.parquet import FileMetaData, ParquetFile, Statistics

Source = Path | bytes | BinaryIO
"""Where a run is read from; a file object is read by ranges, so a remote one costs few requests."""

KIND_CODES: Mapping[SubjectKind, int] = {
    SubjectKind.PHONE: 1,
    SubjectKind.EMAIL: 2,
    SubjectKind.PRINCIPAL_CUSTOMER_ID: 3,
    SubjectKind.NATIONAL_NUMBER: 4,
    SubjectKind.IBAN: 5,
}
"""Stored in runs: never renumber."""

CANDIDATE_CODE = 6
"""Kind of name and birth date, which point at candidates. It is no SubjectKind, so that nothing takes it for one."""

ROWS_PER_GROUP = 4_096
"""Entries of a row group. They are sorted, so one person is in one group: the smaller it is, the less is unpacked to
say no."""
ENTRIES_PER_SLICE = 500_000
"""About so many entries of a run are put in order at a time."""
ENTRIES_PER_PART = 65_536
"""At most so many entries of a merge are read for one person: about half a megabyte."""
MOST_BITS = 12
REF_BYTES = 16
WHOLE = b"sluice.whole"
"""Key in the metadata of a run that holds every reference which the columns of its file can give."""


@dataclass(frozen=True, slots=True)
class Merged:
    """Many runs as one, in 2 ** ``bits`` parts: each holds the references whose leading bits are its number.

    Parts are made one by one, so that no more than the runs themselves is in memory. ``runs``: object number, sorted
    references, and where each part begins in them.
    """

    bits: int
    runs: tuple[tuple[int, np.ndarray, Sequence[int]], ...] = field(repr=False)

    def __len__(self) -> int:
        return 1 << self.bits

    def part(self, number: int) -> pl.DataFrame:
        """Return the entries of a part (``ref`` UInt64, ``object`` UInt32), sorted; there may be none."""
        mine = [refs[starts[number] : starts[number + 1]] for _, refs, starts in self.runs]
        places = np.repeat([place for place, *_ in self.runs], [len(refs) for refs in mine])
        entries = {"ref": np.concatenate([np.empty(0, np.uint64), *mine]), "object": places.astype(np.uint32)}
        return _unlike_the_one_before(pl.DataFrame(entries).sort("ref", maintain_order=True))


def first_word(refs: pl.Series) -> pl.Series:
    """First 8 bytes of each reference (32 hexadecimal characters) as UInt64; null stays null.

    Raises RefMalformed naming the first row that holds anything else.
    """
    head = refs.str.slice(0, 16)
    is_long = (refs.str.len_bytes() == 2 * REF_BYTES).fill_null(True)
    words = _as_words(head.fill_null("0" * 16))
    if words is None or not is_long.all():
        is_hex = head.is_null() | head.str.decode("hex", strict=False).is_not_null()
        raise RefMalformed(Ref("row", int((~(is_long & is_hex)).arg_true()[0]) + 1))
    return words.set(refs.is_null(), None) if refs.null_count() else words


def _as_words(heads: pl.Series) -> pl.Series | None:
    """Return 16 hexadecimal characters each as UInt64, all at once; None if there is anything else."""
    try:
        return pl.Series(heads.name, np.frombuffer(unhexlify(heads.str.join().item()), dtype=">u8").astype(np.uint64))
    except ValueError:
        return None


def build_run(columns: Iterable[tuple[SubjectKind, pl.Series]]) -> pl.DataFrame:
    """The run of one exchange: unique (``ref`` UInt64, ``kind`` UInt8), sorted by ``ref``.

    columns: each subject column of the accepted rows as references from ``ref_column``.
    """
    entries = Entries()
    entries.add(columns)
    return pl.concat(list(entries.sorted()))


class Entries:
    """Collects what goes into a run, from all parts of a file. Only 8 bytes of each reference are kept in memory."""

    def __init__(self) -> None:
        self._words: dict[int, list[np.ndarray]] = defaultdict(list)

    def add(self, columns: Iterable[tuple[SubjectKind, pl.Series]], candidates: pl.Series | None = None) -> None:
        """Add the next part. ``columns``: as in :func:`build_run`; ``candidates``: from ``candidate_column``."""
        coded = [(KIND_CODES[kind], refs) for kind, refs in columns]
        for code, refs in [*coded, *([] if candidates is None else [(CANDIDATE_CODE, candidates)])]:
            self._words[code].append(np.sort(first_word(refs).drop_nulls().to_numpy()))

    def sorted(self) -> Iterator[pl.DataFrame]:
        """Yield the run in slices by leading bits, of about equal size; only an empty run has an empty slice."""
        count = sum(len(words) for parts in self._words.values() for words in parts)
        bits = max(0, count // ENTRIES_PER_SLICE).bit_length()
        columns = {code: [(words, _begins(words, bits)) for words in parts] for code, parts in self._words.items()}
        for number in range(1 << bits):
            run = pl.DataFrame(schema={"ref": pl.UInt64, "kind": pl.UInt8})
            for code, parts in columns.items():
                words = np.concatenate([part[begins[number] : begins[number + 1]] for part, begins in parts])
                words.sort()
                refs = pl.Series("ref", words, dtype=pl.UInt64).to_frame()
                run = run.merge_sorted(refs.with_columns(_kind_code(code)), key="ref")
            if run.height or not count:
                yield _unlike_the_one_before(run)

    def write(self, target: Path, *, is_whole: bool) -> None:
        """Write the run to a file, as :func:`write_run`."""
        _write(self.sorted(), target, is_whole=is_whole)


def _begins(words: np.ndarray, bits: int) -> Sequence[int]:
    """Return where each of the 2 ** ``bits`` slices begins in sorted words, and the end."""
    edges = np.arange(1, 1 << bits, dtype=np.uint64) << np.uint64(64 - bits)
    return (0, *np.searchsorted(words, edges).tolist(), len(words))


def _unlike_the_one_before(entries: pl.DataFrame) -> pl.DataFrame:
    """Return sorted entries, each once."""
    return entries.filter(pl.any_horizontal(pl.all().ne_missing(pl.all().shift(1))))


@dataclass(frozen=True, slots=True)
class Answer:
    """What a run says of some persons: how many entries it has of them, and whether it knows every row of its file."""

    hits: int
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Run:
    """A run in memory, to be asked again and again: its first words, sorted. Its repr never shows a reference."""

    words: np.ndarray = field(repr=False)
    is_whole: bool

    def ask(self, refs: Sequence[str]) -> Answer:
        """As :func:`ask_run`."""
        return Answer(_count(self.words, _words(tuple(refs))), self.is_whole)


def write_run(entries: pl.DataFrame, *, is_whole: bool = False) -> bytes:
    """Write a sorted run as Parquet: plain encoding, zstd, statistics on ``ref`` only.

    Statistics quote keyed references, never identifiers; plain pages stay readable to a byte scanner. ``is_whole``:
    whoever is not in the run is in no column of the file that can name a person.
    """
    sink = io.BytesIO()
    _write([entries], sink, is_whole=is_whole)
    return sink.getvalue()


def _write(slices: Iterable[pl.DataFrame], target: Path | BinaryIO, *, is_whole: bool) -> None:
    """Write slices that all have the same columns; there must be at least one."""
    import pyarrow.parquet as pq

    tables = (each.to_arrow() for each in slices)
    first = next(tables)
    schema = first.schema.with_metadata({WHOLE: b"1"}) if is_whole else first.schema
    with pq.ParquetWriter(target, schema, compression="zstd", use_dictionary=False, write_statistics=["ref"]) as writer:
        for table in chain([first], tables):
            writer.write_table(table.replace_schema_metadata(schema.metadata), row_group_size=ROWS_PER_GROUP)


def find_in_run(source: Source, refs: Sequence[str]) -> pl.DataFrame:
    """Return the entries of a run (one exchange's, or a part of a merge) whose reference is among ``refs``.

    Reads the footer and only the row groups whose range can hold one. Raises IndexInvalid.
    """
    words = _words(tuple(refs))
    with _opened(source) as file:
        found = pl.from_arrow(_read(file, _groups_with(file.metadata, words)))
    assert isinstance(found, pl.DataFrame)  # a table is no series
    return found.filter(pl.col("ref").is_in(pl.Series(words, dtype=pl.UInt64).implode()))


def ask_run(source: Source, refs: Sequence[str]) -> Answer:
    """Return how many entries of a run are of ``refs``, and whether the run is whole. Raises IndexInvalid."""
    words = _words(tuple(refs))
    with _opened(source) as file:
        held = _read(file, _groups_with(file.metadata, words), ["ref"])["ref"].to_numpy()
        return Answer(_count(held, words), WHOLE in (file.metadata.metadata or {}))


def read_run(source: Source) -> Run:
    """Read all of a run. Raises IndexInvalid."""
    with _opened(source) as file:
        held = _read(file, range(file.metadata.num_row_groups), ["ref"])["ref"].to_numpy()
        return Run(held, WHOLE in (file.metadata.metadata or {}))


def _count(held: np.ndarray, words: Sequence[int]) -> int:
    """Count how many of the sorted ``held`` are among these."""
    asked = np.unique(np.array(words, np.uint64))
    return int((np.searchsorted(held, asked, "right") - np.searchsorted(held, asked, "left")).sum())


def is_whole(source: Source) -> bool:
    """Whether a run knows every row of its file. Raises IndexInvalid."""
    with _opened(source) as file:
        return WHOLE in (file.metadata.metadata or {})


def merge_runs(runs: Sequence[tuple[int, pl.DataFrame]]) -> Merged:
    """Merge runs into one, split evenly, because references are spread evenly: a part's number says nothing of anybody.

    ``runs``: (object number, run as built by ``build_run``), numbers rising. The kind is dropped: the file knows it.
    """
    entries = sum(run.height for _, run in runs)
    bits = min(MOST_BITS, max(0, (entries - 1) // ENTRIES_PER_PART).bit_length())
    refs = [(number, run["ref"].to_numpy()) for number, run in runs]
    return Merged(bits, tuple((number, held, _begins(held, bits)) for number, held in refs))


def parts_with(refs: Sequence[str], bits: int) -> tuple[int, ...]:
    """Return the numbers of the parts of a merge that can hold one of these references."""
    return tuple(sorted({word >> (64 - bits) for word in _words(tuple(refs))}))


def _kind_code(code: int) -> pl.Expr:
    return pl.lit(code, dtype=pl.UInt8).alias("kind")


@lru_cache(maxsize=8)
def _words(refs: tuple[str, ...]) -> list[int]:
    """Return the first words in order; they are kept, because one person is looked for in run after run."""
    return sorted(first_word(pl.Series("ref", refs, dtype=pl.String)).to_list())


@contextmanager
def _opened(source: Source) -> "Iterator[ParquetFile]":
    """Open a run for reading. Raises IndexInvalid for anything else, also when that shows only while it is read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(io.BytesIO(source) if isinstance(source, bytes) else source)
        if file.schema_arrow.names[:1] == ["ref"] and file.schema_arrow.types[0] == pa.uint64():
            yield file
            return
    except (pa.ArrowException, OSError):
        pass
    raise IndexInvalid(Ref("run", source.name if isinstance(source, Path) else "given as bytes"))


def _read(file: "ParquetFile", groups: Sequence[int], columns: list[str] | None = None) -> "Table":
    """Read these row groups, in this thread alone: they are small, and there are many runs."""
    return file.read_row_groups(groups, columns=columns, use_threads=False)


def _groups_with(footer: "FileMetaData", words: Sequence[int]) -> list[int]:
    """Numbers of the row groups whose [min, max] holds one of the sorted ``words``."""
    return [
        group
        for group in range(footer.num_row_groups)
        if _may_hold(footer.row_group(group).column(0).statistics, words)
    ]


def _may_hold(statistics: "Statistics | None", words: Sequence[int]) -> bool:
    if statistics is None or not statistics.has_min_max:
        return True
    return bisect_left(words, statistics.min) < bisect_right(words, statistics.max)
