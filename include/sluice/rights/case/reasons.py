"""Why a request may be refused or delayed: a closed list of DPV 2.3 justifications (EU GDPR extension).

The extension is ``https://w3id.org/dpv/legal/eu/gdpr``. "The contract says keep", "reporting needs it" and "it
is in a backup" are no reasons, so they are not listed. One of DPV's plain justifications stands for a reason
that the extension has no term for: Art. 15(4), 20, 21(1), and that the conditions of a right are not met.
"""

from collections.abc import Mapping
from enum import StrEnum

from sluice.rights.case.model import Right

GDPR = "https://w3id.org/dpv/legal/eu/gdpr#Justification"
PLAIN = "https://w3id.org/dpv/justifications#"
THIRD_PARTY = PLAIN + "ThirdPartyRightsImpaired"
"""Something is left out to protect somebody else (Art. 15(4), 20(4)); the EU extension has no term for it."""
NOT_REQUIRED = PLAIN + "NotRequiredJustification"
"""The conditions of the right are not met. Art. 16: the data is right. Art. 17(1), 18(1): none of the grounds holds.
Art. 20(1): the data rests neither on consent nor on a contract, or was not provided by the person. Art. 21(1): the
processing rests neither on a public task nor on a legitimate interest."""
OVERRIDDEN = PLAIN + "LegitimateInterestOverride"
"""Compelling legitimate grounds override those of the person (Art. 21(1)); never if they object to advertising."""


class Ground(StrEnum):
    """Why data has to be erased, Art. 17(1)(a) to (f): the reason code of a decision to erase, where it was given."""

    NO_LONGER_NEEDED = "NO_LONGER_NEEDED"
    CONSENT_WITHDRAWN = "CONSENT_WITHDRAWN"
    OBJECTION_UPHELD = "OBJECTION_UPHELD"
    UNLAWFUL = "UNLAWFUL"
    LEGAL_DUTY = "LEGAL_DUTY"
    CHILD = "CHILD"


GROUNDS: Mapping[str, Ground] = {each.value.lower().replace("_", "-"): each for each in Ground}
"""The grounds by the words that people write: ``no-longer-needed``."""


def _iris(names: str) -> frozenset[str]:
    return frozenset(GDPR + name for name in names.split())


IDENTITY = _iris("A12IdentityFailure")
ABUSE = _iris("A12ManifestlyUnfounded A12ManifestlyExcessive A12LackOfIntent A12MaliciousIntent")
"""Reasons that need proven abuse (Art. 12(5), C-526/24)."""
DELAYS = _iris("A12Delay A12Complexity A12HighVolume")
DOUBTS = _iris("A12IdentityRequired A12InformationRequired")
"""Why the person is asked for more first (Art. 12(6))."""
EXCEPTIONS = _iris(
    "A17FreedomOfExpression A17LegallyRequired A17PublicInterest A17OfficialAuthority A17PublicHealth A17Archiving "
    "A17LegalClaims"
)
"""Exceptions to erasure, Art. 17(3)(a) to (e). Three of them are (b): a legal obligation, a task in the public
interest, and official authority vested in the controller."""

REFUSALS: Mapping[Right, frozenset[str]] = {
    **dict.fromkeys(Right, IDENTITY | ABUSE),
    Right.ACCESS: IDENTITY | ABUSE | {THIRD_PARTY},
    Right.PORTABILITY: IDENTITY | ABUSE | {THIRD_PARTY, NOT_REQUIRED},
    Right.RECTIFICATION: IDENTITY | ABUSE | {NOT_REQUIRED},
    Right.ERASURE: IDENTITY | ABUSE | EXCEPTIONS | {NOT_REQUIRED},
    Right.RESTRICTION: IDENTITY | ABUSE | {NOT_REQUIRED},
    Right.OBJECTION: IDENTITY | ABUSE | _iris("A17LegalClaims") | {OVERRIDDEN, NOT_REQUIRED},
    Right.DIRECT_MARKETING: frozenset(),
    Right.CONSENT_WITHDRAWAL: frozenset(),
}
"""The reasons with which a person at the center may refuse each right. Objection: compelling grounds, legal claims,
another basis than those that Art. 21(1) reaches, or proven abuse. An objection to advertising and a withdrawal of
consent cannot be refused (Art. 21(3), 7(3))."""

REMEDIES: Mapping[str, str] = {"BE": "remedies.be"}
"""The text on complaint and court, by the controller's country (Art. 12(4), 77, 79). Elsewhere nothing is refused."""


def iri(name: str) -> str:
    """The IRI of a short name, ``A17LegalClaims`` or ``JustificationA17LegalClaims``. An IRI is returned as it is."""
    if "#" in name:
        return name
    if PLAIN + name in (THIRD_PARTY, NOT_REQUIRED, OVERRIDDEN):
        return PLAIN + name
    return GDPR + name.removeprefix("Justification")


def short(iri: str) -> str:
    """The name of a justification without its namespace: ``A17LegalClaims``."""
    return iri.removeprefix(GDPR).removeprefix(PLAIN)
