"""The body of ``suppression.changed``: that persons are kept out, or no longer, and how many; never who."""

from sluice.ledger.record import Part


class SuppressionChanged(Part):
    """``references``: how many keyed references the run has; a person may have several. ``change``: made, lifted."""

    run_id: str
    principal: str
    reason: str
    change: str
    references: int
    case_id: str | None
    changed_at: str
