"""Which columns ever could find a person of a principal, over all its contracts."""

from sluice.agreement.in_force.store import find_contract_by_hash
from sluice.db import Connection
from sluice.terms import Principal


def find_subject_names(conn: Connection, principal: Principal) -> frozenset[str] | None:
    """Columns that find a person in any contract of a principal that was ever registered.

    None: not every one can be read, so nobody can tell.
    """
    rows = conn.execute(
        "select sha256 from sluice.document where kind = 'contract' and principal = %s", (principal,)
    ).fetchall()
    found = [find_contract_by_hash(conn, row["sha256"]) for row in rows]
    contracts = [each for each in found if each is not None]
    if len(contracts) < len(found):
        return None
    return frozenset(field.name for each in contracts for field in each.subject_fields)
