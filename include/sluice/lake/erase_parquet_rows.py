"""Records out of Parquet files that came or went: filtered as plain values, written as such files are written.

Unlike lake files they are not sorted by person and hold no references, so their rows are found by their
cells. Nothing of the old file is copied, so no dictionary or statistic can carry what was erased.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sluice.lake.erase_model import Erased, EraseRefused, Numbers, checked_numbers
from sluice.lake.table import Table
from sluice.lake.write_machine import put_table
from sluice.terms import Sha256

if TYPE_CHECKING:
    import pyarrow as pa

_ARROW_TYPES = b"ARROW:schema"
"""Where Arrow keeps its own types in a footer."""


def erase_records(source: Path, target: Path, records: Iterable[int] | Numbers, form: Table) -> Erased:
    """Write ``target``: ``source`` without these records (1 = first), same schema, types and metadata, then read it.

    Categories become the values they stand for: the list of them would still name whoever left.

    form: what the reader gave. raises EraseRefused (PARQUET_SCHEMA, PARQUET_PROOF), RecordsUnknown."""
    from pyarrow.parquet import read_metadata

    numbers = checked_numbers(records, form.record_count)
    before = _read(source)
    kept = before.filter(~np.isin(np.arange(1, form.record_count + 1), numbers))
    draft = target.with_name(f".{target.name}.part")
    try:
        old = read_metadata(source)
        has_arrow_types = _ARROW_TYPES in (old.metadata or {})
        metadata = before.schema.metadata or {}
        put_table(kept, draft, metadata, keeps_arrow_types=has_arrow_types)
        if not read_metadata(draft).schema.equals(old.schema):
            raise EraseRefused.because("PARQUET_SCHEMA")
        if not _read(draft).equals(kept, check_metadata=True):
            raise EraseRefused.because("PARQUET_PROOF")
        content = draft.read_bytes()
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return Erased(form.record_count, kept.num_rows, Sha256(hashlib.sha256(content).hexdigest()), len(content))


def _read(path: Path) -> "pa.Table":
    import pyarrow as pa
    from pyarrow.parquet import read_table

    table = read_table(path)
    plain = [field.with_type(field.type.value_type) if _is_category(field) else field for field in table.schema]
    return table.cast(pa.schema(plain, table.schema.metadata))


def _is_category(field: "pa.Field") -> bool:
    from pyarrow.types import is_dictionary

    return bool(is_dictionary(field.type))
