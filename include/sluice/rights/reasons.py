"""Why a request may be refused or delayed: a closed list of DPV 2.3 justifications (EU GDPR extension).

``https://w3id.org/dpv/legal/eu/gdpr``. "The contract says keep", "reporting needs it" and "it is in a
backup" are no reasons, so they are not here. Art. 15(4), 20 and 21(1) have no term of their own in the extension.
"""

from collections.abc import Mapping

from sluice.rights.model import Right

GDPR = "https://w3id.org/dpv/legal/eu/gdpr#Justification"
PLAIN = "https://w3id.org/dpv/justifications#"
THIRD_PARTY = PLAIN + "ThirdPartyRightsImpaired"
"""Something is left out for somebody else's sake (Art. 15(4), 20(4)); the EU extension has no term for it."""
NOT_REQUIRED = PLAIN + "NotRequiredJustification"
"""The right does not reach this data: neither consent nor contract, or not provided by the person (Art. 20(1))."""


def _iris(names: str) -> frozenset[str]:
    return frozenset(GDPR + name for name in names.split())


IDENTITY = _iris("A12IdentityFailure")
ABUSE = _iris("A12ManifestlyUnfounded A12ManifestlyExcessive A12LackOfIntent A12MaliciousIntent")
"""Refusable on proven abuse only (Art. 12(5), C-526/24)."""
DELAYS = _iris("A12Delay A12Complexity A12HighVolume")
DOUBTS = _iris("A12IdentityRequired A12InformationRequired")
"""Why more is asked of the person first (Art. 12(6))."""
EXCEPTIONS = _iris("A17FreedomOfExpression A17LegallyRequired A17PublicHealth A17Archiving A17LegalClaims")
"""Exceptions to erasure, Art. 17(3)(a) to (e)."""

REFUSALS: Mapping[Right, frozenset[str]] = {
    **dict.fromkeys(Right, IDENTITY | ABUSE),
    Right.ACCESS: IDENTITY | ABUSE | {THIRD_PARTY},
    Right.PORTABILITY: IDENTITY | ABUSE | {THIRD_PARTY, NOT_REQUIRED},
    Right.ERASURE: IDENTITY | ABUSE | EXCEPTIONS,
    Right.OBJECTION: IDENTITY | ABUSE | _iris("A17LegalClaims"),
    Right.DIRECT_MARKETING: frozenset(),
    Right.CONSENT_WITHDRAWAL: frozenset(),
}
"""What may stand behind a refusal of each right. Objection: legal claims (Art. 21(1)), else on proven abuse."""

REMEDIES: Mapping[str, str] = {"BE": "remedies.be"}
"""The text on complaint and court by country of the controller (Art. 12(4), 77, 79); elsewhere nothing is refused."""


def iri(name: str) -> str:
    """The IRI of a short name: ``A17LegalClaims`` or ``JustificationA17LegalClaims``; an IRI stays as it is."""
    if "#" in name:
        return name
    if PLAIN + name in (THIRD_PARTY, NOT_REQUIRED):
        return PLAIN + name
    return GDPR + name.removeprefix("Justification")


def short(iri: str) -> str:
    """The name of a justification without where it comes from: ``A17LegalClaims``."""
    return iri.removeprefix(GDPR).removeprefix(PLAIN)
