"""What the screen looks for, what is done about it, and what it found: classes and spans, never text."""

from dataclasses import dataclass, field

import polars as pl

from sluice.errors import Exit, SluiceError
from sluice.terms import ScreenClass

STRUCTURED = frozenset(
    {ScreenClass.PHONE, ScreenClass.EMAIL, ScreenClass.IBAN, ScreenClass.CARD, ScreenClass.NATIONAL_NUMBER}
)
"""Decided by a checksum or a numbering plan; every other class by the word table."""


Hit = tuple[ScreenClass, int, int]
"""Class, start and end of something found in one note, ``end`` exclusive."""


@dataclass(frozen=True, slots=True)
class Span:
    """Where in a note something was found: characters of the note as it came, ``end`` exclusive."""

    row: int
    class_: ScreenClass
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Screened:
    """The notes after masking, and every finding.

    ``findings`` has one row per span, sorted by row and start: ``row`` UInt32 (index into the notes),
    ``class``, ``start`` UInt32, ``end`` UInt32, ``action``. A note without a finding is *not proven clean*.
    """

    notes: pl.Series = field(repr=False)
    findings: pl.DataFrame
    screened_for: tuple[ScreenClass, ...]
    tables_version: str
    """Newest date in the tables of facts, ISO 8601."""
    rows_with_text: int

    def spans(self) -> list[Span]:
        """The findings as values."""
        columns = self.findings.select("row", "class", "start", "end").rows()
        return [Span(row, ScreenClass(name), start, end) for row, name, start, end in columns]


class ScreenTableInvalid(SluiceError):
    code = "SLU-490"
    summary = "a table of the free-text screen cannot be used"
    cure = "reinstall Sluice; a table that was changed by hand must keep its columns, classes and ISO dates"


class ScreenRuleInvalid(SluiceError):
    code = "SLU-491"
    summary = "a rule for screening notes cannot be used"
    cure = "a share lies between 0 and 1"
    exit = Exit.REFUSED


class NotesMalformed(SluiceError):
    code = "SLU-492"
    summary = "notes to screen must be a column of text"
    cure = "map the note to a text column (pl.String) before screening"
