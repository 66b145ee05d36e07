"""Bodies of entries about keys: names of principals, fingerprints, counts; no person and no key."""

from sluice.ledger.record import Part


class KeyDestructionAsked(Part):
    """Somebody asked that the keys of a principal are destroyed."""

    principal: str
    asked_by: str
    asked_at: str


class KeyDestructionRefused(Part):
    """Whoever asked that the keys of a principal are destroyed tried to confirm it too. ``reason``: ASKED_IT."""

    principal: str
    asked_by: str
    refused_at: str
    reason: str


class KeyDestructionDone(Part):
    """The keys of a principal are gone; ``fingerprints``: by purpose, HMAC-SHA256 of fixed words under the key.

    ``kept_out``: persons in lists that nobody can match any more.
    """

    principal: str
    fingerprints: dict[str, str]
    kept_out: int
    asked_by: str
    confirmed_by: str
    confirmed_at: str
    destroyed_at: str
