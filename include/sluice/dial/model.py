"""Dial lists: what is asked for, why a row stays behind, and what can be refused. No value of a person."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from sluice.errors import Exit, SluiceError
from sluice.subject.correct import as_of_file
from sluice.terms import Decision, ExchangeId, Flow, Principal

if TYPE_CHECKING:
    import polars as pl

FORMATS = ("csv", "xlsx", "parquet")


class Channel(StrEnum):
    """How agents will contact the persons of a list."""

    PHONE = "phone"
    SMS = "sms"
    EMAIL = "email"


CHANNEL_WORDS: Mapping[str, str] = {
    "phone": "voice",
    **{word: word for word in ("voice", "sms", "email", "letter", "chat", "robocall", "push")},
}
"""Words of people, and how agreements spell them."""


class LeftOut(StrEnum):
    """Why a row is not in the list, beside the rights of persons; the first that applies, in this order."""

    PAST_RETENTION = "PAST_RETENTION"
    OTHER_PURPOSE = "OTHER_PURPOSE"
    OLDER_ROW = "OLDER_ROW"
    NO_CONTACT_POINT = "NO_CONTACT_POINT"
    OPTED_OUT = "OPTED_OUT"
    NO_OPT_IN = "NO_OPT_IN"
    DO_NOT_CALL_ME = "do_not_call_me"


@dataclass(frozen=True, slots=True)
class Request:
    """One list that somebody asks for. ``request_id``: the same again is the same list."""

    request_id: str
    principal: Principal
    flow: Flow
    purpose: str
    """Code of the agreement (``P-RENEW``), or DPV IRI, or its last part."""
    channel: Channel
    format: str
    asked_by: str


@dataclass(frozen=True, slots=True)
class Input:
    """One accepted file of contacts, pinned to its lake object. ``purposes``: codes it came in for."""

    exchange_id: ExchangeId
    bucket: str
    key: str
    version_id: str
    sha256: str
    rows: int
    delete_after: date | None
    closed_at: datetime
    purposes: tuple[str, ...]
    name: str
    """Key under which it arrived: its name can say how old it is."""
    opened_at: datetime

    @property
    def as_of(self) -> datetime:
        """How old what it says is, whenever it came (UTC)."""
        return as_of_file(self.name.rpartition("/")[2], self.opened_at)

    @property
    def order(self) -> tuple[datetime, datetime, str]:
        """Of two files the greater one has the last word."""
        return self.as_of, self.closed_at, self.exchange_id


@dataclass(frozen=True, slots=True)
class NumberList:
    """An imported Do-Not-Call-Me list. ``sha256``: of the file as it was imported; ``dated_on``: Brussels date."""

    sha256: str
    dated_on: date
    numbers: int
    refused: int
    bucket: str
    key: str
    version_id: str
    imported_at: datetime
    imported_by: str


@dataclass(frozen=True)
class Composed:
    """Rows of a list, in their order, and how many stayed behind, by reason. ``rows_in``: every row looked at."""

    rows: "pl.DataFrame" = field(repr=False)
    refs: "pl.DataFrame" = field(repr=False)
    """Reference columns of whose rows these are, older ones too, so that a person is found in the list by any."""
    left_out: Mapping[str, int]
    rows_in: int
    subjects: int
    until: date | None = None
    """Last day on which everybody's yes on record holds; None: none of them ends."""


@dataclass(frozen=True, slots=True)
class Dialled:
    """What came of a request: its exchange, closed."""

    exchange_id: ExchangeId
    decision: Decision
    reason_code: str | None
    rows_in: int
    rows: int
    left_out: Mapping[str, int]
    bucket: str
    key: str
    dncm_sha256: str | None


class DialRefused(SluiceError):
    """A dial list that may not be made; the reason code is that of its exchange."""

    code: ClassVar[str] = "SLU-622"
    summary: ClassVar[str] = "this dial list may not be made"
    cure: ClassVar[str] = (
        "FORBIDDEN_PURPOSE, FORBIDDEN_CHANNEL: agreement and contract must both name it; STALE_DNCM_LIST: download "
        "the Do-Not-Call-Me list and `sluice dncm import` it; docs/how-to/dial-list.md has every reason"
    )
    exit: ClassVar[Exit] = Exit.REFUSED


class ListInvalid(SluiceError):
    """A file that is no Do-Not-Call-Me list: nothing of it is imported."""

    code: ClassVar[str] = "SLU-623"
    summary: ClassVar[str] = "this file is no Do-Not-Call-Me list"
    cure: ClassVar[str] = "give the file as it was downloaded: one number a line, first column; at least 9 in 10 valid"
    exit: ClassVar[Exit] = Exit.REFUSED


class ParameterMissing(SluiceError):
    code: ClassVar[str] = "SLU-624"
    summary: ClassVar[str] = "no rule is known for this day"
    cure: ClassVar[str] = "add a dated row with its source to include/sluice/dial/facts"


class ListSmaller(SluiceError):
    """A Do-Not-Call-Me list with so many fewer numbers that its download may have been cut off: none is imported."""

    code: ClassVar[str] = "SLU-626"
    summary: ClassVar[str] = "this Do-Not-Call-Me list has far fewer numbers than the one before"
    cure: ClassVar[str] = (
        "download it again: it may have been cut off; where it is whole and really smaller, "
        "`sluice dncm import FILE --smaller`"
    )
    exit: ClassVar[Exit] = Exit.REFUSED


class ListReplaced(SluiceError):
    """A Do-Not-Call-Me list that another one replaced: an old download under the date of today would be in force."""

    code: ClassVar[str] = "SLU-627"
    summary: ClassVar[str] = "another Do-Not-Call-Me list came after this one"
    cure: ClassVar[str] = (
        "import the file that was downloaded last; where this is the one, `sluice dncm import FILE --again`"
    )
    exit: ClassVar[Exit] = Exit.REFUSED
