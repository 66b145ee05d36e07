"""Find and erase persons in files of any format we read, with the same reader and references as at the gate."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import polars as pl

from sluice.agreement.model import DataContract
from sluice.exchange.judging.reading import hints_of
from sluice.lake.erase import in_csv, in_json, in_parquet, in_xlsx
from sluice.lake.erase.in_gzip import erase_in_gzip
from sluice.lake.erase.in_zip import erase_in_zip
from sluice.lake.erase.model import Erased, EraseRefused
from sluice.lake.read import parquet_reader
from sluice.lake.read.reader import read_table
from sluice.lake.table import FileLimits, FormatRefusal, Table
from sluice.lake_columns import is_ref
from sluice.rights.copies.model import Column, Target, region_of
from sluice.scan.little import scan_little
from sluice.scan.model import Status
from sluice.scan.needles import Needles, needles_of
from sluice.scan.readers import Most, Readers
from sluice.subject.cells import PIECE_COLUMN, pieces_of, refs_of_columns


@dataclass(frozen=True)
class FoundInFile:
    """A readable file, and the numbers of the records that name the person. ``values``: how those cells are spelled.

    ``refs``: the references of every row of its table, one series per identifying column that is there.
    """

    table: Table
    records: tuple[int, ...]
    values: frozenset[str]
    refs: tuple[pl.Series, ...]
    has_every_column: bool
    """Whether all columns that can name somebody are there. If not, the rest of the file may name the person too."""
    limits: FileLimits
    """The limits within which the file was read, and is written."""


def rows_of(frame: pl.DataFrame, columns: Sequence[Column], region: str, target: Target) -> pl.Series:
    """Which rows name the person, in any identifying column."""
    return _naming(_refs_in(frame, columns, region, target), frame.height, target)


def _refs_in(frame: pl.DataFrame, columns: Sequence[Column], region: str, target: Target) -> tuple[pl.Series, ...]:
    kinds = [{column.name: column.kind} for column in columns]
    return tuple(refs for each in kinds for _, refs in refs_of_columns(frame, each, region, target.key))


def _naming(refs: Iterable[pl.Series], height: int, target: Target) -> pl.Series:
    columns = [each.alias(str(place)) for place, each in enumerate(refs)]
    if not columns:
        return pl.Series([False]).new_from_index(0, height)
    among = pl.Series(sorted(target.refs), dtype=pl.String).implode()
    return pl.DataFrame(columns).select(pl.any_horizontal(pl.all().is_in(among).fill_null(False))).to_series()


def bad_rows_of(
    raw: pl.Series, delimiters: Iterable[str] | None, columns: Sequence[Column], region: str, target: Target
) -> pl.Series:
    """Which records that are not rows name the person: in any piece between their delimiters, read as any kind."""
    if raw.is_empty():  # as in most files; to cut nothing takes milliseconds
        return pl.Series([], dtype=pl.Boolean)
    pieces = pieces_of(raw, delimiters)
    kinds = [Column(PIECE_COLUMN, kind) for kind in sorted({column.kind for column in columns})]
    rows = pieces.filter(rows_of(pieces, kinds, region, target))["row"].unique()
    return pl.int_range(len(raw), eager=True).is_in(rows.implode())


def find_in_file(
    path: Path, name: str, contract: DataContract | None, columns: Sequence[Column], target: Target, limits: FileLimits
) -> FoundInFile | None:
    """Find the person's records in a file as it came or went; None if nobody can tell which records are theirs.

    That is so if the file is not a table, or if the columns that could name somebody are unknown.
    """
    if not columns:
        return None
    table = read_table(path, file_name=name, wanted=hints_of(contract), limits=limits, folder=path.parent)
    if isinstance(table, FormatRefusal):
        return None
    region = region_of(contract)
    refs = _refs_in(table.frame, columns, region, target)
    mask = _naming(refs, table.frame.height, target)
    named_by = bad_rows_of(table.bad_records["raw"], table.dialect.delimiter, columns, region, target)
    bad = table.bad_records.filter(named_by)
    records = (*table.row_numbers.filter(mask).to_list(), *bad["row_number"].to_list())
    named = [column.name for column in columns if column.name in table.frame.columns]
    cells = table.frame.filter(mask).select(named) if named else pl.DataFrame()
    values = frozenset(value for column in cells.get_columns() for value in column.drop_nulls().to_list())
    return FoundInFile(table, records, values, refs, len(named) == len(columns), limits)


def refs_of_others(
    path: Path, name: str, contract: DataContract | None, columns: Sequence[Column], target: Target, limits: FileLimits
) -> Iterator[pl.Series]:
    """References of the rows that do not name the person, by column; nothing for a file that is not a table."""
    found = find_in_file(path, name, contract, columns, target, limits)
    if found is not None:
        yield from (refs.filter(_is_of_others(found)) for refs in found.refs)


def words_of_others(
    path: Path, name: str, contract: DataContract | None, columns: Sequence[Column], target: Target, limits: FileLimits
) -> Iterator[pl.Series]:
    """As :func:`refs_of_others`, but the written values, and also the pieces of records that are not rows."""
    found = find_in_file(path, name, contract, columns, target, limits)
    if found is not None:
        rows, bad = _of_others(found)
        yield from (rows[column.name] for column in columns if column.name in rows.columns)
        yield pieces_of(bad["raw"], found.table.dialect.delimiter)[PIECE_COLUMN]


def _of_others(found: FoundInFile) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows, and the records that are not rows, that do not name the person."""
    theirs = pl.Series(found.records, dtype=pl.Int64).implode()
    bad = found.table.bad_records.filter(~pl.col("row_number").is_in(theirs))
    return found.table.frame.filter(_is_of_others(found)), bad


