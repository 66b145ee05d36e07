"""Bodies of entries about corrections: which field was corrected, and when that ended; never whose, never the value."""

from sluice.ledger.record import Part


class CorrectionMade(Part):
    """``before``, ``after``: hashes of values, under a salt that lies sealed with them: without it they link nothing.

    ``kind``: value, or statement.
    """

    correction_id: str
    case_id: str
    principal: str
    field: str
    kind: str
    as_of: str
    before: tuple[str, ...]
    after: str
    made_at: str


class CorrectionDropped(Part):
    """A correction that nothing needs any more was removed. ``why``: a word of retention."""

    correction_id: str
    principal: str
    why: str
    dropped_at: str
