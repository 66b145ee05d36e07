"""SQL of leads: exchanges whose copies a case opens, whatever the index says about them now."""

from collections.abc import Iterable
from typing import Literal

from sluice.db import Connection
from sluice.rights.copies.model import Target
from sluice.terms import ExchangeId

LeadBy = Literal["index", "scan"]


def find_leads(conn: Connection, target: Target) -> frozenset[ExchangeId]:
    """Exchanges whose copies a case opens at a principal, whatever the index says about them."""
    rows = conn.execute(
        "select exchange_id::text as id from erasure_lead where case_id = %s and principal = %s",
        (target.case_id, target.principal),
    ).fetchall()
    return frozenset(ExchangeId(row["id"]) for row in rows)


def note_leads(conn: Connection, target: Target, exchanges: Iterable[ExchangeId], found_by: LeadBy) -> None:
    """Add exchanges to these leads. A lead that was noted before stays as it is."""
    with conn.cursor() as cursor:
        cursor.executemany(
            """insert into erasure_lead (case_id, principal, exchange_id, found_by, noted_at)
               values (%s, %s, %s, %s, now()) on conflict do nothing""",
            [(target.case_id, target.principal, exchange_id, found_by) for exchange_id in sorted(exchanges)],
        )
