"""Types of retention: copies, why and on which day they end, legal holds."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from sluice.errors import Exit, SluiceError
from sluice.rights.copies.needed_model import Need
from sluice.terms import ExchangeId, Flow, Principal


class RetentionRefused(SluiceError):
    """A hold or a confirmation that is not valid. Its ``Ref("rule", ...)`` is one of:

    UNTIL_IS_PAST, NOT_A_REFERENCE, ALREADY_LIFTED, AGREEMENT_IN_FORCE, AGREEMENT_NOT_NAMED, NOTHING_TO_RETURN.
    """

    code: ClassVar[str] = "SLU-595"
    summary: ClassVar[str] = "this cannot be recorded of retention"
    cure: ClassVar[str] = "the rule says why; `sluice retention holds` and `sluice retention due` show what there is"
    exit: ClassVar[Exit] = Exit.USAGE


class RetentionIncomplete(SluiceError):
    code: ClassVar[str] = "SLU-596"
    summary: ClassVar[str] = "some of what has to go by now is still there, or nobody could say whether it has to"
    cure: ClassVar[str] = "look at the log for the codes, mend the store, and run `sluice retention run` again"
    exit: ClassVar[Exit] = Exit.UNDECIDED


class HoldReason(StrEnum):
    """Why something must stay beyond its day: the exceptions of GDPR Art. 17(3) that fit a copy, as DPV words."""

    LEGAL_CLAIMS = "A17LegalClaims"
    LEGALLY_REQUIRED = "A17LegallyRequired"


class Why(StrEnum):
    """Why a copy or a record is deleted. NOTHING_LEFT is for a correction that has nothing left to put right."""

    RULE = "rule"
    AGREEMENT_ENDED = "agreement_ended"
    NOTHING_LEFT = "nothing_left"


@dataclass(frozen=True, slots=True)
class Kept:
    """One copy that exists. ``last_day``: by its rule; None while the start event of the rule has no date.

    ``has_statute``: its rule names a law that requires storage, so that the end of the agreement changes nothing; never
    for kinds in ``FOR_A_TIME``. ``is_awaited``: its exchange still has to be delivered, so that the copy is needed.
    """

    exchange_id: ExchangeId
    kind: str
    principal: Principal
    flow: Flow
    chain: str
    sha256: str
    rule: str | None
    last_day: date | None
    has_statute: bool = False
    is_awaited: bool = False
    is_given_back: bool = False
    """It was given back to the principal because the agreement ended, and stays for its own days."""
    is_handed_out: bool = False
    """It was made from other copies for somebody to use: a dial list, an answer to a controller."""


@dataclass(frozen=True, slots=True)
class End:
    """How an agreement ended (Art. 28(3)(g)). Everything must be deleted within ``days`` days after ``on``.

    ``must_return``: the data must be given back first. ``returned_on``: when that was confirmed.
    """

    on: date
    days: int
    must_return: bool
    returned_on: date | None = None


@dataclass(frozen=True, slots=True)
class LegalHold:
    """A legal hold on copies of a principal, one of its flows, or one exchange. ``until`` is its last day."""

    hold_id: str
    principal: Principal
    flow: Flow | None
    exchange_id: ExchangeId | None
    reason: HoldReason
    reference: str
    until: date
    set_by: str
    set_at: datetime
    lifted_at: datetime | None = None
    lifted_by: str | None = None

    def is_of_all(self, on: date) -> bool:
        """Whether it keeps everything of its principal on a day."""
        return self.lifted_at is None and on <= self.until and self.flow is None and self.exchange_id is None

    def covers(self, copy: Kept, on: date) -> bool:
        """Whether it keeps a copy on a day."""
        return (
            self.lifted_at is None
            and on <= self.until
            and self.principal == copy.principal
            and self.flow in (None, copy.flow)
            and self.exchange_id in (None, copy.exchange_id)
        )


@dataclass(frozen=True, slots=True)
class Due:
    """A copy whose last day is over. ``held_by``: the hold that keeps it.

    ``waits``: its data must be given back first, or its file is still to be delivered. ``needed_for``: why a person in
    it still needs it.
    """

    copy: Kept
    last_day: date
    why: Why
    held_by: str | None = None
    waits: bool = False
    is_begun: bool = False
    """A dead worker began to delete it, so the deletion must be finished."""
    needed_for: Need | None = None

    @property
    def is_free(self) -> bool:
        """Whether it can be deleted now."""
        return self.held_by is None and not self.waits and self.needed_for is None
