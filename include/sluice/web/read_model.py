"""Answers of the API to questions: the documents that ``sluice ... --format json`` prints, typed."""

from datetime import date, datetime
from typing import Annotated

from pydantic import Field, PlainValidator, WithJsonSchema
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from sluice.agreement.compare import Change
from sluice.breach.model import Applies, Risk
from sluice.errors import Ref
from sluice.ledger.record import How, HowLong, ReasonLine, RightTreatment, What, Who, Why
from sluice.registers.model import Article, FindingCode
from sluice.rights.case.facts import ClockRefused
from sluice.terms import Decision, Direction, FieldGroup
from sluice.web.asked import YEARS
from sluice.web.model import DATE, DATE_TIME, EITHER, Closed, date_or_moment

LONGEST_ADDRESS = 2_000
AGENT = "^[0-9a-f]{32}$"
OBJECT = "^s3://[^\\x00]+$"
NEXT = "Give it as `cursor` for the next page; null on the last one."


def _day(said: object) -> date:
    found = _day_or_moment(said)
    if isinstance(found, datetime):
        raise PydanticCustomError("date", "a date")
    return found


def _instant(said: object) -> datetime:
    found = _day_or_moment(said)
    if not isinstance(found, datetime):
        raise PydanticCustomError("moment", "a date and time with a zone")
    return found


def _day_or_moment(said: object) -> date | datetime:
    """Parse a day or moment. Raises ClockRefused outside YEARS, because the form of such a request is right."""
    found = date_or_moment(said)
    if found.year not in YEARS:
        raise ClockRefused(Ref("rule", "DATE_OUT_OF_RANGE"))
    return found


Day = Annotated[date, PlainValidator(_day), WithJsonSchema(DATE)]
DayOrMoment = Annotated[date | datetime, PlainValidator(_day_or_moment), WithJsonSchema(EITHER)]
Instant = Annotated[datetime, PlainValidator(_instant), WithJsonSchema(DATE_TIME)]


class ExchangeShort(Closed):
    """One exchange of a list. Moments are UTC."""

    id: str
    file: str
    principal: str
    direction: Direction
    flow: str
    purpose: str | None
    decision: Decision
    reason_code: str | None
    opened_at: datetime
    closed_at: datetime | None
    rows_in: int | None
    rows_accepted: int | None
    rows_refused: int | None
    rows_held: int | None


class ExchangePage(Closed):
    """Exchanges, newest first."""

    exchanges: list[ExchangeShort]
    next_cursor: str | None = Field(description=NEXT)


class Evidence(Closed):
    """Where the proof lies: the entry of the ledger, the receipt, and what is still to do."""

    chain: str | None
    seq: int | None
    entry_hash: str | None
    prev_hash: str | None
    receipt_at: datetime | None
    waiting_effects: list[str]
    last_error: str | None
    stopped_at: datetime | None = Field(description="Of an open one: since when its flow is stopped.")


class ExchangeShown(Closed):
    """One exchange: the six answers, null while it is open; then decision and evidence."""

    id: str
    why: Why | None
    what: What | None
    how_long: HowLong | None
    who: Who | None
    how: How | None
    right_treatment: RightTreatment | None
    decision: Decision
    reason_code: str | None
    rule_id: str | None
    reasons: list[ReasonLine]
    opened_at: datetime
    closed_at: datetime | None
    evidence: Evidence


class NodeShown(Closed):
    """A party, a paper, an exchange or an object."""

    id: str
    kind: str
    label: str


class EdgeShown(Closed):
    """`source` does `verb` to `target`."""

    source: str
    target: str
    verb: str


class OriginShown(Closed):
    """Where one column of a return comes from."""

    exchange: str
    column: str
    field_group: str
    source: str
    origin: str


class TraceShown(Closed):
    """What an exchange is made of and what was made of it; `paths`: ways of the data, by ids of nodes."""

    nodes: list[NodeShown]
    edges: list[EdgeShown]
    paths: list[list[str]]
    origins: list[OriginShown]


class CaseTrace(TraceShown):
    """The exchanges that hold whoever a case is about, as of a moment, and how they hang together."""

    case: str
    moment: datetime
    persons: int = Field(description="That the case is about.")
    exchanges: list[str] = Field(description="The oldest first.")
    there_are_more: bool = Field(description="Only the newest are here.")
    searched: list[str] = Field(description="Principals whose index was asked.")
    lost: list[str] = Field(description="Principals whose key is destroyed: nobody is found there any more.")
    silent: int = Field(description="Exchanges of which no index says who is in them.")


class VersionLaid(Closed):
    """Days that a version was to hold (`valid_to` null: without end), as known from an instant to another."""

    version: str
    sha256: str
    valid_from: date
    valid_to: date | None
    known_from: datetime
    known_to: datetime | None


class VersionList(Closed):
    """Every version of an agreement, in both times, the latest days first."""

    agreement: str
    principal: str
    versions: list[VersionLaid]


