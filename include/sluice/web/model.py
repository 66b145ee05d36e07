"""Bodies of the API: what may be said, and what is answered. The document `sluice case show` prints, typed."""

import re
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from sluice.rights.case.model import CameBy, LetterKind, Right, State, Track
from sluice.rights.case.next_step import NextStep
from sluice.terms import PRINCIPAL_PATTERN

Language = Literal["nl", "fr", "en"]
PRINCIPAL = f"^{PRINCIPAL_PATTERN}$"
MOST_IDENTIFIERS = 50
LONGEST_VALUE = 320
EXAMPLE: JsonDict = {
    "right": "erasure",
    "identifiers": [{"kind": "phone", "value": "0470 00 00 01"}, {"kind": "customer", "value": "C-000001"}],
    "principal": "energy01",
    "received": "2026-11-24",
    "channel": "form",
    "language": "nl",
}


class Closed(BaseModel):
    """A body with no other fields than these."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Kind(StrEnum):
    """Kinds of identifier, in the words of `sluice case open`."""

    PHONE = "phone"
    EMAIL = "email"
    CUSTOMER = "customer"
    NATIONAL_NUMBER = "national_number"
    IBAN = "iban"


class IdentifierBody(Closed):
    """One identifier of the person, in any spelling."""

    kind: Kind
    value: str = Field(min_length=1, max_length=LONGEST_VALUE, repr=False)
    principal: str | None = Field(
        default=None, pattern=PRINCIPAL, description="Of a customer number: whose it is, where several know it."
    )


MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?P<time>T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,6})?(Z|[+-][0-9]{2}:[0-5][0-9]))?"
)
"""Dates and moments as in RFC 3339, which the document names: with seconds, and no offset of 60 minutes."""


def date_or_moment(said: object) -> date | datetime:
    """Parse a date, or a moment with its zone. Anything else would be taken for seconds since 1970."""
    found = MOMENT.fullmatch(said) if isinstance(said, str) else None
    if found:
        try:
            return datetime.fromisoformat(found[0]) if found["time"] else date.fromisoformat(found[0])
        except ValueError:
            pass
    raise PydanticCustomError("date_or_moment", "a date, or a date and time with a zone")


def _moment(said: object) -> datetime:
    found = date_or_moment(said)
    if isinstance(found, datetime):
        return found
    raise PydanticCustomError("moment", "a date and time with a zone")


DATE: JsonDict = {"type": "string", "format": "date"}
DATE_TIME: JsonDict = {"type": "string", "format": "date-time"}
EITHER: JsonDict = {"anyOf": [DATE, DATE_TIME]}
Received = Annotated[date | datetime, PlainValidator(date_or_moment), WithJsonSchema(EITHER)]
Moment = Annotated[datetime, PlainValidator(_moment), WithJsonSchema(DATE_TIME)]


class CaseRequest(Closed):
    """What a person asks, as the desk writes it down. All identifiers are of one person."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, json_schema_extra={"examples": [EXAMPLE]})

    right: Right
    identifiers: list[IdentifierBody] = Field(min_length=1, max_length=MOST_IDENTIFIERS, repr=False)
    principal: str | None = Field(
        default=None,
        pattern=PRINCIPAL,
        description="Who was addressed; else every principal that knows the person.",
    )
    received: Received | None = Field(
        default=None,
        description="Brussels date, or moment with zone, of receipt; now by default. A day to come is refused; a later "
        "moment of today counts as now.",
    )
    channel: CameBy
    language: Language


class Withdrawal(Closed):
    """The person takes the request back."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, json_schema_extra={"examples": [{}]})

    evidence_sha256: str | None = Field(
        default=None, pattern="^[0-9a-f]{64}$", description="Of the letter or form; else the order itself is the proof."
    )


class SubCaseShown(Closed):
    """One controller's part of a case."""

    sub_case: str
    principal: str
    agreement: str | None
    controller: str
    track: Track
    state: State
    field_groups: list[str]
    forward_due: datetime | None
    forwarded_at: datetime | None
    action: str | None


class CaseShort(Closed):
    """A case without its history. Dates are Brussels dates, moments UTC."""

    case: str
    right: Right
    state: State
    persons: int
    received: date
    legal_due: date
    extended_due: date
    extended: bool
    last_day: date
    flags: str
    searched: list[str]
    sub_cases: list[SubCaseShown]


class StepShown(BaseModel):
    """One step of a case or of one of its parts."""

    model_config = ConfigDict(extra="forbid", serialize_by_alias=True)

    at: datetime
    sub_case: str | None
    from_state: State | None = Field(alias="from")
    to: State
    by: str
    reason: str
    reasons: dict[str, str]
    evidence: str


class LetterShown(Closed):
    """A letter to the person: that it was written, not what it says."""

    case: str
    kind: LetterKind
    language: str
    sub_cases: list[str]
    sha256: str
    document_sha256: str
    template: str
    written_at: datetime
    opened_at: datetime | None
    overtaken: list[str] = Field(description="Those of its parts that were decided otherwise since.")


class NextShown(Closed):
    """What has to be done next with a case, or with one of its parts."""

    step: NextStep
    what: str = Field(description="The step in English.")
    who: str = Field(description="center, person, the code of a principal, or schedule: it is done by itself.")
    until: date | datetime | None = Field(description="A Brussels date, or a moment in UTC; null where no clock runs.")
    sub_case: str | None
    command: str = Field(description="What does it, or does now what the schedule does later.")


class CaseShown(CaseShort):
    """A case with every step it took, its letters, and the clock that stood still while identity was not proven."""

    paused_legal_due: date | None
    steps: list[StepShown]
    letters: list[LetterShown]
    next: list[NextShown] = Field(description="The most pressing first; empty if the case is over.")


class CasePage(Closed):
    """Cases, newest first."""

    cases: list[CaseShort]
    next_cursor: str | None = Field(description="Give it as `cursor` for the next page; null on the last one.")


def field_names(*models: type[BaseModel]) -> frozenset[str]:
    """Return every field name of the bodies of these models, at any depth. An error may name these."""
    found: set[str] = set()

    def walk(schema: Any) -> None:
        if isinstance(schema, dict):
            found.update(schema.get("properties", {}))
            for value in schema.values():
                walk(value)
        elif isinstance(schema, list):
            for value in schema:
                walk(value)

    for model in models:
        walk(model.model_json_schema())
    return frozenset(found)
