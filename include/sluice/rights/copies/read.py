"""Read the person's own rows of a copy as a table, so that an answer gives what an erasure would find.

The stores call it. It uses the same search, references and readers as they do. Rows that name the person but cannot
be told apart from other persons' rows are counted, never given.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from sluice.agreement.model import DataContract
from sluice.exchange.judging.reading import hints_of
from sluice.lake.read.reader import read_table
from sluice.lake.table import FormatRefusal
from sluice.lake_columns import ref_of
from sluice.rights.copies.bench import Bench, Looked
from sluice.rights.copies.files import FoundInFile, ref_columns, rows_of
from sluice.rights.copies.model import Column, Copy, region_of
from sluice.subject.columns import normalise_column
from sluice.subject.key import SubjectKey
from sluice.subject.model import DEFINING
from sluice.subject.refs import ref_column
from sluice.terms import SubjectKind

OURS = "sluice_"


@dataclass(frozen=True)
class PersonRows:
    """What one copy holds of the person. ``frame``: rows, with every column as text, under the file's column names.

    ``raw``: records that are not rows, as they came. ``ids``: by defining kind, the reference of each row.
    ``apart``: how many rows (1 for a whole object) name the person and cannot be told apart from those of others.
    """

    copy: Copy
    frame: pl.DataFrame = field(default_factory=pl.DataFrame, repr=False)
    raw: tuple[str, ...] = field(default=(), repr=False)
    ids: Mapping[SubjectKind, pl.Series] = field(default_factory=dict, repr=False)
    apart: int = 0


def rows_in_lake(bench: Bench, copy: Copy, path: Path) -> PersonRows:
    """The rows of a lake object that have one of the person's references."""
    refs = sorted(bench.target.refs)
    mine = pl.any_horizontal(pl.col(name).is_in(refs).fill_null(False) for name in ref_columns(path))
    found = pl.scan_parquet(path).filter(mine).collect()
    ids = {
        column.kind: found[ref_of(column.name)]
        for column in copy.columns
        if column.kind in DEFINING and ref_of(column.name) in found.columns
    }
    return PersonRows(copy, _text(found), ids=ids)


def rows_in_file(bench: Bench, copy: Copy, path: Path, name: str, looked: Looked) -> PersonRows:
    """The records of a file in which somebody has ``looked`` for the person. ``name``: of the file as it came."""
    found, rows = looked
    if found is not None:
        return _found(bench, copy, found)
    return _by_cell(bench, copy, path, name) if rows else PersonRows(copy)


def _found(bench: Bench, copy: Copy, found: FoundInFile) -> PersonRows:
    """The records with these numbers, from the table and from those that are not rows."""
    records = pl.Series(found.records, dtype=pl.Int64)
    table = found.table
    mine = table.frame.filter(table.row_numbers.cast(pl.Int64).is_in(records.implode()))
    bad = table.bad_records.filter(table.bad_records["row_number"].cast(pl.Int64).is_in(records.implode()))
    return PersonRows(copy, _text(mine), tuple(bad["raw"].to_list()), _ids(bench, copy, mine))


def _by_cell(bench: Bench, copy: Copy, path: Path, name: str) -> PersonRows:
    """Read a file with unexplained columns: a row is the person's if any cell is one of their identifiers."""
    table = read_table(path, file_name=name, wanted=hints_of(None), limits=bench.limits, folder=path.parent)
    if isinstance(table, FormatRefusal):
        return PersonRows(copy, apart=1)
    every = [Column(column, kind) for column in table.frame.columns for kind in SubjectKind]
    mine = table.frame.filter(rows_of(table.frame, every, region_of(copy.contract), bench.target))
    return PersonRows(copy, _text(mine), apart=int(mine.is_empty()))


def rows_in_table(bench: Bench, copy: Copy, mine: pl.DataFrame) -> PersonRows:
    """The person's rows of a table of our own that has the file's columns."""
    return PersonRows(copy, _text(mine), ids=_ids(bench, copy, mine))


def _ids(bench: Bench, copy: Copy, rows: pl.DataFrame) -> dict[SubjectKind, pl.Series]:
    named = [each for each in copy.columns if each.kind in DEFINING and each.name in rows.columns]
    return {each.kind: refs_in(rows[each.name], each.kind, bench.target.key, copy.contract) for each in named}


def refs_in(cells: pl.Series, kind: SubjectKind, key: SubjectKey, contract: DataContract | None) -> pl.Series:
    """References of the cells of a column."""
    return ref_column(normalise_column(cells, kind, region=region_of(contract)).values, kind, key)


def _text(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows as text, without our own columns."""
    names = [name for name in rows.columns if not name.startswith(OURS)]
    return rows.select(pl.col(name).cast(pl.String) for name in names)
