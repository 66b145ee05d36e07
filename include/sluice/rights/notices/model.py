"""Types of the notices to recipients (GDPR Art. 19): states, channels, outcomes, holders. No value of a person."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, NewType

from sluice.errors import Exit, SluiceError
from sluice.ledger.record import ExchangeRecord
from sluice.rights.case.model import Action, CaseId, SubCaseId
from sluice.terms import Direction, ExchangeId

NoticeId = NewType("NoticeId", str)
"""UUID of one notice: a function of the part, the decision, the recipient and its side, so that a rerun makes the same
one."""


class NoticeState(StrEnum):
    """How far a recipient is. Only its own word leads to ACKNOWLEDGED and DONE; the passing of time never does."""

    OWED = "OWED"
    SENT = "SENT"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    OVERDUE = "OVERDUE"
    REMINDED = "REMINDED"
    ESCALATED = "ESCALATED"
    DONE = "DONE"


WITHDRAWN = "WITHDRAWN"
"""What an OWED notice is called that never goes. No notice has this state in the database."""


class Side(StrEnum):
    """Why somebody is told: they got the data, or the data came from them (Art. 7(3), 21, C-129/21)."""

    RECIPIENT = "recipient"
    SUPPLIER = "supplier"


class Channel(StrEnum):
    """How somebody is told: by a file under their own prefix, or by the desk if they have none for it."""

    PREFIX = "prefix"
    DESK = "desk"


class NoticeOutcome(StrEnum):
    """What one answer about a notice did. Only the first two move the notice."""

    ACKNOWLEDGED = "ACKNOWLEDGED"
    DONE = "DONE"
    ALREADY_ACKNOWLEDGED = "ALREADY_ACKNOWLEDGED"
    ALREADY_DONE = "ALREADY_DONE"
    UNKNOWN_NOTICE = "UNKNOWN_NOTICE"
    OTHER_PRINCIPAL = "OTHER_PRINCIPAL"
    UNREADABLE = "UNREADABLE"

    @property
    def moves(self) -> bool:
        return self in (NoticeOutcome.ACKNOWLEDGED, NoticeOutcome.DONE)


@dataclass(frozen=True, slots=True)
class Holder:
    """An exchange that held the persons of a case. ``was_delivered``: its principal got them in a return.

    ``identifiers``: places, in the sealed list, of the identifiers that its index named; None if nobody asked.
    ``is_guess``: a return that is gone and was made of files that held the persons, so that nobody can tell any
    more whether they were in it.
    """

    exchange_id: ExchangeId
    direction: Direction
    was_delivered: bool
    record: ExchangeRecord
    identifiers: tuple[int, ...] | None = None
    is_guess: bool = False


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody who has to be told of one part: what they have, and from which exchanges.

    ``is_guess``: all of these exchanges are guesses.
    """

    recipient: str
    side: Side
    channel: Channel
    field_groups: tuple[str, ...]
    exchanges: tuple[ExchangeId, ...]
    is_guess: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """One recipient of one decision on a part, and how far it is. All moments are UTC.

    ``recipient``: the code of a principal, or the name on the record. ``name``: as the person reads it. ``sha256``:
    of the notice file, or of the proof that the desk told the recipient. ``entry_hash``: of the ledger entry of
    SENT.
    """

    notice_id: NoticeId
    sub_case_id: SubCaseId
    case_id: CaseId
    principal: str
    recipient: str
    name: str
    side: Side
    channel: Channel
    action: Action
    field_groups: tuple[str, ...]
    exchanges: tuple[ExchangeId, ...]
    state: NoticeState
    found_at: datetime
    told_at: datetime | None = None
    due_at: datetime | None = None
    sha256: str | None = None
    entry_hash: str | None = None
    receipted_at: datetime | None = None
    acknowledged_at: datetime | None = None
    done_at: datetime | None = None
    was_late: bool = False
    reminders: int = 0
    reminded_at: datetime | None = None
    escalated_at: datetime | None = None
    dropped_at: datetime | None = None
    decision: int = 0
    """How often the decision on the part had been taken back before the one that this tells of."""
    is_withdrawn: bool = field(default=False, compare=False)
    """Whether it never goes, because what it tells was taken back before anybody was told."""

    @property
    def stands(self) -> str:
        """Its state as people read it: WITHDRAWN for one that never goes."""
        return WITHDRAWN if self.is_withdrawn else self.state.value


@dataclass(frozen=True, slots=True)
class AnswerFile:
    """One version of an ``acks/notice-*`` file and what it did. ``notice_id``: a notice of ours, to anybody."""

    principal: str
    bucket: str
    key: str
    version_id: str
    notice_id: NoticeId | None
    outcome: NoticeOutcome
    seen_at: datetime


class NotByHand(SluiceError):
    code: ClassVar[str] = "SLU-561"
    summary: ClassVar[str] = "this notice cannot take that step"
    cure: ClassVar[str] = (
        "`sluice notices list` shows where it stands; one with a prefix is told by `sluice notices send`"
    )
    exit: ClassVar[Exit] = Exit.REFUSED
