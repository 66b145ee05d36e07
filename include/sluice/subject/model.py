"""What normalising gives, and how it can fail to give anything."""

from dataclasses import dataclass, field
from enum import StrEnum

import polars as pl

from sluice.errors import SluiceError
from sluice.terms import SubjectKind

DEFINING = (SubjectKind.PRINCIPAL_CUSTOMER_ID, SubjectKind.NATIONAL_NUMBER)
"""Kinds that belong to one person: two different numbers in two rows are two persons, whatever else the rows share."""


class NoRef(StrEnum):
    """Why a value makes no SubjectRef. Only INVALID is a finding; the others say that nobody is named."""

    EMPTY = "empty"
    PLACEHOLDER = "placeholder"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Normal:
    """The one spelling of an identifier, or the reason why there is none.

    ``value`` is a person's identifier: it stays in memory and out of every repr.
    """

    value: str | None = field(repr=False)
    reason: NoRef | None


@dataclass(frozen=True, slots=True)
class NormalColumn:
    """A column of normal forms. ``invalid`` marks the rows whose value is a finding.

    A row with neither a normal form nor the mark is empty or holds a placeholder.
    """

    values: pl.Series = field(repr=False)
    invalid: pl.Series = field(repr=False)


class IndexInvalid(SluiceError):
    """A file under the name of an index run does not hold one."""

    code = "SLU-481"
    summary = "a subject index run cannot be read"
    cure = "rebuild the run from the accepted objects of its exchange"


class RefMalformed(SluiceError):
    """A column of references holds something else; the row is named, the value never."""

    code = "SLU-482"
    summary = "a SubjectRef is not 32 hexadecimal characters"
    cure = "make references with sluice.subject.refs"
