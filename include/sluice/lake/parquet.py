"""Lake files: plain Parquet that DuckDB, polars and Spark read, built to be erased from.

Rows are sorted by SubjectRef in row groups of 25,000, so one person touches one group. Statistics
exist for that keyed column only: a minimum or maximum of any other column would be a value in clear
that survives in the footer. Encodings are PLAIN and RLE_DICTIONARY, which the byte scanner can read.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

ROWS_PER_GROUP = 25_000
LOOKED_AT, MOSTLY_UNIQUE = 2_000, 0.6
"""A column whose first rows are mostly unique gets no dictionary: it would be larger than the column, and slower."""


def write_lake(
    frame: "pl.DataFrame", target: "Path | pa.NativeFile", *, sorted_by: str, order: "pl.Series | None" = None
) -> None:
    """Write ``frame`` to ``target``; the same rows give the same bytes.

    order: indexes of the rows that go in, as they are to be sorted; by default all, sorted already. They are gathered
    a row group at a time, so that no second frame is in memory."""
    import pyarrow.parquet as pq

    def group(start: int) -> "pl.DataFrame":
        return frame.slice(start, ROWS_PER_GROUP) if order is None else frame[order.slice(start, ROWS_PER_GROUP)]

    first = group(0)
    writer = pq.ParquetWriter(
        target,
        _as_arrow(first).schema,
        compression="zstd",
        use_dictionary=_repeating(first),
        write_statistics=[sorted_by],
        store_schema=False,
        version="2.6",
        data_page_version="1.0",
    )
    with writer:
        for start in range(0, max(1, frame.height if order is None else len(order)), ROWS_PER_GROUP):
            writer.write_table(_as_arrow(group(start)))


def _as_arrow(frame: "pl.DataFrame") -> "pa.Table":
    """The frame for the writer: text as it lies in memory, without a copy, which gives the same bytes.

    Categories become text: each would carry the whole list along."""
    import polars as pl

    plain = frame.cast({pl.Categorical: pl.String, pl.Enum: pl.String})
    return plain.to_arrow(compat_level=pl.CompatLevel.newest())


def _repeating(frame: "pl.DataFrame") -> list[str]:
    """Columns that a dictionary makes smaller."""
    head = frame.head(LOOKED_AT)
    return [column.name for column in head.get_columns() if column.n_unique() <= MOSTLY_UNIQUE * head.height]
