"""The body of ``correction.made``: that a field of a person was corrected; never whose, never to what."""

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
