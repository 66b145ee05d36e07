"""The body of ``exchange.opened``: what is known before the first byte is read."""

from sluice.ledger.record import Part
from sluice.terms import Direction


class OpenedRecord(Part):
    """A file version was seen and will be answered for. ``opened_at``: UTC, ISO 8601 with ``Z``."""

    exchange_id: str
    principal: str
    direction: Direction
    flow: str
    bucket: str
    key: str
    version_id: str
    size_bytes: int
    opened_at: str
    agreement_id: str | None
    agreement_version: str | None
