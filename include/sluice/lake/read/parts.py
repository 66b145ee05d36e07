"""A file as a series of tables of consecutive records, made one at a time, so that it need not fit in memory."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from sluice.lake.table import Dialect, FormatRefusal, Table, bad_records_frame

if TYPE_CHECKING:
    import polars as pl

PART_BYTES = 16 << 20
"""Size of a part: bytes of the file, or of the cells of a table in memory. Working on it takes about ten times this."""


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """The parts of a file.

    ``read(number)`` gives one of the ``count`` parts; ``again(row_numbers)``, with ascending numbers, gives rows that
    were read before. Row numbers count in the file; ``record_count`` and ``bad_records`` are those of the part. Every
    part has the same columns, dialect and notes. A part may turn out unreadable when it is read; its refusal is one of
    the whole file.
    """

    count: int
    read: Callable[[int], Table | FormatRefusal]
    again: "Callable[[pl.Series], pl.DataFrame]"

    @classmethod
    def of(cls, table: Table, part_bytes: int | None) -> "Parts":
        """Divide a table in memory into parts."""
        size, height = int(table.frame.estimated_size()), table.frame.height
        count = 1 if part_bytes is None else min(max(1, height), -(-max(1, size) // part_bytes))
        read = partial(_slice, table, -(-height // count)) if count > 1 else lambda _: table
        return cls(count, read, lambda numbers: table.frame[table.row_numbers.search_sorted(numbers)])

    def said(self, change: Callable[[Dialect], Dialect]) -> "Parts":
        """The same parts with a changed dialect."""

        def read(number: int) -> Table | FormatRefusal:
            table = self.read(number)
            return table if isinstance(table, FormatRefusal) else replace(table, dialect=change(table.dialect))

        return replace(self, read=read)


def _slice(table: Table, rows: int, number: int) -> Table:
    """One part of a table in memory. All bad records are in the first part."""
    frame, numbers = table.frame.slice(number * rows, rows), table.row_numbers.slice(number * rows, rows)
    bad = table.bad_records if number == 0 else bad_records_frame([])
    return replace(table, frame=frame, row_numbers=numbers, bad_records=bad, record_count=frame.height + bad.height)
