"""Bodies of entries about notes read by a reviewer: who read, how many rows, what was decided; never a note's text."""

from sluice.ledger.record import Part


class NotesRead(Part):
    """Somebody opened notes of an exchange. ``why``: ``review`` (held rows) or ``sample`` (rows that went on)."""

    exchange_id: str
    why: str
    rows: int
    read_by: str
    read_at: str


class ReviewDecided(Part):
    """``decision``: send, mask, drop. Rows that may go come back in the file ``key``, an exchange of its own."""

    exchange_id: str
    number: int
    decision: str
    rows: int
    decided_by: str
    decided_at: str
    key: str | None
    reason: str | None = None
