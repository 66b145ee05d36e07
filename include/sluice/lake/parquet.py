"""Lake files: plain Parquet that DuckDB, polars and Spark read, designed for erasing.

Rows are sorted by SubjectRef in row groups of 25,000, so one person touches one group. Only that
keyed column has statistics: a minimum or maximum of any other column would keep a value in clear in
the footer. Encodings are PLAIN and RLE_DICTIONARY, which the byte scanner can read.
"""

from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    import polars as pl
    import pyarrow as pa
    import pyarrow.parquet as pq

ROWS_PER_GROUP = 25_000
ROWS_AT_ONCE = 8_192
"""Rows of a column that are encoded in one go. The library's own 1,024 cost a fortieth more; whole groups would make
pages of many megabytes of long texts, because the size of a page is looked at in between."""
LOOKED_AT, MOSTLY_UNIQUE = 2_000, 0.6
"""A column whose first rows are mostly unique gets no dictionary, which would be larger than the column, and slower."""


def write_lake(frames: "Iterable[pl.DataFrame]", target: "Path | pa.NativeFile", *, sorted_by: str) -> None:
    """Write the rows of ``frames`` (at least one frame, already sorted).

    The same rows give the same bytes, however they are divided into frames. A group is encoded while the next one is
    prepared, because the library releases the GIL."""
    groups = regrouped(frames, ROWS_PER_GROUP)
    first = next(groups)
    writer_of_first = _writer(_as_arrow(first).schema, target, sorted_by, _repeating(first))
    with writer_of_first as writer, ThreadPoolExecutor(max_workers=1) as hand:
        writing: list[Future[None]] = []
        for table in map(_as_arrow, chain([first], groups)):
            if writing:
                writing.pop().result()
            writing.append(hand.submit(writer.write_table, table))
        writing.pop().result()


def write_group(rows: "pl.DataFrame", target: "pa.NativeFile", *, sorted_by: str, repeating: "Collection[str]") -> None:
    """Write rows as the only group of a file, as :func:`write_lake` does, without a thread of its own.

    repeating: the columns that get a dictionary."""
    table = _as_arrow(rows)
    with _writer(table.schema, target, sorted_by, repeating) as writer:
        writer.write_table(table)


def _writer(
    schema: "pa.Schema", target: "Path | pa.NativeFile", sorted_by: str, repeating: "Collection[str]"
) -> "pq.ParquetWriter":
    import pyarrow.parquet as pq

    return pq.ParquetWriter(
        target,
        schema,
        compression="zstd",
        use_dictionary=[name for name in schema.names if name in repeating],
        write_statistics=[sorted_by],
        write_batch_size=ROWS_AT_ONCE,
        store_schema=False,
        version="2.6",
        data_page_version="1.0",
    )


def regrouped(frames: "Iterable[pl.DataFrame]", rows: int) -> "Iterator[pl.DataFrame]":
    """The same rows in frames of ``rows`` each, the last one shorter; one empty frame if there are no rows."""
    import polars as pl

    waiting, height, is_any = list[pl.DataFrame](), 0, False
    for frame in frames:
        waiting, height = [*waiting, frame], height + frame.height
        if height < rows:
            continue
        whole = pl.concat(waiting, rechunk=True)
        waiting.clear()
        del frame
        for start in range(0, height - rows + 1, rows):
            is_any = True
            yield whole.slice(start, rows)
        waiting, height = [whole.slice(height - height % rows)], height % rows
    if height or not is_any:
        yield pl.concat(waiting, rechunk=True)


def _as_arrow(frame: "pl.DataFrame") -> "pa.Table":
    """The frame as an Arrow table for the writer. Text is not copied, which gives the same bytes.

    Categories become text, because each group would otherwise carry the whole list of them."""
    import polars as pl

    if any(isinstance(each, pl.Categorical | pl.Enum) for each in frame.dtypes):
        frame = frame.cast({pl.Categorical: pl.String, pl.Enum: pl.String})
    return frame.to_arrow(compat_level=pl.CompatLevel.newest())


def _repeating(frame: "pl.DataFrame") -> list[str]:
    """The names of the columns that a dictionary makes smaller, judged by their first rows."""
    head = frame.head(LOOKED_AT)
    return [column.name for column in head.get_columns() if column.n_unique() <= MOSTLY_UNIQUE * head.height]
