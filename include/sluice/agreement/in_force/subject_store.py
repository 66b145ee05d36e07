"""Columns by which a person of a principal could ever be found, over all its contracts."""

from sluice.agreement.in_force.store import find_contract_by_hash
from sluice.db import Connection
from sluice.terms import Principal


def find_subject_names(conn: Connection, principal: Principal) -> frozenset[str] | None:
    """Columns by which a person can be found, in any contract of a principal that was ever registered.

    None if some contract cannot be read, so that the answer is not known.
    """
    rows = conn.execute(
        "select sha256 from sluice.document where kind = 'contract' and principal = %s", (principal,)
    ).fetchall()
    found = [find_contract_by_hash(conn, row["sha256"]) for row in rows]
    contracts = [each for each in found if each is not None]
    if len(contracts) < len(found):
        return None
    return frozenset(field.name for each in contracts for field in each.subject_fields)
