"""Erase records from Parquet files that were received or delivered: filter plain values, then write them anew.

Unlike lake files, these are not sorted by person and hold no references, so their rows are found by
their cells. Nothing of the old file is copied, so no dictionary or statistic can carry what was erased.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from sluice.lake.erase.in_lake import readable
from sluice.lake.erase.model import Erased, EraseRefused, Numbers, checked_numbers
from sluice.lake.read.parquet_int96 import exact_unit, int96_columns
from sluice.lake.read.parquet_reader import plain_schema
from sluice.lake.table import Table
from sluice.lake.write.machine import put_table

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

_ARROW_TYPES = b"ARROW:schema"
"""The footer key under which Arrow keeps its own types and all field metadata; it is made anew."""
_PANDAS = b"pandas"
_PANDAS_KEYS = {"index_columns", "column_indexes", "columns", "creator", "pandas_version", "partition_columns"}
_KNOWN = {_PANDAS, b"sluice.role_statement"}
"""Footer keys that may stay: names and types, and the roles that our own returns state."""
_FIELD_ID = b"PARQUET:field_id"
_POLARS = b"_PL_"
"""Prefix of the keys under which Polars keeps the list of categories."""


def erase_records(source: Path, target: Path, records: Iterable[int] | Numbers, form: Table) -> Erased:
    """Write ``source`` without these records (1 = first) to ``target``, and prove it by reading it again.

    Columns, types and metadata stay, but categories become the values they stand for: the list of
    categories would still name an erased person.

    form: what the reader returned. Raises EraseRefused: PARQUET_METADATA (some may name an erased person),
    PARQUET_SCHEMA, PARQUET_PROOF, PARQUET_UNREADABLE; RecordsUnknown."""
    numbers = checked_numbers(records, form.record_count)
    draft = target.with_name(f".{target.name}.part")
    try:
        with readable():
            rows = _write(source, draft, ~np.isin(np.arange(1, form.record_count + 1), numbers))
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return Erased(form.record_count, rows)


def _write(source: Path, draft: Path, stays: "npt.NDArray[np.bool_]") -> int:
    """Write and prove the draft; return its number of rows. Raises EraseRefused."""
    from pyarrow import types
    from pyarrow.parquet import ParquetFile

    unit = exact_unit(source)
    if unit is None:
        raise EraseRefused.because("PARQUET_UNREADABLE")
    before = _read(source, unit)
    _check_metadata(before.schema)
    kept = before.filter(stays)
    with ParquetFile(source) as file:
        has_arrow_types = _ARROW_TYPES in (file.metadata.metadata or {})
        moments = sum(types.is_timestamp(field.type) for field in before.schema)
        has_int96 = len(int96_columns(file)) == moments > 0
    metadata = before.schema.metadata or {}
    put_table(kept, draft, metadata, keeps_arrow_types=has_arrow_types, with_int96=has_int96)
    after = _read(draft, unit)
    if not after.schema.equals(kept.schema, check_metadata=True):
        raise EraseRefused.because("PARQUET_SCHEMA")
    if not pl.DataFrame(after).equals(pl.DataFrame(kept)):
        raise EraseRefused.because("PARQUET_PROOF")
    return int(kept.num_rows)


def _read(path: Path, int96_unit: str) -> "pa.Table":
    """Read rows as plain values, with the metadata that may stay."""
    import pyarrow as pa
    from pyarrow.parquet import read_table

    table = read_table(path, coerce_int96_timestamp_unit=int96_unit)
    schema = plain_schema(table.schema)
    fields = [field.with_metadata(_without(field.metadata, _POLARS)) for field in schema]
    return table.cast(pa.schema(fields, _without(schema.metadata, _ARROW_TYPES)))


def _without(metadata: dict[bytes, bytes] | None, start: bytes) -> dict[bytes, bytes] | None:
    return {key: value for key, value in (metadata or {}).items() if not key.startswith(start)} or None


def _check_metadata(schema: "pa.Schema") -> None:
    """Check that the footer holds only known metadata: anything else could quote a cell.

    Raises EraseRefused: PARQUET_METADATA."""
    on_schema, on_fields = schema.metadata or {}, (key for field in schema for key in field.metadata or {})
    is_known = set(on_schema) <= _KNOWN and set(on_fields) <= {_FIELD_ID}
    if not is_known or not _is_of_pandas(on_schema.get(_PANDAS)):
        raise EraseRefused.because("PARQUET_METADATA")


def _is_of_pandas(said: bytes | None) -> bool:
    """Whether the metadata of Pandas only describes columns; attributes that a user set may hold anything."""
    if said is None:
        return True
    try:
        found = json.loads(said)
    except ValueError:
        return False
    return isinstance(found, dict) and not found.pop("attributes", None) and found.keys() <= _PANDAS_KEYS
