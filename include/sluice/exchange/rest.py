"""Who is in a file and not in the lake: references of rows that were refused or held, and of records that are no rows.

A run of its own beside the index, because it answers for the file as it came and for what was sealed of it, and goes
with them: nobody is told, called or answered by it. An erasure opens no file of which it says that nobody is in it.
"""

import polars as pl

from sluice.agreement.model import DataContract
from sluice.agreement.subjects import naming_columns
from sluice.lake.table import Table
from sluice.subject.cells import count_pieces, refs_of_columns, refs_of_pieces
from sluice.subject.index import build_run, write_run

REST, REST_FILE = "index.rest", "rest.parquet"
"""Kind of the copy; name of the file in the folder of a judgement."""
MOST_PIECES = 500_000
"""What stands between delimiters in records that are no rows: so many, as five kinds, take some 10 s of CPU."""


def is_told(contract: DataContract, table: Table) -> bool:
    """Whether runs can say who is in a file; else an erasure opens it.

    Every column that can name somebody is there, or the rest of the file may name them too; and the records that are
    no rows have no more than MOST_PIECES, or reading them all could cost the file its verdict.
    """
    naming = set(naming_columns(contract))
    if not naming or not naming <= set(table.frame.columns):
        return False
    return count_pieces(table.bad_records["raw"], table.dialect.delimiter) <= MOST_PIECES


def rest_of(contract: DataContract, table: Table, in_lake: pl.Series | None, key: bytes) -> bytes | None:
    """The run, or None where the index of the lake says all of it. ``in_lake``: rows of the table; None: no row is.

    To be asked of files of which runs can say who is in them. Of a file of which no row is in the lake, it is whole.
    """
    rows = table.frame if in_lake is None else table.frame.filter(~in_lake)
    if in_lake is not None and rows.is_empty() and table.bad_records.is_empty():
        return None
    kinds, region = naming_columns(contract), contract.file_format.region
    columns = refs_of_columns(rows, kinds, region, key)
    pieces = refs_of_pieces(table.bad_records["raw"], table.dialect.delimiter, kinds.values(), region, key)
    return write_run(build_run([*columns, *pieces]), is_whole=in_lake is None)
