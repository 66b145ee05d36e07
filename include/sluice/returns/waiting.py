"""Prepared returns that wait for a second person to release them."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sluice.db import Connection
from sluice.terms import ExchangeId, Flow, Principal

_WAITING = "decision = 'open' and prepared_at is not null and released_at is null"
_LINE = "exchange_id::text as exchange_id, principal, flow, day, prepared_at, prepared_by"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A return that waits. ``day``: Brussels day of its contacts; ``prepared_by``: who may not release it."""

    exchange_id: ExchangeId
    principal: Principal
    flow: Flow
    day: date | None
    prepared_at: datetime
    prepared_by: str


def list_prepared(conn: Connection, limit: int) -> list[Prepared]:
    """Returns that wait, oldest first."""
    rows = conn.execute(
        f"select {_LINE} from exchange where {_WAITING} order by prepared_at, exchange_id limit %s".encode(), (limit,)
    ).fetchall()
    return [_prepared(row) for row in rows]


def count_prepared(conn: Connection) -> int:
    """How many returns wait."""
    row = conn.execute(f"select count(*) as n from exchange where {_WAITING}".encode()).fetchone()
    return int(row["n"]) if row else 0


def find_waiting(conn: Connection, exchange_id: str) -> Prepared | None:
    """A return that waits; None if it does not wait, or no longer does."""
    row = conn.execute(
        f"select {_LINE} from exchange where exchange_id = %s and {_WAITING}".encode(), (exchange_id,)
    ).fetchone()
    return _prepared(row) if row else None


def _prepared(row: dict[str, Any]) -> Prepared:
    return Prepared(**row)
