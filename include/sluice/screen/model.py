"""The types of the screen: what it looks for, and what it found, as classes and spans, never as text."""

from dataclasses import dataclass, field

import polars as pl

from sluice.errors import Exit, SluiceError
from sluice.terms import ScreenClass

STRUCTURED = frozenset(
    {ScreenClass.PHONE, ScreenClass.EMAIL, ScreenClass.IBAN, ScreenClass.CARD, ScreenClass.NATIONAL_NUMBER}
)
"""Classes found by a checksum or numbering plan; the word table finds all others."""


Hit = tuple[ScreenClass, int, int]
"""Class, start and end of something found in one note, ``end`` exclusive."""


@dataclass(frozen=True, slots=True)
class Span:
    """A finding in a note, in characters of the original note; ``end`` is exclusive."""

    row: int
    class_: ScreenClass
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Screened:
    """The notes after masking, and all findings.

    ``findings`` has one row per span, sorted by row and start: ``row`` UInt32 (index of the note),
    ``class``, ``start`` UInt32, ``end`` UInt32, ``action``. A note without a finding is *not proven clean*.
    """

    notes: pl.Series = field(repr=False)
    findings: pl.DataFrame
    screened_for: tuple[ScreenClass, ...]
    tables_version: str
    """The newest date in the tables of facts, ISO 8601."""
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
