"""The reason for an action, as the ledger keeps it: a code or an IRI, so that no sentence about a person gets in."""

import re

from sluice.errors import Ref, UsageError

REASON = re.compile(r"[A-Z][A-Z0-9_]{2,63}|https://w3id\.org/dpv/(?:legal/eu/gdpr|justifications)#[A-Za-z0-9]{1,64}")


def check_reason(reason: str | None) -> None:
    """Check that a reason, if given, is a code or an IRI. Raises UsageError."""
    if reason is not None and not REASON.fullmatch(reason):
        raise UsageError(Ref("option", "--reason"), Ref("form", "A_CODE_IN_CAPITALS"))
