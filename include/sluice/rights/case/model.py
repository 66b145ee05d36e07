"""Types of the requests of persons: rights, actions, states, cases, their parts and letters. No value of a person.

One request is one :class:`Case`, with one clock; each controller's part of it under one agreement is one
:class:`SubCase`. A request file of a principal is also one request, for many persons.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Literal, NewType

from sluice.ledger.names import check_name
from sluice.rights.case.clock import DueDates, extension_latest, received_on
from sluice.terms import Decider, Principal, Sha256

CaseId = NewType("CaseId", str)
"""UUID of a request, lower case with hyphens. Only the center knows it."""

SubCaseId = NewType("SubCaseId", str)
"""UUID of one part of a request. A principal is told this number only, so two principals cannot compare theirs."""

CASES_CHAIN = "center.cases"
"""The ledger's chain for entries about a case as a whole, which belong to no agreement."""

CameBy = Literal["letter", "mail", "phone", "form"]
"""How a request came to the desk."""
FILE, RECORD = "file", "consent_record"
"""How a principal's own request file came, and a withdrawal that the center recorded as a consent record."""
WITHOUT_LETTERS = frozenset({FILE, RECORD})
"""How requests come that may be of many persons, and whose answer goes to the principal, not to the person."""

NOTHING: Mapping[str, str] = MappingProxyType({})


class Right(StrEnum):
    """What a person asks for. Direct marketing is separate, because that objection cannot be refused (Art. 21(3))."""

    ACCESS = "access"
    RECTIFICATION = "rectification"
    ERASURE = "erasure"
    RESTRICTION = "restriction"
    PORTABILITY = "portability"
    OBJECTION = "objection"
    DIRECT_MARKETING = "direct_marketing"
    CONSENT_WITHDRAWAL = "consent_withdrawal"

    @property
    def article(self) -> str:
        """The key of this right in an agreement's ``mayAnswer``."""
        return ARTICLES[self]


ARTICLES: Mapping[Right, str] = {
    Right.ACCESS: "A15",
    Right.RECTIFICATION: "A16",
    Right.ERASURE: "A17",
    Right.RESTRICTION: "A18",
    Right.PORTABILITY: "A20",
    Right.OBJECTION: "A21",
    Right.DIRECT_MARKETING: "A21",
    Right.CONSENT_WITHDRAWAL: "A7-3",
}


class Protection(StrEnum):
    """Why a person is kept out of dial lists and outbound files, from the first moment or once it was decided."""

    SOFT_HOLD = "soft_hold"
    OBJECTED = "objected"
    RESTRICTED = "restricted"
    CONSENT_WITHDRAWN = "consent_withdrawn"


PROTECTED: Mapping[Right, Protection] = {
    Right.ERASURE: Protection.SOFT_HOLD,
    Right.OBJECTION: Protection.SOFT_HOLD,
    Right.RECTIFICATION: Protection.SOFT_HOLD,
    Right.RESTRICTION: Protection.SOFT_HOLD,
    Right.DIRECT_MARKETING: Protection.OBJECTED,
    Right.CONSENT_WITHDRAWAL: Protection.CONSENT_WITHDRAWN,
}
"""The protection that is applied at RECEIVED, by right. Restriction has one too, because disputed accuracy is its first
ground (Art. 18(1)(a)). A right that cannot be refused takes effect at once, for the purposes and channel named."""


class Action(StrEnum):
    """What a controller can decide to have done."""

    GIVE = "give"
    RECTIFY = "rectify"
    ERASE = "erase"
    RESTRICT = "restrict"
    EXPORT = "export"
    STOP = "stop"
    REFUSE = "refuse"


ACTIONS: Mapping[Right, frozenset[Action]] = {
    Right.ACCESS: frozenset({Action.GIVE, Action.REFUSE}),
    Right.RECTIFICATION: frozenset({Action.RECTIFY, Action.RESTRICT, Action.REFUSE}),
    Right.ERASURE: frozenset({Action.ERASE, Action.RESTRICT, Action.REFUSE}),
    Right.RESTRICTION: frozenset({Action.RESTRICT, Action.REFUSE}),
    Right.PORTABILITY: frozenset({Action.EXPORT, Action.REFUSE}),
    Right.OBJECTION: frozenset({Action.STOP, Action.REFUSE}),
    Right.DIRECT_MARKETING: frozenset({Action.STOP}),
    Right.CONSENT_WITHDRAWAL: frozenset({Action.STOP}),
}
"""What may be decided about each right. REFUSE is missing where the right cannot be refused."""


