"""The SQL of acknowledgements: files under ``acks/`` and their outcome, delivered returns and how far they are."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sluice.db import Connection
from sluice.errors import NotFound, Ref
from sluice.lake.s3.objects import StoredObject
from sluice.ledger.record import GIVEN_BACK
from sluice.returns.ack import AckFile, AckLine, AckOutcome, AckState, Delivery, Step, state_of
from sluice.terms import ACCEPTED_DECISIONS, Direction, ExchangeId, Principal

_IS_SUPERSEDED = f"""(not starts_with(e.version_id, '{GIVEN_BACK}') and exists (
    select from exchange newer join acknowledgement k on k.exchange_id = newer.exchange_id
    where (newer.principal, newer.direction, newer.flow, newer.day) = (e.principal, e.direction, e.flow, e.day)
      and not starts_with(newer.version_id, '{GIVEN_BACK}') and newer.opened_at > e.opened_at))"""
"""SQL over ``exchange e``: whether a later return of its day was delivered."""
WAITS = f"a.acknowledged_at is null and not {_IS_SUPERSEDED}"
"""SQL over ``acknowledgement a`` and ``exchange e``: the principal has to say yet that a return arrived.

Once a later return of its day lies there, to acknowledge that one is enough: it holds what is to be known of the day.
"""
LINE = f"""exchange_id::text as exchange_id, e.principal, e.flow, e.chain, a.delivered_at, a.due_at, a.escalate_at,
    a.reminded_at, a.escalated_at, a.acknowledged_at, a.acknowledged_by, a.via, {_IS_SUPERSEDED} as is_superseded"""


def insert_file(conn: Connection, file: AckFile) -> bool:
    row = conn.execute(
        """insert into ack_file (principal, bucket, key, version_id, exchange_id, outcome, seen_at)
           values (%s, %s, %s, %s, %s, %s, %s) on conflict do nothing returning 1""",
        (
            file.principal,
            file.bucket,
            file.key,
            file.version_id,
            file.exchange_id,
            file.outcome.value,
            file.seen_at,
        ),
    ).fetchone()
    return row is not None


def find_answered(conn: Connection, items: Sequence[StoredObject]) -> list[AckFile]:
    rows = conn.execute(
        """select f.principal, f.bucket, f.key, f.version_id, f.exchange_id::text as exchange_id, f.outcome, f.seen_at
           from unnest(%s::text[], %s::text[], %s::text[]) as a(bucket, key, version_id)
           join ack_file f using (bucket, key, version_id)""",
        ([i.bucket for i in items], [i.key for i in items], [i.version_id for i in items]),
    ).fetchall()
    return [_ack_file(row) for row in rows]


def _ack_file(row: Mapping[str, Any]) -> AckFile:
    return AckFile(**{**row, "outcome": AckOutcome(row["outcome"])})


def lock_delivery(conn: Connection, exchange_id: ExchangeId, bucket: str | None) -> Delivery | None:
    """Lock the acknowledgement of an exchange until the transaction ends, and return its current state."""
    row = conn.execute(
        """select principal, direction, decision, chain, sha256, array(select c.sha256 from copy c
               where c.exchange_id = e.exchange_id and c.bucket = %(bucket)s
                 and starts_with(c.key, e.principal || '/outbound/')) as delivered
           from exchange e where exchange_id = %(id)s""",
        {"id": exchange_id, "bucket": bucket},
    ).fetchone()
    if row is None:
        return None
    waiting = conn.execute(
        "select delivered_at, due_at, acknowledged_at from acknowledgement where exchange_id = %s for update",
        (exchange_id,),
    ).fetchone()
    return Delivery(
        exchange_id=exchange_id,
        principal=Principal(row["principal"]),
        is_return=row["direction"] == Direction.OUTBOUND_RETURN,
        is_accepted=row["decision"] in ACCEPTED_DECISIONS,
        chain=row["chain"],
        hashes=frozenset(each for each in (row["sha256"], *row["delivered"]) if each),
        **(waiting or {}),
    )


def close_delivery(conn: Connection, exchange_id: ExchangeId, by: str, via: str, at: datetime) -> None:
    """Record that a return is acknowledged."""
    conn.execute(
        "update acknowledgement set acknowledged_at = %s, acknowledged_by = %s, via = %s where exchange_id = %s",
        (at, by, via, exchange_id),
    )


def list_ack_files(conn: Connection, principal: str | None = None, limit: int = 200) -> list[AckFile]:
    """Files under ``acks/`` with their outcome, newest first."""
    rows = conn.execute(
        """select principal, bucket, key, version_id, exchange_id::text as exchange_id, outcome, seen_at
           from ack_file where (%(principal)s::text is null or principal = %(principal)s)
           order by seen_at desc, key, version_id limit %(limit)s""",
        {"principal": principal, "limit": limit},
    ).fetchall()
    return [_ack_file(row) for row in rows]


def list_acknowledgements(
    conn: Connection, now: datetime, *, principal: str | None = None, state: AckState | None = None, limit: int = 200
) -> list[tuple[AckLine, AckState]]:
    """Delivered returns with their state at ``now``, newest first, at most ``limit``."""
    rows = conn.execute(
        f"""select {LINE} from acknowledgement a join exchange e using (exchange_id)
            where %(principal)s::text is null or e.principal = %(principal)s
            order by a.delivered_at desc, exchange_id""",
        {"principal": principal},
    )
    stated = ((line, state_of(line, now)) for line in map(_line, rows))
    return [(line, stands) for line, stands in stated if state in (None, stands)][:limit]


def list_overdue(conn: Connection, now: datetime, limit: int) -> list[AckLine]:
    """Delivered returns that nobody acknowledged in time and no later one superseded, the longest due first."""
    rows = conn.execute(
        f"""select {LINE} from acknowledgement a join exchange e using (exchange_id)
            where {WAITS} and a.due_at < %s order by a.due_at, exchange_id limit %s""",
        (now, limit),
    ).fetchall()
    return [_line(row) for row in rows]


def count_overdue(conn: Connection, now: datetime) -> int:
    """How many delivered returns nobody acknowledged in time and no later one superseded."""
    row = conn.execute(
        f"""select count(*) as n from acknowledgement a join exchange e using (exchange_id)
            where {WAITS} and a.due_at < %s""",
        (now,),
    ).fetchone()
    return int(row["n"]) if row else 0


def get_acknowledgement(conn: Connection, exchange_id: str) -> AckLine:
    """One delivered return with its acknowledgement. Raises NotFound."""
    row = conn.execute(
        f"select {LINE} from acknowledgement a join exchange e using (exchange_id) where exchange_id = %s",
        (exchange_id,),
    ).fetchone()
    if row is None:
        raise NotFound(Ref("return", exchange_id))
    return _line(row)


def find_due(conn: Connection, step: Step, now: datetime) -> list[AckLine]:
    """Returns for which a step is due and was not taken, the longest due first; not those that were superseded."""
    rows = conn.execute(
        f"""select {LINE} from acknowledgement a join exchange e using (exchange_id)
            where {WAITS} and a.{step.done} is null and a.{step.due} < %s
            order by a.{step.due}, exchange_id""",
        (now,),
    ).fetchall()
    return [_line(row) for row in rows]


def take_step(conn: Connection, step: Step, exchange_id: ExchangeId, now: datetime) -> bool:
    """Record a step; False if it was recorded, or the return acknowledged, meanwhile."""
    row = conn.execute(
        f"""update acknowledgement set {step.done} = %s
            where exchange_id = %s and {step.done} is null and acknowledged_at is null returning 1""",
        (now, exchange_id),
    ).fetchone()
    return row is not None


def find_reminded(conn: Connection) -> list[AckLine]:
    """Returns that wait although their principal was reminded, or the desk told."""
    rows = conn.execute(
        f"""select {LINE} from acknowledgement a join exchange e using (exchange_id)
            where {WAITS} and (a.reminded_at is not null or a.escalated_at is not null)
            order by e.principal, a.due_at, exchange_id"""
    ).fetchall()
    return [_line(row) for row in rows]


def _line(row: Mapping[str, Any]) -> AckLine:
    return AckLine(**row)
