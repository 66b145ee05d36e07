"""Explain every column of a contract in words; gaps too, so the contract need not load."""

from dataclasses import dataclass
from pathlib import Path

from sluice.agreement import dpv
from sluice.agreement.contract.columns import GAPS, Draft, drafts, portability
from sluice.agreement.document import make_problem, read_document
from sluice.agreement.errors import PaperInvalid
from sluice.agreement.folder.load import find_pinned

_GAP_WORDS = {number: name for name, number in GAPS}


@dataclass(frozen=True, slots=True)
class FieldExplained:
    """One column. ``reason`` says why it is portable or not, or what is missing."""

    name: str
    group: str | None
    category: str | None
    origin: str | None
    legal_basis: str | None
    portable: bool
    reason: str
    is_gap: bool


def explain_contract(path: Path) -> tuple[FieldExplained, ...]:
    """Every column of a contract file in order. Raises PaperInvalid if it is no contract."""
    document = read_document(path)
    if not document.is_contract:
        raise PaperInvalid(make_problem(str(path), 1, "CON-007", "this is an agreement"))
    agreement = find_pinned(document, path.parent)
    return tuple(_explain(draft) for draft in drafts(document, agreement))


def _explain(draft: Draft) -> FieldExplained:
    gaps = draft.gaps
    portable, reason = (False, _gap_reason(draft)) if gaps else portability(draft)
    category, basis = draft.word("dataCategory"), draft.word("legalBasis")
    return FieldExplained(
        name=draft.name,
        group=draft.group,
        category=dpv.short(category) if category else None,
        origin=draft.word("dataOrigin"),
        legal_basis=dpv.short(basis) if basis else None,
        portable=portable,
        reason=reason,
        is_gap=bool(gaps),
    )


def _gap_reason(draft: Draft) -> str:
    missing = ", ".join(f"{_GAP_WORDS[gap.number]} (line {gap.spot.line})" for gap in draft.gaps)
    return f"gap: this column stops every file until it has {missing}"