class LineCompared(Closed):
    """One line of two versions: names of keys from the top, and what each says."""

    path: list[str]
    change: Change
    left: str | None
    right: str | None


class Comparison(Closed):
    """Two versions side by side."""

    agreement: str
    left: str
    right: str
    lines: list[LineCompared]


class AgreementShort(Closed):
    """An agreement, with the Brussels days that it was signed for."""

    id: str
    version: str
    principal: str
    valid_from: date
    valid_to: date | None
    purposes: list[str]


class AgreementList(Closed):
    """Agreements that held on a day, as they were known at a moment; by id."""

    at: date
    known_at: datetime
    agreements: list[AgreementShort]


class RoleShown(Closed):
    """Who is what for one field; `field` is `*` where no contract names one of this group."""

    field: str
    group: FieldGroup
    profile: str
    controller: str
    processor: str
    owner_label: str
    basis_holder: str
    answers_subject: str
    notified: list[str]
    warnings: list[str]


class RoleMatrix(Closed):
    """The roles of an agreement version, in one direction."""

    agreement: str
    version: str
    rows: list[RoleShown]


class PartyShown(Closed):
    """We ourselves, as the agreements name us."""

    code: str
    name: str
    kbo: str | None
    address: str | None
    email: str | None
    phone: str | None
    dpo_name: str | None
    dpo_email: str | None
    dpo_phone: str | None


class FindingShown(Closed):
    """What papers and exchanges do not say alike, in a sentence. Counts are digits, as in every form of a register."""

    finding: str
    number: str
    principal: str
    exchanges: str
    code: FindingCode


class RegisterShown(Closed):
    """A register of a date: rows in the columns of the Belgian authority, words of one language."""

    article: Article
    at: date
    known_at: datetime
    language: str
    center: PartyShown
    exchanges: int
    open: int = Field(description="Exchanges without a decision yet.")
    rows: list[dict[str, str]]
    identification: list[dict[str, str]] | None = Field(default=None, description="Of us, where the form has it apart.")
    seen: list[dict[str, str]]
    findings: list[FindingShown]


class SlicePart(Closed):
    """The slice of one principal."""

    principal: str
    subjects: int
    rows: int
    rows_without_person: int
    unread: list[str] = Field(
        description="Copies that nobody can read or has judged yet, or with rows whose agent nobody can tell."
    )
    rows_removed: int = Field(description="Rows that erasures took out of the copies that were read.")
    at_most: int | None = Field(description="Persons in both, by their records; null where none says.")
    exchanges: list[str]
    went_into: list[str]
    categories: list[str]
    special_categories: list[str]
    controllers: list[str]
    recipients: list[str]
    countries: list[str]
    agreement: str | None


class DutyShown(Closed):
    """Who tells whom, under which article, by when; no `due_at` and no hours: without undue delay."""

    by: str
    to: str
    article: str
    applies: Applies
    about: list[str]
    due_at: datetime | None
    within_hours: int | None


class SliceShown(Closed):
    """Who is affected, and who must be told. `subjects`: distinct persons, added up over principals."""

    subjects: int
    principals: list[str]
    categories: list[str]
    special_categories: list[str]
    recipients: list[str]
    exchanges: list[str]
    went_into: list[str]
    aware_at: datetime
    risk: Risk
    parts: list[SlicePart]
    notify: list[DutyShown]


class DueShown(Closed):
    """The last days, inclusive, to answer a request; Brussels dates."""

    received: date
    nominal_due: date
    legal_due: date
    extended_due: date


OBJECT_EXAMPLE: JsonDict = {
    "object": "s3://exchange/energy01/inbound/renewal_campaign/contacts.csv",
    "aware": "2026-11-24T18:00:00Z",
}
AGENT_EXAMPLE: JsonDict = {
    "agent": "0f3a5c7e9b1d2f4a6c8e0a1b3d5f7092",
    "since": "2026-11-24T08:00:00Z",
    "until": "2026-11-24T18:00:00Z",
    "risk": "high",
}


class Breach(Closed):
    """What is known of a breach, whatever it touched."""

    aware: Instant | None = Field(default=None, description="When we became aware, not to come; now by default.")
    risk: Risk = Field(default=Risk.UNDECIDED, description="What was decided of the risk to persons.")


class ObjectBreach(Breach):
    """A breach of one object."""

    model_config = Closed.model_config | {"json_schema_extra": {"examples": [OBJECT_EXAMPLE]}}

    object: str = Field(
        pattern=OBJECT, max_length=LONGEST_ADDRESS, description="s3://bucket/key, with ?versionId= for one version."
    )


class AgentBreach(Breach):
    """A breach of what one agent, or an account of a platform, wrote in a window."""

    model_config = Closed.model_config | {"json_schema_extra": {"examples": [AGENT_EXAMPLE]}}

    agent: str = Field(pattern=AGENT, description="Reference of an agent or of an account.")
    since: Instant
    until: Instant = Field(description="The first moment after the window.")
