"""Bodies of OpenDSR 2.0, in the names of the standard; ours are under ``extensions`` (standards section g)."""

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import UUID4, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from sluice.rights.case.model import CameBy, Right, State
from sluice.web.model import LONGEST_VALUE, MOST_IDENTIFIERS, Closed, Language, Moment

VERSION = "2.0"
HOST = "sluice.example"
GDPR = "https://w3id.org/dpv/legal/eu/gdpr#"
EXAMPLE: JsonDict = {
    "api_version": VERSION,
    "regulation": "gdpr",
    "subject_request_id": "1b4e28ba-2fa1-4d2e-883f-0016d3cca427",
    "subject_request_type": "erasure",
    "submitted_time": "2026-11-24T10:00:00Z",
    "subject_identities": [{"identity_type": "phone", "identity_value": "+32470000001", "identity_format": "raw"}],
    "extensions": {HOST: {"channel": "form", "language": "nl", "agreementId": "DPA-ENERGY01"}},
}
RANDOM = "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-4[0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$"


def _as_told(said: object) -> object:
    """No UUID in braces, as a URN or without hyphens, which pydantic takes and the document does not."""
    if isinstance(said, str) and re.fullmatch(RANDOM, said) is None:
        raise PydanticCustomError("uuid4", "a UUID of version 4, with its hyphens")
    return said


RequestId = Annotated[UUID4, BeforeValidator(_as_told), WithJsonSchema({"type": "string", "pattern": RANDOM})]
"""A UUID of version 4: the standard's; a schema knows UUIDs of any version only."""
Url = Annotated[str, Field(max_length=2_000)]


class DsrIdentity(Closed):
    """One identity of the person."""

    identity_type: Literal["phone", "email", "controller_customer_id"]
    identity_value: str = Field(min_length=1, max_length=LONGEST_VALUE, repr=False)
    identity_format: Literal["raw", "hmac-sha256"]


class DsrScope(Closed):
    """What of the right is asked. Parts of a person's data cannot be asked for yet: the lists stay empty."""

    directMarketing: bool = False
    fieldGroups: list[str] = Field(default=[], max_length=0)
    purposeIris: list[str] = Field(default=[], max_length=0)


class DsrOurs(Closed):
    """Ours. `identityEvidence` is not kept: the check of identity has its own step."""

    rightIri: str | None = Field(default=None, max_length=200)
    receivedBy: Literal["center", "principal"] = "center"
    channel: CameBy = "form"
    language: Language = "nl"
    agreement_id: str | None = Field(default=None, alias="agreementId", max_length=100)
    scope: DsrScope = DsrScope()
    identityEvidence: str | None = Field(default=None, max_length=200)
    instruction: None = Field(default=None, description="Instructions of a controller come signed, as files.")


class DsrExtensions(BaseModel):
    """Extensions by host; those of others are not looked at."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    ours: DsrOurs = Field(default=DsrOurs(), alias="sluice.example")


class DsrRequest(Closed):
    """An OpenDSR 2.0 request."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, json_schema_extra={"examples": [EXAMPLE]})

    api_version: Literal["2.0"]
    regulation: Literal["gdpr"]
    subject_request_id: RequestId
    subject_request_type: Literal[
        "access", "rectification", "erasure", "restriction", "portability", "objection", "consent_withdrawal"
    ]
    submitted_time: Moment
    subject_identities: list[DsrIdentity] = Field(min_length=1, max_length=MOST_IDENTIFIERS, repr=False)
    status_callback_urls: list[Url] = Field(default=[], max_length=10, description="Taken, not called yet.")
    extensions: DsrExtensions = DsrExtensions()

    @property
    def right(self) -> Right:
        """The right in our words: an objection to direct marketing is one of its own (Art. 21(3))."""
        is_marketing = self.extensions.ours.scope.directMarketing
        return Right.DIRECT_MARKETING if is_marketing else Right(self.subject_request_type)

    @model_validator(mode="after")
    def fits(self) -> Self:
        """One right is meant, whichever way it is said."""
        ours = self.extensions.ours
        if ours.scope.directMarketing and self.subject_request_type != "objection":
            raise PydanticCustomError("marketing_without_objection", "direct marketing is objected to")
        if ours.rightIri not in (None, f"{GDPR}{self.right.article}"):
            raise PydanticCustomError("another_right", "rightIri says another right than subject_request_type")
        return self


class DsrOpened(Closed):
    """A request that was taken. Times are of Brussels."""

    api_version: str
    controller_id: str
    subject_request_id: RequestId
    received_time: datetime
    expected_completion_time: datetime
    extensions: dict[str, Any]


class DsrClock(Closed):
    """The strict clock; Brussels dates."""

    t0: date
    nominalDue: date
    legalDue: date
    extendedDue: date


class DsrTold(Closed):
    """Ours in a status."""

    caseId: str
    state: State
    suppressedAt: datetime | None
    clock: DsrClock
    justificationIris: list[str]


class DsrStatus(Closed):
    """Where a request stands."""

    api_version: str
    controller_id: str
    subject_request_id: RequestId
    request_status: Literal["pending", "in_progress", "completed", "cancelled"]
    received_time: datetime
    expected_completion_time: datetime
    extensions: dict[str, DsrTold]
