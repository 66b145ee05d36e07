"""The body of ``suppression.changed``: how many persons are kept out or no longer kept out; never who they are."""

from sluice.ledger.record import Part


class SuppressionChanged(Part):
    """``references``: how many keyed references the run has; a person may have several. ``change``: made, lifted.

    ``purposes``, ``bases``, ``channel``: what it stops; nothing named of a kind is everything of it.
    ``by``, ``evidence_sha256``: who ended it, on what, where a person did.
    """

    run_id: str
    principal: str
    reason: str
    change: str
    references: int
    case_id: str | None
    changed_at: str
    purposes: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    channel: str | None = None
    by: str | None = None
    evidence_sha256: str | None = None
