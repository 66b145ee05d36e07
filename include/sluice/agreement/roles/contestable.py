"""Roles in force that could be contested, as nobody signed them off or the arrangement behind them is missing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from sluice.agreement.in_force.store import find_version, list_contracts
from sluice.agreement.model import Agreement, DataContract
from sluice.agreement.roles.profiles import role_warnings
from sluice.db import Connection
from sluice.terms import RoleProfile

CONTESTED = (RoleProfile.SEED_OWNER, RoleProfile.JOINT)
"""Profiles that need more than an agreement. AGENTS_PSEUDONYMISED (INDEPENDENT) only informs, so it is not here."""


@dataclass(frozen=True, slots=True, order=True)
class Contestable:
    """A warning on an agreement version. ``code`` is one of ``profiles.role_warnings``."""

    principal: str
    agreement_id: str
    version: str
    code: str


def find_contestable(conn: Connection, on: date, known_at: datetime) -> list[Contestable]:
    """Warnings on the roles of every contract in force on a day, as the papers were known at an instant."""
    found: set[Contestable] = set()
    for known in list_contracts(conn, known_at, CONTESTED):
        contract = known.contract
        if on not in known.days:
            continue
        paper = find_version(conn, contract.agreement_id, contract.agreement_version, known_at)
        found |= set(warned(contract, paper)) if paper else set()
    return sorted(found)


def warned(contract: DataContract, paper: Agreement) -> Iterator[Contestable]:
    """The warnings of one contract under its agreement. Pure."""
    for profile in CONTESTED:
        if any(field.role_profile is profile for field in contract.fields):
            for word in role_warnings(paper, profile):
                yield Contestable(paper.principal, paper.agreement_id, paper.version, word.partition(":")[0])
