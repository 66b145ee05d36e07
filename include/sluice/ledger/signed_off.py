"""Bodies of entries about a role profile of an agreement: who signed it off and why, and who could not."""

from sluice.ledger.record import Part


class RoleSignedOff(Part):
    """``number`` of ``needed`` signatures: the agreement says whether it takes one person or two.

    ``agreement_sha256``: of the agreement as it is registered. ``signed_at``: UTC, ISO 8601 with ``Z``.
    """

    principal: str
    agreement_id: str
    agreement_version: str
    agreement_sha256: str
    role_profile: str
    number: int
    needed: int
    signed_by: str
    signed_at: str
    reason: str


class RoleSignOffRefused(Part):
    """Whoever signed a role profile off tried to be the second person too. ``reason``: SAME_PERSON."""

    principal: str
    agreement_id: str
    agreement_version: str
    role_profile: str
    asked_by: str
    refused_at: str
    reason: str
