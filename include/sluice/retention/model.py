"""Words of retention: copies, why they end and on which day, legal holds."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from sluice.errors import Exit, SluiceError
from sluice.rights.copies.needed_model import Need
from sluice.terms import ExchangeId, Flow, Principal


class RetentionRefused(SluiceError):
    """A hold or a confirmation that does not hold. Words of ``Ref("rule", ...)``:

    UNTIL_IS_PAST, NOT_A_REFERENCE, ALREADY_LIFTED, AGREEMENT_IN_FORCE, NOTHING_TO_RETURN.
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
    """What ends a copy, or a correction: nothing is left that it could put right."""

    RULE = "rule"
    AGREEMENT_ENDED = "agreement_ended"
    NOTHING_LEFT = "nothing_left"


@dataclass(frozen=True, slots=True)
class Kept:
    """One copy that is there. ``last_day``: by its rule, None while the rule's start has no date.

    ``has_statute``: its rule names a law that requires storage, so that the end of the agreement changes nothing.
    ``is_awaited``: its exchange is accepted and not delivered yet, so that it is still needed.
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
    """It is what went back to the principal because the agreement ended: it stays for its own days."""
    is_handed_out: bool = False
    """It was made of other copies for somebody to use it: a dial list, an answer to a controller."""


@dataclass(frozen=True, slots=True)
class End:
    """How an agreement ended (Art. 28(3)(g)). ``days``: within so many days after ``on`` everything is gone.

    ``must_return``: the data goes back first. ``returned_on``: when somebody confirmed that it did.
    """

    on: date
    days: int
    must_return: bool
    returned_on: date | None = None


@dataclass(frozen=True, slots=True)
class LegalHold:
    """Copies that must stay, of a principal, one of its flows, or one exchange; ``until`` is the last such day."""

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

    ``waits``: its data must go back to the principal first, or its file is not delivered yet. ``needed_for``: somebody
    in it needs it still.
    """

    copy: Kept
    last_day: date
    why: Why
    held_by: str | None = None
    waits: bool = False
    is_begun: bool = False
    """A dead worker began to delete it: nothing brings it back, so it goes on."""
    needed_for: Need | None = None

    @property
    def is_free(self) -> bool:
        """Whether it goes now."""
        return self.held_by is None and not self.waits and self.needed_for is None
