"""Bodies of entries about a return: prepared, released, refused, acknowledged, reminded. All times are UTC."""

from sluice.ledger.record import ExchangeRecord, Part


class PreparedReturn(Part):
    """A return lies ready and waits for a second person. ``record``: as it will close, but for that."""

    exchange_id: str
    prepared_by: str
    prepared_at: str
    record: ExchangeRecord


class ReleasedReturn(Part):
    """Somebody other than its preparer let a return go; ``sha256`` is the file they let go."""

    exchange_id: str
    released_by: str
    released_at: str
    sha256: str
    reason: str | None = None


class ReturnReleaseRefused(Part):
    """Whoever prepared a return tried to let it go too. ``reason``: PREPARED_IT."""

    exchange_id: str
    asked_by: str
    refused_at: str
    reason: str


class AcknowledgedReturn(Part):
    """The principal said that a return arrived. ``via``: file (under acks/) or command."""

    exchange_id: str
    acknowledged_by: str
    acknowledged_at: str
    via: str
    was_late: bool
    reason: str | None = None


class AcknowledgementRefused(Part):
    """A file under acks/ that acknowledges nothing, and why; ``exchange_id`` only if it named one of ours."""

    principal: str
    outcome: str
    exchange_id: str | None
    bucket: str
    key: str
    version_id: str


class ReminderSent(Part):
    """The principal (reminder) or the center's desk (escalation) was told that an answer is missing."""

    exchange_id: str
    due_at: str
    sent_at: str


class RedeliveredReturn(Part):
    """The same bytes were put there again, on request."""

    exchange_id: str
    asked_by: str
    redelivered_at: str
    sha256: str
    version_id: str
