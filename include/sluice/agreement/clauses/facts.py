"""Closed lists that the law and the contract text give; data, no rules."""

from collections.abc import Mapping

from sluice.terms import Direction

_EEA = """
    AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE
    IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK
"""
EEA_COUNTRIES = frozenset(_EEA.split())
"""Members of the European Economic Area, ISO 3166 alpha-2: no transfer basis needed (2026)."""

START_EVENTS = ("received", "call", "delivered", "contract_end", "consent_withdrawn", "case_closed", "staff_left")
"""Events that a retention rule may start at, in any agreement that may be in force."""

DATED_STARTS: Mapping[Direction, tuple[str, ...]] = {
    Direction.INBOUND: ("received", "contract_end"),
    Direction.INTERNAL: ("received", "call", "contract_end"),
    Direction.OUTBOUND_RETURN: ("received", "call", "delivered", "contract_end"),
}
"""Start events that have a day for a copy, by direction of its contract; no file comes under another direction."""

SECURITY_HEADINGS = (
    "PSEUDONYMISATION_ENCRYPTION",
    "CONFIDENTIALITY_INTEGRITY_AVAILABILITY",
    "RESTORE",
    "REGULAR_TESTING",
    "USER_AUTHORISATION",
    "TRANSMISSION",
    "STORAGE",
    "PHYSICAL",
    "EVENT_LOGGING",
    "CONFIGURATION",
    "GOVERNANCE",
    "CERTIFICATION",
    "MINIMISATION",
    "DATA_QUALITY",
    "LIMITED_RETENTION",
    "ACCOUNTABILITY",
    "PORTABILITY_ERASURE",
    "ASSIST_CONTROLLER",
)
"""One code per heading of SCC Annex III, in its order."""

RIGHTS = ("A15", "A16", "A17", "A18", "A20", "A21", "A7-3")
"""Rights that an agreement may let the processor answer itself (SCC clause 8(a)); A7-3 is withdrawal of consent."""
