"""The reasons of a verdict with their meaning and cure in words."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sluice.documents.reasons import Explained
    from sluice.gate.model import Finding


def explained(reasons: "Sequence[Finding]", lang: str) -> "list[tuple[Finding, Explained]]":
    """Reasons with the meaning and the cure of each."""
    if not reasons:
        return []
    from sluice.documents.reasons import explain
    from sluice.documents.words import words
    from sluice.terms import Direction

    return [(reason, explain(words(lang), Direction.INBOUND, reason.code)) for reason in reasons]
