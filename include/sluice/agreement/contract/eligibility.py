"""Which fields a person may take along (GDPR Art. 20(1) and (4)): one rule for papers and for data. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from sluice.agreement import dpv
from sluice.agreement.model import FieldRole
from sluice.terms import DataOrigin, FieldGroup

THEIRS = frozenset({DataOrigin.PROVIDED, DataOrigin.OBSERVED})
NOT_THEIRS = frozenset({FieldGroup.DISPOSITION, FieldGroup.AGENT_REF, FieldGroup.QA_SCORE, FieldGroup.SCORE})
"""Groups that agents make or that are derived, whatever origin a contract gives to all its columns."""


class NotPortable(StrEnum):
    """Why a field may not be taken along, in the order in which it is asked; the first that holds is the reason."""

    NO_PERSONAL_DATA = "NO_PERSONAL_DATA"
    BASIS = "BASIS"
    ORIGIN = "ORIGIN"
    BY_HAND = "BY_HAND"
    RESTRICTED = "RESTRICTED"


@dataclass(frozen=True, slots=True)
class Traits:
    """The traits that decide about a field. ``portable``: False if a paper restricts it; it can widen nothing."""

    category: str | None
    basis: str | None
    origin: str | None
    automated: bool
    portable: bool
    group: str | None = None


def traits_of(field: FieldRole) -> Traits:
    """The traits of a field that loaded."""
    return Traits(field.category, field.legal_basis, field.origin.value, field.automated, field.portable, field.group)


def why_not(field: Traits) -> NotPortable | None:
    """Return why a field is not portable; None if it is. Basis x origin x automated, then what papers restrict."""
    if field.category == dpv.NON_PERSONAL:
        return NotPortable.NO_PERSONAL_DATA
    if field.basis not in dpv.PORTABLE_BASES:
        return NotPortable.BASIS
    if field.origin not in THEIRS or field.group in NOT_THEIRS:
        return NotPortable.ORIGIN
    if not field.automated:
        return NotPortable.BY_HAND
    return None if field.portable else NotPortable.RESTRICTED
