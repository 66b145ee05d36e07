"""Input, result and errors of writing a table: the agreed form, the finished file, and why there is none.

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
    """The agreed form cannot hold some cells. Nothing is written: no `?`, no truncated text, no lost row."""

    code: ClassVar[str] = "SLU-425"
    summary: ClassVar[str] = "the agreed file format cannot hold some values"
    cure: ClassVar[str] = "agree on UTF-8, or on a format without that limit, or hold the rows back"
    exit: ClassVar[Exit] = Exit.REFUSED

    @classmethod
    def in_columns(cls, rule: str, counts: Mapping[str, int]) -> "ValueUnwritable":
        """The error for a rule. ``counts``: column -> rows concerned; 0 means the column's own name."""
        places = (ref for name, count in counts.items() for ref in (Ref("column", name), Ref("rows", count)))
        return cls(Ref("rule", rule), *places)


def check_nul(counts: Mapping[str, int], names: Iterable[str]) -> None:
    """Refuse NUL, which CSV and workbooks cannot hold: many readers end the text there, and ours refuses it.

    counts: column -> cells with a NUL. Raises ValueUnwritable."""
    nul = {name: 0 for name in names if "\0" in name} | {name: count for name, count in counts.items() if count}
    if nul:
        raise ValueUnwritable.in_columns("write.nul", nul)


@dataclass(frozen=True, slots=True)
class WriteForm:
    """How the contract wants the file. None means the plainest choice of that format.

    ``delimiter``: one character; None is a comma, or a semicolon beside a decimal comma.
    ``encoding``: of CSV and TSV, a Python codec name (``utf-8-sig`` is UTF-8 with a byte order mark).
    ``date_format``: strptime format of dates in the frame, and of timestamps if it has a time of day;
    ``date_formats``, by column, override it; without either it is ISO 8601. ``sheet``: name of a workbook's only sheet.
    ``guard_other_delimiters``: also neutralise text that becomes a formula in a program that splits the
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
        """The strptime formats possible for a date or timestamp column; all of its cells have the same one."""
        of_file = self.date_format if logical_type == "date" or "%H" in (self.date_format or "") else None
        if agreed := self.date_formats.get(column) or of_file:
            return (agreed,)
        if logical_type == "date":
            return ("%Y-%m-%d",)
        return ("%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%dT%H:%M:%S")


@dataclass(frozen=True, slots=True)
class Changes:
    """How a file differs from its frame: see :class:`Written` for both fields."""

    neutralised: Mapping[str, int] = field(default_factory=dict)
    as_text: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """A finished file.

    ``neutralised``: column -> number of cells that got apostrophes so that no spreadsheet runs them (a
    column name that got one counts as a cell). ``as_text``: columns whose logicalType has a type of
    its own in this format, but which are written as text because that type would change one of their values.
    """

    path: Path
    sha256: Sha256
    size_bytes: int
    neutralised: Mapping[str, int]
    as_text: tuple[str, ...] = ()
