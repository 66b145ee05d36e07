"""Bodies of entries about retention: which copies were deleted on which ground, and which are on hold. No persons."""

from sluice.ledger.record import Part


class DeletedCopy(Part):
    """``why``: rule, agreement_ended. ``sha256``: of the bytes that went; empty where a file was never read."""

    kind: str
    sha256: str
    rule: str | None
    last_day: str
    why: str


class CopiesDeleted(Part):
    """Copies of one exchange that went for good; listed again afterwards, no version of them was left."""

    exchange_id: str
    principal: str
    deleted_at: str
    copies: tuple[DeletedCopy, ...]


class HoldSet(Part):
    """``flow`` and ``exchange_id`` None: everything of the principal. ``until``: the last day it holds."""

    hold_id: str
    principal: str
    flow: str | None
    exchange_id: str | None
    reason: str
    reference: str
    until: str
    set_by: str
    set_at: str


class HoldLifted(Part):
    """A hold ended before its last day."""

    hold_id: str
    lifted_by: str
    lifted_at: str


class ReturnConfirmed(Part):
    """What an ended agreement wanted back was given back; ``reference``: the principal's own confirmation."""

    principal: str
    agreement_id: str
    agreement_version: str
    reference: str
    confirmed_by: str
    confirmed_at: str