class State(StrEnum):
    """Where a case or a sub-case stands (docs/explanation/cases.md). No state is ever deleted."""

    RECEIVED = "RECEIVED"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    ID_PENDING = "ID_PENDING"
    ID_OK = "ID_OK"
    ID_FAILED = "ID_FAILED"
    SCOPED = "SCOPED"
    FORWARDED = "FORWARDED"
    AWAITING_INSTRUCTION = "AWAITING_INSTRUCTION"
    REMINDED = "REMINDED"
    ESCALATED = "ESCALATED"
    INSTRUCTED = "INSTRUCTED"
    EXECUTED = "EXECUTED"
    CONFIRMED_TO_CONTROLLER = "CONFIRMED_TO_CONTROLLER"
    ASSESSED = "ASSESSED"
    ACCEPTED = "ACCEPTED"
    PARTIAL = "PARTIAL"
    REFUSED = "REFUSED"
    EXTENDED = "EXTENDED"
    EXECUTING = "EXECUTING"
    RECIPIENTS_NOTIFIED = "RECIPIENTS_NOTIFIED"
    ANSWERED = "ANSWERED"
    PROVEN = "PROVEN"
    CLOSED = "CLOSED"
    WITHDRAWN_BY_SUBJECT = "WITHDRAWN_BY_SUBJECT"

    @property
    def is_over(self) -> bool:
        """Whether no other state can follow."""
        return self in (State.CLOSED, State.WITHDRAWN_BY_SUBJECT)

    @property
    def is_answered(self) -> bool:
        """Whether a part has its answer but is not over."""
        return self in (State.ANSWERED, State.PROVEN, State.CONFIRMED_TO_CONTROLLER)


class Flag(StrEnum):
    """Something that stays true of a case in every state; set once, never removed."""

    BREACHED_DEADLINE = "BREACHED_DEADLINE"
    COMPLAINT = "COMPLAINT"


class Track(StrEnum):
    """Which part of the table of steps applies: the request itself, or the center's role in one part of it."""

    CASE = "case"
    PROCESSOR = "processor"
    CONTROLLER = "controller"


class Role(StrEnum):
    """Who takes a step. SYSTEM is the machine, which never refuses anybody."""

    DESK = "desk"
    PRINCIPAL = "principal"
    SUBJECT = "subject"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, and in which role. ``name``: a login or a principal's code, never the person the case is about."""

    role: Role
    name: str


SYSTEM = Actor(Role.SYSTEM, "sluice")


def desk_actor(name: str) -> Actor:
    """Somebody of the desk, with the name as every record spells it. Raises NameInvalid."""
    return Actor(Role.DESK, check_name(name))


@dataclass(frozen=True, slots=True)
class Remedies:
    """The complaint and court remedies that a refusal names: which text, in which language (Art. 12(4))."""

    text_ref: str
    language: str


