"""Dial lists as data: requests, inputs, reasons why a row is left out, errors. Errors hold no value of a person."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from sluice.errors import Exit, SluiceError
from sluice.exchange.model import Age
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
"""Names of channels that people type, and the words of agreements for them."""


class LeftOut(StrEnum):
    """Why a row is left out, besides the rights of persons. The first reason that applies, in this order, counts."""

    PAST_RETENTION = "PAST_RETENTION"
    OTHER_PURPOSE = "OTHER_PURPOSE"
    OLDER_ROW = "OLDER_ROW"
    NO_CONTACT_POINT = "NO_CONTACT_POINT"
    OPTED_OUT = "OPTED_OUT"
    NO_OPT_IN = "NO_OPT_IN"
    DO_NOT_CALL_ME = "do_not_call_me"


@dataclass(frozen=True, slots=True)
class Request:
    """A request for one list. Requests with the same ``request_id`` give the same list."""

    request_id: str
    principal: Principal
    flow: Flow
    purpose: str
    """A purpose of the agreement: its code (``P-RENEW``), its DPV IRI, or the last part of that."""
    channel: Channel
    format: str
    asked_by: str


@dataclass(frozen=True, slots=True)
class Input:
    """One accepted file of contacts, pinned to its lake object. ``purposes``: codes of the purposes it came in for."""

    exchange_id: ExchangeId
    bucket: str
    key: str
    version_id: str
    sha256: str
    rows: int
    delete_after: date | None
    closed_at: datetime
    purposes: tuple[str, ...]
    age: Age
    """That of the file its rows first came in."""
    contract_sha256: str
    """Of the contract that its record names, by which it was accepted; empty if it names none."""


@dataclass(frozen=True, slots=True)
class NumberList:
    """An imported Do-Not-Call-Me list. ``sha256``: of the imported file; ``dated_on``: Brussels date of download."""

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
    """The rows of a list, in order, and how many were left out, by reason. ``rows_in``: all rows considered."""

    rows: "pl.DataFrame" = field(repr=False)
    refs: "pl.DataFrame" = field(repr=False)
    """Reference columns of the persons in the list, from older rows too, so that each is found by any reference."""
    left_out: Mapping[str, int]
    rows_in: int
    subjects: int
    until: date | None = None
    """The last day on which every recorded consent still holds; None if none of them ends."""


@dataclass(frozen=True, slots=True)
class Dialled:
    """The result of a request: its closed exchange."""

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
    """The file is no Do-Not-Call-Me list; nothing is imported."""

    code: ClassVar[str] = "SLU-623"
    summary: ClassVar[str] = "this file is no Do-Not-Call-Me list"
    cure: ClassVar[str] = "give the file as it was downloaded: one number a line, first column; at least 9 in 10 valid"
    exit: ClassVar[Exit] = Exit.REFUSED


class ParameterMissing(SluiceError):
    code: ClassVar[str] = "SLU-624"
    summary: ClassVar[str] = "no rule is known for this day"
    cure: ClassVar[str] = "add a dated row with its source to include/sluice/dial/facts"


class ListSmaller(SluiceError):
    """The list has so many fewer numbers than before that its download may have been cut off; nothing is imported."""

    code: ClassVar[str] = "SLU-626"
    summary: ClassVar[str] = "this Do-Not-Call-Me list has far fewer numbers than the one before"
    cure: ClassVar[str] = (
        "download it again: it may have been cut off; where it is whole and really smaller, "
        "`sluice dncm import FILE --smaller`"
    )
    exit: ClassVar[Exit] = Exit.REFUSED


class ListReplaced(SluiceError):
    """The list was replaced by another: importing it again under today's date would put an old download in force."""

    code: ClassVar[str] = "SLU-627"
    summary: ClassVar[str] = "another Do-Not-Call-Me list came after this one"
    cure: ClassVar[str] = (
        "import the file that was downloaded last; where this is the one, `sluice dncm import FILE --again`"
    )
    exit: ClassVar[Exit] = Exit.REFUSED
