"""The body of ``erasure.done``: what one case removed from one principal's stores, in numbers."""

from sluice.ledger.record import Part


class StoreErased(Part):
    """One store: objects that named the person, rows before and after, what happened, on which ground."""

    store: str
    objects: int
    rows_before: int
    rows_after: int
    outcome: str
    ground: str | None


class ErasureDone(Part):
    """``residual``: what the second scan still found; the entry is written whatever it is."""

    case_id: str
    principal: str
    done_at: str
    stores: tuple[StoreErased, ...]
    objects_scanned: int
    residual: int
    doubts: int
