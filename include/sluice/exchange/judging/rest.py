"""Who is in a file and not in the lake: references of rows that were refused or held, and of records that are no rows.

A run of its own beside the index, because it answers for the file as it came and for what was sealed of it, and goes
with them: nobody is told, called or answered by it. An erasure opens no file of which it says that nobody is in it.
"""

from collections.abc import Collection
from pathlib import Path

import polars as pl

from sluice.agreement.contract.subjects import naming_columns
from sluice.agreement.model import DataContract
from sluice.subject.cells import count_pieces, refs_of_columns, refs_of_pieces
from sluice.subject.index import Entries
from sluice.subject.key import SubjectKey

REST_FILE = "rest.parquet"
"""Name of the file in the folder of a judgement."""
MOST_PIECES = 500_000
"""What stands between delimiters in records that are no rows: so many, as five kinds, take some 10 s of CPU."""


def is_told(contract: DataContract, columns: Collection[str], records: pl.Series, delimiter: str | None) -> bool:
    """Whether runs can say who is in a file; else an erasure opens it.

    Every column that can name somebody is there, or the rest of the file may name them too; and the records that are
    no rows (``records``: their text) have no more than MOST_PIECES, or to read them could cost the file its verdict.
    """
    naming = set(naming_columns(contract))
    if not naming or not naming <= set(columns):
        return False
    return count_pieces(records, delimiter) <= MOST_PIECES


class Rest:
    """The run of what is not in the lake; of files of which runs can say who is in them."""

    def __init__(self, contract: DataContract, key: SubjectKey) -> None:
        self._kinds, self._region = naming_columns(contract), contract.file_format.region
        self._key, self._entries = key, Entries()

    def add(self, rows: pl.DataFrame) -> None:
        """Rows that are not there, part by part."""
        self._entries.add(refs_of_columns(rows, self._kinds, self._region, self._key))

    def write(self, target: Path, records: pl.Series, delimiter: str | None, *, is_whole: bool) -> None:
        """records: text of those that are no rows. is_whole: nothing of the file is in the lake."""
        self._entries.add(refs_of_pieces(records, delimiter, self._kinds.values(), self._region, self._key))
        self._entries.write(target, is_whole=is_whole)