def _is_of_others(found: FoundInFile) -> pl.Series:
    return ~found.table.row_numbers.is_in(pl.Series(found.records, dtype=pl.Int64).implode())


def names_person(path: Path, target: Target, most: Most) -> bool:
    """Whether an identifier stands as it was given in a file that is not a table. Sealed files are not read."""
    return _scanned(path, target, most) is Status.HIT


def hides_something(path: Path, target: Target, most: Most) -> bool:
    """Whether part of a file is neither text nor a form that we can open: a picture, a program, something encrypted."""
    return _scanned(path, target, most) in (Status.NOT_CLEAN, Status.OPAQUE)


def _scanned(path: Path, target: Target, most: Most) -> Status:
    """Scan a file, once. Content that can expand is read in a process of its own. Few files are no table."""
    scan = scan_little(path, needles_for(target))
    if scan is None:
        with Readers(path.parent, target.values, sorted(target.refs), 1, most) as reader:
            scan = reader.scan(path)
    return scan.status if scan is not None else Status.NOT_CLEAN


def needles_for(target: Target) -> Needles:
    """What to look for where there are no columns. Cached, because for a thousand persons it takes seconds to make."""
    return _needles(target.values, target.refs)


@lru_cache(maxsize=4)
def _needles(values: tuple[str, ...], refs: frozenset[str]) -> Needles:
    return needles_of(values, words=sorted(refs))


def erase_in_file(
    source: Path, target_path: Path, found: FoundInFile, contract: DataContract | None, target: Target
) -> Erased:
    """Write the file without those records, else unchanged. Raises EraseRefused: then the object is removed."""

    def plain(inner: Path, edited: Path) -> Erased:
        return _erase_plain(inner, edited, found, contract, target)

    packed = {"gzip": erase_in_gzip, "zip": erase_in_zip}.get(found.table.dialect.container or "")
    return packed(source, target_path, plain, found.limits) if packed else plain(source, target_path)


def _erase_plain(
    source: Path, target_path: Path, found: FoundInFile, contract: DataContract | None, target: Target
) -> Erased:
    form, records, limits = found.table.dialect.format, list(found.records), found.limits
    if form == "xlsx":
        needles = sorted({*found.values, *target.values})
        sheet = contract.file_format.sheet if contract else None
        return in_xlsx.erase_records(source, target_path, records, sheet=sheet, needles=needles, limits=limits)
    if form in ("json", "ndjson"):
        return in_json.erase_records(source, target_path, records, found.table, limits=limits)
    if form in ("csv", "tsv"):
        return in_csv.erase_records(source, target_path, records, found.table, limits=limits)
    if form == parquet_reader.FORMAT:
        return in_parquet.erase_records(source, target_path, records, found.table)
    raise EraseRefused.because("FORMAT_WITHOUT_ERASER")


def ref_columns(path: Path) -> list[str]:
    """The reference columns of a lake object."""
    names = pl.read_parquet_schema(path)
    return list(filter(is_ref, names))