@dataclass(frozen=True, slots=True)
class Instruction:
    """What a controller told us to do. ``fields``: field groups; empty means all of the sub-case."""

    sub_case_id: SubCaseId
    principal: Principal
    action: Action
    is_authentic: bool
    fields: tuple[str, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    is_replayed: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """A step that somebody wants to take: who, when (UTC), why (a code or IRI), on what evidence (SHA-256).

    ``reasons``: an IRI for each field group that is refused. ``residue``: how much a second scan still found; None
    if there was none. ``untold``: how many recipients were not told yet; None if nobody has found out who they are.
    ``has_proof_of_abuse``: the evidence proves abuse, which a refusal for it needs (C-526/24). ``is_protected``:
    immediate protection was applied before. ``answered_at``: when the person had the answer, if that was earlier.
    ``refused_for``: IRIs of the reasons for which parts of the case were refused, where a step rests on them.
    """

    actor: Actor
    at: datetime
    reason_code: str
    evidence_sha256: str
    reasons: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    remedies: Remedies | None = None
    instruction: Instruction | None = None
    action: Action | None = None
    residue: int | None = None
    untold: int | None = None
    has_proof_of_abuse: bool = False
    is_protected: bool = False
    answered_at: datetime | None = None
    refused_for: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SubCase:
    """One controller's part of a request under one agreement. Without agreement: no principal knew the person."""

    sub_case_id: SubCaseId
    case_id: CaseId
    principal: str
    agreement_id: str | None
    agreement_version: str | None
    controller: Decider
    track: Track
    field_groups: tuple[str, ...]
    chain: str
    state: State
    may_answer: bool
    forward_due_at: datetime | None = None
    forwarded_at: datetime | None = None
    reminders: int = 0
    told_at: datetime | None = None
    """When the controller was last told, by the notice or by a reminder."""
    extended_at: datetime | None = None
    answered_at: datetime | None = None
    action: Action | None = None
    action_fields: tuple[str, ...] = ()
    identifiers: tuple[int, ...] | None = None
    """Places, in the sealed list, of the identifiers that this principal knows; None means all."""
    has_hit: bool = False
    """Whether the subject index of this principal knows the person."""

    @property
    def is_answered(self) -> bool:
        """Whether its last day cannot be missed any more."""
        return self.state.is_answered or self.state.is_over

    @property
    def field_names(self) -> tuple[str, ...]:
        """Its field groups, or ``*`` where nobody knew the person, so that a refusal can give a reason."""
        return self.field_groups or ("*",)


class LetterKind(StrEnum):
    """The kinds of letters to the person."""

    RECEIPT = "receipt"
    EXTENSION = "extension"
    REFUSAL = "refusal"
    COMPLETION = "completion"
    LIFTING = "lifting"
    """Written before a restriction ends (Art. 18(3))."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter to the person, as it was logged. ``sub_cases``: the parts it is about; empty means the whole request.

    ``sha256`` is that of the PDF as the person reads it. The vault holds that PDF and a JSON document of the same
    content, both sealed.
    """

    case_id: CaseId
    kind: LetterKind
    scope: str
    """The middle of its name: ``case``, or the number of the first part that a later letter of its kind is about."""
    language: str
    sub_cases: tuple[SubCaseId, ...]
    sha256: Sha256
    document_sha256: Sha256
    template: str
    written_at: datetime
    bucket: str
    key: str
    version_id: str
    document_key: str
    document_version_id: str
    opened_at: datetime | None = None
    """When somebody first took it out of the vault to send it; None if nobody has."""
    overtaken: tuple[SubCaseId, ...] = ()
    """Those of its parts whose decision, of which it gives the reasons, was taken back or made anew since."""

    @property
    def is_void(self) -> bool:
        """Whether nobody may send it any more: part of what it says is no longer so, and the person never had it."""
        return bool(self.overtaken) and self.opened_at is None

    def tells(self, sub_case_id: SubCaseId | None) -> bool:
        """Whether it says what holds now of a part (None: of any)."""
        if sub_case_id is None:
            return not self.is_void
        return sub_case_id in self.sub_cases and sub_case_id not in self.overtaken and not self.is_void


@dataclass(frozen=True, slots=True)
class Case:
    """One request. Dates are Brussels dates, moments UTC. Who the request is about is sealed in the vault."""

    case_id: CaseId
    right: Right
    state: State
    persons: int
    principal: str | None
    """The principal that was addressed, or None: all principals that know the person."""
    channel: str
    language: str
    country: str
    opened_at: datetime
    due: DueDates
    """The strict clock; ``due.received`` is t0."""
    subject_bucket: str
    subject_key: str
    subject_sha256: Sha256
    """SHA-256 of the sealed object. Sealing gives other bytes each time, so the hash cannot be guessed from an
    identifier."""
    searched: tuple[str, ...] = ()
    """Principals whose index was searched."""
    has_failed_identity: bool = False
    is_breached: bool = False
    has_complaint: bool = False
    sub_cases: tuple[SubCase, ...] = field(default=())
    letters: tuple[Letter, ...] = field(default=())
    """Every letter to the person that was logged, oldest first."""

    @property
    def is_scoped(self) -> bool:
        """Whether the identity check is over, one way or the other."""
        return self.state in (State.SCOPED, State.CLOSED)

    @property
    def is_extended(self) -> bool:
        """Whether any part may be answered up to three months after receipt, because the person was told so in time."""
        return any(self._is_extended(part) for part in self.sub_cases)

    @property
    def last_day(self) -> date:
        """The last day on the strict clock: the earliest of the parts without answer, else the latest of all."""
        waiting = [self.last_day_of(part) for part in self.sub_cases if not part.is_answered]
        return min(waiting) if waiting else self.due.extended_due if self.is_extended else self.due.legal_due

    def last_day_of(self, part: SubCase) -> date:
        """The last day to answer a part. An extension moves only the part that the person was told about."""
        return self.due.extended_due if self._is_extended(part) else self.due.legal_due

    def _is_extended(self, part: SubCase) -> bool:
        return part.extended_at is not None and self.was_told_in_time(part.sub_case_id)

    def find_letter(
        self, kind: LetterKind, sub_case_id: SubCaseId | None, language: str | None = None
    ) -> Letter | None:
        """The first letter of a kind that tells what holds of a part (None: any part).

        In ``language``, or else in the person's.
        """
        said = language or self.language
        return next(
            (each for each in self.letters if (each.kind, each.language) == (kind, said) and each.tells(sub_case_id)),
            None,
        )

    def was_told_in_time(self, sub_case_id: SubCaseId) -> bool:
        """Whether the letter about the extension of a part was written before the month-1 legal due date."""
        letter = self.find_letter(LetterKind.EXTENSION, sub_case_id)
        return letter is not None and received_on(letter.written_at) <= extension_latest(self.due)
