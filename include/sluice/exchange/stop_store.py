"""The SQL of stopped flows. Nothing here decides."""

from dataclasses import dataclass
from datetime import datetime

from sluice.db import Connection
from sluice.exchange.of_a_day import IS_SUPERSEDED
from sluice.terms import Flow, Principal

IS_STOPPED = """exists (select from flow_stop f where f.principal = exchange.principal and f.flow = exchange.flow
    and f.resumed_at is null)"""
"""SQL over ``exchange``: whether its flow is stopped."""
MAY_BE_TAKEN = f"(not {IS_STOPPED} or prepared_at is not null and {IS_SUPERSEDED})"
"""SQL over ``exchange``: whether it may be taken up. In a stopped flow only a prepared one that was superseded may, so
that it ends."""

ASKED_AT = """greatest(exchange.opened_at, (select max(f.resumed_at) from flow_stop f
    where f.principal = exchange.principal and f.flow = exchange.flow and exchange.direction in ('inbound', 'internal')
      and f.resumed_at <= coalesce(exchange.closed_at, 'infinity')))"""
"""SQL over ``exchange``: the moment as of which its papers are asked.

It is when it was opened. If a file waited while its flow stood still, it is when that was resumed for the last time: a
contract that was mended meanwhile counts, and so does the end of an agreement.
"""


@dataclass(frozen=True, slots=True)
class FlowStop:
    """One stop that holds. ``waiting``: exchanges of the flow that were opened and not closed yet."""

    principal: Principal
    flow: Flow
    reason: str
    stopped_at: datetime
    stopped_by: str
    waiting: int


def insert_stop(conn: Connection, principal: Principal, flow: Flow, reason: str, by: str, at: datetime) -> bool:
    """Note a stop; return False when the flow was stopped already."""
    row = conn.execute(
        """insert into flow_stop (principal, flow, reason, stopped_at, stopped_by) values (%s, %s, %s, %s, %s)
           on conflict do nothing returning 1""",
        (principal, flow, reason, at, by),
    ).fetchone()
    return row is not None


def end_stop(conn: Connection, principal: Principal, flow: Flow, by: str, at: datetime) -> datetime | None:
    """End a stop and return when it ended: not before this call. None when there was none."""
    row = conn.execute(
        """update flow_stop set resumed_at = greatest(%s, clock_timestamp()), resumed_by = %s
           where principal = %s and flow = %s and resumed_at is null returning resumed_at""",
        (at, by, principal, flow),
    ).fetchone()
    return row["resumed_at"] if row else None


def find_stops(conn: Connection) -> list[FlowStop]:
    """Stops that hold, oldest first."""
    rows = conn.execute(
        """select principal, flow, reason, stopped_at, stopped_by, (select count(*) from exchange e
               where e.decision = 'open' and e.principal = f.principal and e.flow = f.flow) as waiting
           from flow_stop f where resumed_at is null order by stopped_at, stop_id"""
    ).fetchall()
    return [FlowStop(**row) for row in rows]


def is_stopped(conn: Connection, principal: Principal, flow: Flow) -> bool:
    """Whether a flow is stopped."""
    row = conn.execute(
        """select exists (select from flow_stop where principal = %s and flow = %s and resumed_at is null)
           as is_so""",
        (principal, flow),
    ).fetchone()
    return bool(row and row["is_so"])
