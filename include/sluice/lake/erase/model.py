"""Input, result and errors of erasing records from a file, the same for every format.

A file is edited safely or not at all. No error here quotes a cell: it names a rule and counts.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from sluice.errors import Exit, Ref, SluiceError
from sluice.lake.table import Table

Numbers = npt.NDArray[np.int64]
"""Record numbers or offsets, ascending."""

TRAILER_ROW = "TRAILER_ROW"
"""Remark: the last record is not a row of the table; it may count or sum the rows as they were before."""
TOTALS_NOW_WRONG = "TOTALS_NOW_WRONG"
"""Remark: a cell of the last record begins with a word for a total."""
BLANK_RECORDS_AT_END = "BLANK_RECORDS_AT_END"
"""Remark: blank records are now at the end, so readers no longer count them; their bytes are kept."""
NO_BYTES_LEFT = "NO_BYTES_LEFT"
"""Remark: every record was erased and the file has no bytes left, so readers will call it empty."""
CONTAINER_TEXT_KEPT = "CONTAINER_TEXT_KEPT"
"""Remark: the container holds a name, comment or extra field that was not searched."""

_TOTALS = re.compile(r'[\s"#]*(sub)?(totals?|totaa?l|totaux|sum|som|somme|count|aantal|nombre)\b', re.IGNORECASE)


class EraseRefused(SluiceError):
    """Nothing was edited: a part of the file could be read in two ways, or the result could not be proven."""

    code: ClassVar[str] = "SLU-428"
    summary: ClassVar[str] = "this file cannot be edited safely"
    cure: ClassVar[str] = "erase the whole object, and let the certificate say so"
    exit: ClassVar[Exit] = Exit.REFUSED

    @classmethod
    def because(cls, rule: str, *refs: Ref) -> Self:
        """The refusal for one rule, e.g. ``AMBIGUOUS_QUOTING``."""
        return cls(Ref("rule", rule), *refs)


class RecordsUnknown(SluiceError):
    """The caller asked for records that the file does not have; nothing is wrong with the file."""

    code: ClassVar[str] = "SLU-423"
    summary: ClassVar[str] = "records to erase do not exist in this file"
    cure: ClassVar[str] = "find the records again in the version of the file that is edited"


@dataclass(frozen=True, slots=True)
class Erased:
    """A finished, proven file without the records. ``rows_*``: records as the reader counts them.

    ``remarks``: coded words that a certificate repeats, e.g. ``TRAILER_ROW``.
    """

    rows_before: int
    rows_after: int
    remarks: tuple[str, ...] = ()


def checked_numbers(records: Iterable[int] | Numbers, record_count: int) -> Numbers:
    """The record numbers, sorted and without repeats; 1 = first record. Raises RecordsUnknown."""
    given = records if isinstance(records, np.ndarray) else list(records)
    numbers = np.unique(np.asarray(given, dtype=np.int64))
    unknown = numbers[(numbers < 1) | (numbers > record_count)]
    if len(unknown):
        raise RecordsUnknown(Ref("record", int(unknown[0])), Ref("count", len(unknown)))
    return numbers


def trailer_remarks(table: Table, numbers: Numbers) -> tuple[str, ...]:
    """Remarks for the certificate about a last record that stays and may describe all rows."""
    last = table.record_count
    if not len(numbers) or last in numbers:
        return ()
    bad = table.bad_records.filter(table.bad_records["row_number"] == last)
    if bad.height:
        remarks = () if bad["code"][0] == "SHAPE_MAY_CONTINUE" else (TRAILER_ROW,)
        return remarks + ((TOTALS_NOW_WRONG,) if _speaks_of_totals([bad["raw"][0]]) else ())
    return (TOTALS_NOW_WRONG,) if _speaks_of_totals(table.frame.row(-1)) else ()


def _speaks_of_totals(cells: Iterable[str | None]) -> bool:
    return any(_TOTALS.match(cell or "") for cell in cells)
