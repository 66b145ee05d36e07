"""A breach slice as a document, the same for the command and for HTTP. Pure."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sluice.agreement.dpv import short
from sluice.breach.model import PrincipalPart, Slice
from sluice.breach.write import DraftLine


def describe(found: Slice) -> dict[str, Any]:
    """The document of a slice. ``due_at`` is UTC; ``subjects`` adds up distinct persons per principal."""
    parts = [_part(part) for part in found.parts]

    def every(name: str) -> list[str]:
        return sorted({each for part in parts for each in part[name]})

    return {
        "subjects": found.subjects,
        "principals": [part.principal for part in found.parts],
        **{name: every(name) for name in ("categories", "special_categories", "recipients", "exchanges", "went_into")},
        "aware_at": found.aware_at,
        "risk": found.risk,
        "parts": parts,
        "notify": [{**asdict(duty), "applies": duty.applies.value} for duty in found.duties],
    }


def describe_drafts(drafts: Sequence[DraftLine]) -> list[dict[str, Any]]:
    """Drafts that were written as files; only the command shows them."""
    return [
        {"path": str(each.path), "for": each.draft, "principal": each.principal, "language": each.language}
        for each in drafts
    ]


def _part(part: PrincipalPart) -> dict[str, Any]:
    return {
        "principal": part.principal,
        "subjects": part.counted.persons,
        "rows": part.counted.rows,
        "rows_without_person": part.counted.nameless,
        "unread": list(part.counted.unread),
        "rows_removed": part.counted.removed,
        "at_most": part.counted.at_most,
        "exchanges": list(part.exchanges),
        "went_into": list(part.went_into),
        "categories": [short(iri) for iri in part.categories],
        "special_categories": [short(iri) for iri in part.special],
        "controllers": sorted(part.controllers),
        "recipients": list(part.recipients),
        "countries": list(part.countries),
        "agreement": f"{part.known.agreement.agreement_id} {part.known.agreement.version}" if part.known else None,
    }
