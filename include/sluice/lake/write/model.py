"""What writing a table takes and gives: the agreed form, the finished file, and why it cannot be.

A file is written as agreed or not at all. No error here quotes a cell: it names columns and counts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from sluice.errors import Exit, Ref, SluiceError
from sluice.terms import Sha256

FORMATS = ("csv", "tsv", "xlsx", "json", "ndjson", "parquet")
_NOTHING: Mapping[str, str] = MappingProxyType({})


class WriteFormInvalid(SluiceError):
    """The contract asks for a form that does not exist or that its file format cannot have."""

    code: ClassVar[str] = "SLU-424"
    summary: ClassVar[str] = "the contract describes a file that cannot be written"
    cure: ClassVar[str] = "correct format, delimiter, encoding or sheet under `servers` in the contract"
    exit: ClassVar[Exit] = Exit.REFUSED


class ValueUnwritable(SluiceError):
    """Cells that the agreed form cannot hold. Nothing is written: no `?`, no cut text, no lost row."""

    code: ClassVar[str] = "SLU-425"
    summary: ClassVar[str] = "the agreed file format cannot hold some values"
    cure: ClassVar[str] = "agree on UTF-8, or on a format without that limit, or hold the rows back"
    exit: ClassVar[Exit] = Exit.REFUSED

    @classmethod
    def in_columns(cls, rule: str, counts: Mapping[str, int]) -> "ValueUnwritable":
        """``counts``: column -> rows concerned; 0 stands for the column's own name."""
        places = (ref for name, count in counts.items() for ref in (Ref("column", name), Ref("rows", count)))
        return cls(Ref("rule", rule), *places)


def check_nul(counts: Mapping[str, int], names: Iterable[str]) -> None:
    """Many readers end the text at a NUL, and ours refuses it. counts: column -> cells with one.

    raises ValueUnwritable: CSV and workbooks cannot hold it."""
    nul = {name: 0 for name in names if "\0" in name} | {name: count for name, count in counts.items() if count}
    if nul:
        raise ValueUnwritable.in_columns("write.nul", nul)


@dataclass(frozen=True, slots=True)
class WriteForm:
    """How the contract wants the file. None: the plainest choice of that format.

    ``delimiter``: one character; None is a comma, or a semicolon beside a decimal comma.
    ``encoding``: of CSV and TSV, a Python codec name (``utf-8-sig`` is UTF-8 with a byte order mark).
    ``date_format``: strptime format of dates in the frame, and of timestamps if it has a time of day;
    ``date_formats`` per column go before it; without either ISO 8601. ``sheet``: name of the one sheet of a workbook.
    ``guard_other_delimiters``: also neutralise what would be a formula to a program that cuts the
    CSV file at another delimiter or at line breaks inside cells.
    """

    format: str
    delimiter: str | None = None
    encoding: str | None = None
    decimal_comma: bool = False
    date_format: str | None = None
    sheet: str | None = None
    date_formats: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    guard_other_delimiters: bool = True

    def formats_of(self, column: str, logical_type: str) -> tuple[str, ...]:
        """strptime formats that the cells of a date or timestamp column may have, one for all of them."""
        of_file = self.date_format if logical_type == "date" or "%H" in (self.date_format or "") else None
        if agreed := self.date_formats.get(column) or of_file:
            return (agreed,)
        if logical_type == "date":
            return ("%Y-%m-%d",)
        return ("%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%dT%H:%M:%S")


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs from the frame: cells with an apostrophe, columns that are text against their type."""

    neutralised: Mapping[str, int] = field(default_factory=dict)
    as_text: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """A finished file.

    ``neutralised``: column -> cells that got apostrophes so that no spreadsheet runs them (a
    column name that got one counts as a cell). ``as_text``: columns whose logicalType has a type of
    its own in this format but that hold a value which would not survive it, so all of it is text.
    """

    path: Path
    sha256: Sha256
    size_bytes: int
    neutralised: Mapping[str, int]
    as_text: tuple[str, ...] = ()
