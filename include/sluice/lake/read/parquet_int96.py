"""INT96 timestamps of Parquet (Spark, Impala): a day and the nanoseconds within it, more than any Arrow unit holds.

Arrow's nanoseconds cover 1677 to 2262 and wrap around silently outside; microseconds cover every day but truncate.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    import pyarrow.parquet as pq

DEFAULT_UNIT = "us"
_ROUND = {"us": 10**6, "ns": 10**9}
"""Units in a second."""


def int96_columns(file: "pq.ParquetFile") -> tuple[str, ...]:
    """Paths of the columns with INT96 timestamps."""
    columns = (file.schema.column(at) for at in range(file.metadata.num_columns))
    return tuple(column.path for column in columns if column.physical_type == "INT96")


def exact_unit(path: Path) -> str | None:
    """The unit that holds every INT96 timestamp of a file exactly: ``us``, else ``ns``, else None.

    Seconds hold any day, so comparing with them shows which values wrapped around. Raises as pyarrow does."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        names = int96_columns(file)
    units = {DEFAULT_UNIT, "ns"}
    for name in names:
        readings = [pq.ParquetFile(path, coerce_int96_timestamp_unit=unit) for unit in ("s", "us", "ns")]
        for batches in zip(*(each.iter_batches(columns=[name]) for each in readings), strict=True):
            units &= _exact_units(*(pl.Series(batch.column(0).cast(pa.int64())) for batch in batches))
        for each in readings:
            each.close()
    return max(units, default=None)  # "us" before "ns"


def _exact_units(seconds: pl.Series, micros: pl.Series, nanos: pl.Series) -> set[str]:
    """The units that hold all of these values exactly.

    ``micros * 1000`` wraps around just as ``nanos`` does, so the two differ exactly where microseconds truncated."""
    is_whole = (micros * 1000 == nanos).all()
    found = {"us": micros, "ns": nanos}
    in_range = {unit for unit, values in found.items() if (values // _ROUND[unit] == seconds).all()}
    return in_range if is_whole else in_range - {"us"}
