"""Records out of Parquet files that went to a principal: filtered as plain values, written as such files are written.

Unlike lake files they are not sorted by person and hold no references, so their rows are found by their
cells. Nothing of the old file is copied, so no dictionary or statistic can carry what was erased.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sluice.lake.erase_model import Erased, EraseRefused, Numbers, checked_numbers
from sluice.lake.table import Dialect, Table, bad_records_frame
from sluice.lake.write_machine import put_table
from sluice.terms import Sha256

if TYPE_CHECKING:
    import pyarrow as pa

MAGIC = b"PAR1"
FORMAT = "parquet"


def read_rows(path: Path) -> Table | None:
    """The file as a table of text; None when it is no Parquet file, or one whose columns are no plain values."""
    import polars as pl
    from pyarrow import ArrowException

    with path.open("rb") as file:
        if file.read(4) != MAGIC:
            return None
    try:
        rows = pl.DataFrame(_read(path)).cast(pl.String)
    except (ArrowException, pl.exceptions.PolarsError, OSError):
        return None
    numbers = pl.int_range(1, rows.height + 1, dtype=pl.UInt32, eager=True).alias("row_number")
    return Table(rows, numbers, bad_records_frame([]), rows.height, Dialect(format=FORMAT))


def erase_records(source: Path, target: Path, records: Iterable[int] | Numbers, form: Table) -> Erased:
    """Write ``target``: ``source`` without these records (1 = first), same schema, types and metadata, then read it.

    form: what :func:`read_rows` gave. raises EraseRefused (PARQUET_SCHEMA, PARQUET_PROOF), RecordsUnknown."""
    from pyarrow.parquet import read_metadata

    numbers = checked_numbers(records, form.record_count)
    before = _read(source)
    kept = before.filter(~np.isin(np.arange(1, form.record_count + 1), numbers))
    draft = target.with_name(f".{target.name}.part")
    try:
        put_table(kept.replace_schema_metadata(None), draft, before.schema.metadata or {})
        if not read_metadata(draft).schema.equals(read_metadata(source).schema):
            raise EraseRefused.because("PARQUET_SCHEMA")
        if not _read(draft).equals(kept, check_metadata=True):
            raise EraseRefused.because("PARQUET_PROOF")
        content = draft.read_bytes()
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return Erased(form.record_count, kept.num_rows, Sha256(hashlib.sha256(content).hexdigest()), len(content))


def _read(path: Path) -> "pa.Table":
    from pyarrow.parquet import read_table

    return read_table(path)
