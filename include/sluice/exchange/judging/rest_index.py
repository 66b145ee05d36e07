"""Who is in a file but not in the lake: references from refused and held rows, and from records that are no rows.

They form a run of their own beside the index, because it stands for the file as it came and for what was sealed of it,
and is removed with them: nobody is told, called or answered because of it. An erasure does not open a file of which the
run says that nobody it looks for is in it.
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
"""Most pieces between delimiters that are read in records that are no rows. So many, each read as five kinds, take some
10 s of CPU."""


def is_told(contract: DataContract, columns: Collection[str], records: pl.Series, delimiter: str | None) -> bool:
    """Whether runs can say who is in a file; if not, an erasure has to open it.

    The file must have every column that can name somebody; otherwise the rest of it may name them too. And the records
    that are no rows (``records``: their text) may have no more than MOST_PIECES pieces, because reading more could cost
    the file its verdict.
    """
    naming = set(naming_columns(contract))
    if not naming or not naming <= set(columns):
        return False
    return count_pieces(records, delimiter) <= MOST_PIECES


class Rest:
    """The run of what is not in the lake, for files of which runs can say who is in them (:func:`is_told`)."""

    def __init__(self, contract: DataContract, key: SubjectKey) -> None:
        self._kinds, self._region = naming_columns(contract), contract.file_format.region
        self._key, self._entries = key, Entries()

    def add(self, rows: pl.DataFrame) -> None:
        """Add rows that are not in the lake, part by part."""
        self._entries.add(refs_of_columns(rows, self._kinds, self._region, self._key))

    def write(self, target: Path, records: pl.Series, delimiter: str | None, *, is_whole: bool) -> None:
        """Write the run. ``records``: text of those that are no rows. ``is_whole``: the lake has no row of the file."""
        self._entries.add(refs_of_pieces(records, delimiter, self._kinds.values(), self._region, self._key))
        self._entries.write(target, is_whole=is_whole)
