"""Lake files: plain Parquet that DuckDB, polars and Spark read, built to be erased from.

Rows are sorted by SubjectRef in row groups of 25,000, so one person touches one group. Statistics
exist for that keyed column only: a minimum or maximum of any other column would be a value in clear
that survives in the footer. Encodings are PLAIN and RLE_DICTIONARY, which the byte scanner can read.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

ROWS_PER_GROUP = 25_000


def write_lake(frame: "pl.DataFrame", path: Path, *, sorted_by: str) -> None:
    """Write ``frame`` (already sorted) to ``path``; the same frame gives the same bytes."""
    import pyarrow.parquet as pq
    from polars import CompatLevel

    pq.write_table(
        frame.to_arrow(compat_level=CompatLevel.oldest()),
        path,
        compression="zstd",
        row_group_size=ROWS_PER_GROUP,
        write_statistics=[sorted_by],
        store_schema=False,
        version="2.6",
        data_page_version="1.0",
    )
