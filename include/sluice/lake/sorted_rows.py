"""Collect rows in parts and give those to keep back sorted, on disk when there are many.

The rows are sorted by a keyed hash in hexadecimal, whose first byte is evenly distributed. On disk, each part is
divided into shares by that byte. Shares follow each other in order, so only one share of all parts is in memory at a
time.
"""

import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
import polars as pl

from sluice.lake.parquet import ROWS_PER_GROUP

if TYPE_CHECKING:
    import pyarrow as pa

PLACE = "\x1fplace"
"""Name of an extra column. No column of a file has a control character in its name."""
IN_MEMORY = 4
"""Most parts of a file that wait in memory; if a file has more parts, all of them wait on disk."""
MOST_SHARES = 256
MOST_COLUMNS = 16_384
"""Most columns in all shares of a part together.

Each share describes every column, and for a wide table these descriptions are most of what is written."""
FILE_BYTES = 512 << 20
"""Size after which the next file begins: the size of a file is limited, and the total is not known beforehand."""


class SortedRows:
    """Rows to be sorted by ``by`` (hexadecimal text of one length), nulls last; equal rows keep their order."""

    def __init__(self, folder: Path, by: str, parts: int) -> None:
        """folder: for temporary files, which have no name and vanish when closed; parts: how many will be added."""
        self._by, self._height = by, 0
        self._frames: list[pl.DataFrame] = []
        self._disk = _Shares(folder, parts) if parts > IN_MEMORY else None
        self._hand = ThreadPoolExecutor(max_workers=1)
        self._adding: Future[None] | None = None

    def add(self, frame: pl.DataFrame) -> None:
        """Add the next rows, always with the same columns. They are written to disk while the caller goes on."""
        places = pl.int_range(self._height, self._height + frame.height, dtype=pl.UInt32, eager=True)
        placed = frame.with_columns(places.alias(PLACE))
        self._height += frame.height
        if self._disk is None:
            self._frames.append(placed)
        else:
            self._added()
            self._adding = self._hand.submit(self._lay, self._disk, [placed])

    def _lay(self, disk: "_Shares", placed: list[pl.DataFrame]) -> None:
        """Sort a part and write it. placed: a list with one frame, popped so that it can be freed meanwhile."""
        disk.add(_in_order(placed.pop(), self._by), self._by)

    def _added(self) -> None:
        """Wait until the last part is written; raise its error, if any."""
        if self._adding is not None:
            self._adding.result()

    def close(self) -> None:
        """Release the thread and the temporary files; no more rows can be read."""
        self._hand.shutdown()
        if self._disk is not None:
            self._disk.close()

    def sorted(self, kept: pl.Series) -> Iterator[pl.DataFrame]:
        """The rows to keep, sorted, in at least one frame. Call once. kept: Boolean, one for each added row."""
        self._added()
        return self._from_memory(kept) if self._disk is None else self._from_disk(self._disk, kept)

    def _from_memory(self, kept: pl.Series) -> Iterator[pl.DataFrame]:
        """Gather the rows one row group at a time, so that no second frame is in memory."""
        frame = pl.concat(self._frames, rechunk=True)
        self._frames.clear()
        order = _order(frame[self._by], kept)
        rows = frame.drop(PLACE)
        for start in range(0, max(1, len(order)), ROWS_PER_GROUP):
            yield rows[order.slice(start, ROWS_PER_GROUP)]

    def _from_disk(self, disk: "_Shares", kept: pl.Series) -> Iterator[pl.DataFrame]:
        for share in range(disk.count):
            yield _in_order(disk.whole(share), self._by, kept).drop(PLACE)
        for batch in disk.read(disk.count):
            rows = pl.DataFrame(batch)
            yield rows.drop(PLACE).filter(kept[rows[PLACE]])


def _in_order(rows: pl.DataFrame, by: str, kept: pl.Series | None = None) -> pl.DataFrame:
    """Return the rows to keep, sorted. kept: Boolean, one for each row of the file."""
    return rows[_order(rows[by], None if kept is None else kept[rows[PLACE]])]


def _order(texts: pl.Series, kept: pl.Series | None = None) -> pl.Series:
    """Return the indexes of the rows to keep, sorted by hexadecimal text, nulls last; equal rows keep their order.

    They are sorted as the number that the first 64 bits make, in half the time that texts take. Where different texts
    share it, as never happens by chance, the texts themselves are sorted.
    """
    text = pl.col("text")
    head = text.str.slice(0, 16).str.to_integer(base=16, dtype=pl.UInt64, strict=False)
    rows = texts.alias("text").to_frame().select(text, head=head, row=pl.int_range(pl.len(), dtype=pl.UInt32))
    rows = rows if kept is None else rows.filter(kept)
    ordered = rows.sort("head", nulls_last=True, maintain_order=True)
    shared = pl.col("head").eq_missing(pl.col("head").shift()) & text.ne_missing(text.shift())
    if ordered.select(shared.any()).item():
        ordered = rows.sort("text", nulls_last=True, maintain_order=True)
    return ordered["row"]


class _Shares:
    """Parts on disk, each in ``count`` shares plus one for rows whose sort value is null."""

    def __init__(self, folder: Path, parts: int) -> None:
        self.count = min(MOST_SHARES, 2 << (parts - 1).bit_length())
        self._folder = folder
        self._files: list[IO[bytes]] = []
        self._places: list[list[tuple[IO[bytes], int, int]]] = []
        """For each share, its place in each part: file, offset and length."""
        self._schema: pa.Schema | None = None

    def close(self) -> None:
        for file in self._files:
            file.close()

    def add(self, rows: pl.DataFrame, by: str) -> None:
        """Write the next part, already sorted."""
        if not self._places:
            self.count = max(1, min(self.count, MOST_COLUMNS // rows.width))
            self._places = [[] for _ in range(self.count + 1)]
        first = rows[by].str.slice(0, 2).str.to_integer(base=16, strict=False, dtype=pl.Int64)
        shares = (first * self.count // 256).fill_null(self.count).to_numpy()
        table = rows.to_arrow(
            compat_level=pl.CompatLevel.oldest()
        )  # with string views, every slice would be written whole
        del rows
        self._schema, file, at = table.schema, self._file(), 0
        batches = table.combine_chunks().to_batches()  # one, or none without rows
        heights = np.bincount(shares, minlength=self.count + 1)
        for share in np.flatnonzero(heights).tolist():  # a slice without rows would be written with the whole batch
            written = batches[0].slice(at, int(heights[share])).serialize()
            self._places[share].append((file, file.tell(), written.size))
            file.write(written)
            at += int(heights[share])

    def _file(self) -> IO[bytes]:
        """The file for the next part."""
        if not self._files or self._files[-1].tell() > FILE_BYTES:
            self._files.append(tempfile.TemporaryFile(dir=self._folder))  # noqa: SIM115  # closed by :meth:`close`
        return self._files[-1]

    def whole(self, share: int) -> pl.DataFrame:
        """One share of all parts, in order. Converting hundreds of parts one by one would take twice the time."""
        import pyarrow as pa

        table = pa.Table.from_batches(self.read(share), self._schema)
        return pl.DataFrame(table.combine_chunks(memory_pool=pa.system_memory_pool()))  # this pool keeps no memory

    def read(self, share: int) -> "Iterator[pa.RecordBatch]":
        """One share of each part, in order."""
        import pyarrow as pa

        for file, at, size in self._places[share]:
            file.seek(at)
            yield pa.ipc.read_record_batch(pa.py_buffer(file.read(size)), self._schema)
