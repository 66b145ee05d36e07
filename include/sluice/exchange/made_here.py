"""Exchanges that no file begins: a return, data given back, a dial list, an answer to a controller."""

from dataclasses import dataclass
from datetime import date, datetime

from sluice.db import Connection
from sluice.exchange.model import Opened
from sluice.exchange.store import COLUMNS, opened_of
from sluice.terms import Direction, Flow, Principal


@dataclass(frozen=True, slots=True)
class MadeHere:
    """An exchange to open. ``name`` takes the place of an object version, because nothing arrives.

    ``is_taken_up``: whether a slot of its flow claims it; else only the code that makes such exchanges does.
    """

    principal: Principal
    direction: Direction
    flow: Flow
    bucket: str
    key: str
    name: str
    chain: str
    opened_at: datetime
    day: date | None = None
    """For a return, the Brussels calendar day of the contacts in it."""
    is_taken_up: bool = False


def insert_made_here(conn: Connection, made: MadeHere) -> Opened | None:
    """Open an exchange; None if it was opened already. Call inside a transaction."""
    row = conn.execute(
        f"""insert into exchange (principal, direction, flow, bucket, key, version_id, size_bytes, chain, opened_at,
                day, next_attempt_at)
            values (%s, %s, %s, %s, %s, %s, 0, %s, %s, %s, case when %s then now() else 'infinity'::timestamptz end)
            on conflict on constraint exchange_once do nothing returning {COLUMNS}""".encode(),
        (
            made.principal,
            made.direction.value,
            made.flow,
            made.bucket,
            made.key,
            made.name,
            made.chain,
            made.opened_at,
            made.day,
            made.is_taken_up,
        ),
    ).fetchone()
    return opened_of(row) if row else None
