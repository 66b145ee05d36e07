"""The SQL of retention. No decisions are made here."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from datetime import date, datetime
from functools import cache, partial
from typing import Any

from sluice import locks
from sluice.agreement.in_force.ended import Ends
from sluice.agreement.in_force.store import find_version
from sluice.agreement.model import Agreement, RetentionRule
from sluice.db import Connection
from sluice.exchange.beginning import get_by_beginning
from sluice.exchange.last_days import end_of
from sluice.exchange.outbox import AFTER_RECEIPT
from sluice.lake.s3.names import ObjectVersion
from sluice.ledger.copy_kinds import FOR_A_TIME
from sluice.ledger.record import is_after_end, is_dial_key
from sluice.locks import About
from sluice.retention.model import Due, HoldReason, Kept, LegalHold, Why
from sluice.terms import Direction, ExchangeId, Flow, Principal

_HOLD = """hold_id::text as hold_id, principal, flow, exchange_id::text as exchange_id, reason, reference, until,
    set_by, set_at, lifted_at, lifted_by"""

_NOT_PROVEN = """not exists (select from retention_outcome o
    where (o.exchange_id, o.kind) = (c.exchange_id, c.kind))"""
_NOT_ERASED = """not exists (select from erasure_outcome r
    where (r.exchange_id, r.kind, r.outcome) = (c.exchange_id, c.kind, 'removed'))"""


def lock_principal(conn: Connection, principal: Principal) -> AbstractContextManager[None]:
    """Keep holds and deletions of a principal apart: a new hold waits for a running deletion, the next one sees it."""
    return locks.hold(conn, About.RETENTION, principal)


def find_principals(conn: Connection) -> list[Principal]:
    """Principals with a copy that still exists, or with one as in :func:`find_begun`."""
    rows = conn.execute(
        f"""select distinct principal from exchange join copy c using (exchange_id)
            where {_NOT_PROVEN} and (c.gone_at is null or {_NOT_ERASED}
                and exists (select from retention_begun b where (b.exchange_id, b.kind) = (c.exchange_id, c.kind)))
            order by 1""".encode()
    ).fetchall()
    return [Principal(row["principal"]) for row in rows]


def find_kept(conn: Connection, principal: Principal, on: date, ends: Ends) -> dict[str | None, list[Kept]]:
    """Copies that exist and may be due on a day, by the id of the agreement with which their data ended, if it did.

    They have a last day before it, or their agreement ended. The index of who is in a delivered file is kept as long as
    that file, however late it was delivered. A rule is taken from the agreement version under which the exchange was
    closed, whatever a later version does with its code.
    """
    rows = conn.execute(
        """select c.exchange_id::text as id, c.kind, e.flow, e.chain, c.sha256, c.retention_rule as rule,
               case when c.kind in ('index', 'index.rest') and c.delete_after is not null
                   then greatest(c.delete_after, (select max(d.delete_after) from copy d
                       where (d.exchange_id, d.kind) = (c.exchange_id, 'delivered') and d.gone_at is null))
                   else c.delete_after end as delete_after,
               e.direction, e.key, e.version_id, s.said #>> '{why,agreement_id}' as agreement_id,
               s.said #>> '{why,agreement_version}' as agreement_version,
               exists (select from outbox o where o.exchange_id = c.exchange_id and o.done_at is null
                   and o.effect = any(%(awaited)s)) as is_awaited
           from copy c join exchange e using (exchange_id) left join said s using (said_id)
           where e.principal = %(principal)s and c.gone_at is null
             and (%(all_ended)s or c.delete_after < %(on)s or (%(some_ended)s
                 and (s.said #>> '{why,agreement_id}' = any(%(ended)s)
                      or concat_ws('.', e.principal, e.direction, e.flow) = any(%(contracts)s))))
           order by c.exchange_id, c.kind""",
        {
            "principal": principal,
            "all_ended": ends.last is not None,
            "some_ended": bool(ends.ended),
            "ended": list(ends.ended),
            "contracts": list(ends.contracts),
            "on": on,
            "awaited": list(AFTER_RECEIPT),
        },
    ).fetchall()
    rules, found = cache(partial(_rules, conn)), dict[str | None, list[Kept]]()
    for row in rows:
        ended = ends.of(Direction(row["direction"]), Flow(row["flow"]), row["agreement_id"])
        if ended is None:
            found.setdefault(None, []).append(_kept(principal, row))
        else:
            rule = rules(row["agreement_id"], row["agreement_version"]).get(row["rule"])
            found.setdefault(ended.agreement_id, []).append(_kept(principal, row, rule, ended.valid_to))
    return found


def _rules(conn: Connection, agreement_id: str | None, version: str | None) -> dict[str, RetentionRule]:
    """The retention rules of an agreement version by code; empty if the exchange had no paper."""
    agreement = find_version(conn, agreement_id, version) if agreement_id and version else None
    return {rule.code: rule for rule in agreement.retention_rules} if agreement else {}


def has_unindexed(conn: Connection, principal: Principal) -> bool:
    """Whether there is accepted data without an index of who is in it."""
    row = conn.execute(
        """select exists (select from copy c join exchange e using (exchange_id)
               where e.principal = %s and c.kind = 'lake' and c.gone_at is null and not exists (select from copy i
                   where i.exchange_id = c.exchange_id and i.kind = 'index' and i.gone_at is null)) as is_so""",
        (principal,),
    ).fetchone()
    return bool(row and row["is_so"])


def find_indexes(conn: Connection, principal: Principal) -> list[ObjectVersion]:
    """Bucket, key and version of every index that still exists, youngest first."""
    rows = conn.execute(
        """select c.bucket, c.key, c.version_id from copy c join exchange e using (exchange_id)
           where e.principal = %s and c.kind = 'index' and c.gone_at is null order by e.opened_at desc""",
        (principal,),
    ).fetchall()
    return [ObjectVersion(row["bucket"], row["key"], row["version_id"]) for row in rows]


def find_begun(conn: Connection, principal: Principal) -> list[Due]:
    """Copies that a dead worker began to delete, without proof yet: no hold or new agreement brings them back.

    Copies that an erasure removed meanwhile are left out: its own entry records them, and retention did not delete
    them.
    """
    rows = conn.execute(
        f"""select c.exchange_id::text as id, c.kind, e.flow, e.chain, c.sha256, c.retention_rule as rule,
                c.delete_after, e.direction, e.key, e.version_id, false as is_awaited, b.last_day, b.why
            from copy c join exchange e using (exchange_id)
            join retention_begun b on (b.exchange_id, b.kind) = (c.exchange_id, c.kind)
            where e.principal = %s and c.gone_at is not null and {_NOT_PROVEN} and {_NOT_ERASED}
            order by c.exchange_id, c.kind""".encode(),
        (principal,),
    ).fetchall()
    return [Due(_kept(principal, row), row["last_day"], Why(row["why"]), is_begun=True) for row in rows]


def _kept(
    principal: Principal, row: dict[str, Any], rule: RetentionRule | None = None, ended_on: date | None = None
) -> Kept:
    """Make a :class:`Kept` from a row. ``rule``: the copy's own, given only once the agreement ended.

    A rule that starts at the end of the agreement has a last day only then.
    """
    last_day, direction = row["delete_after"], Direction(row["direction"])
    if last_day is None and rule is not None:
        last_day = end_of(rule, {"contract_end": ended_on})
    return Kept(
        exchange_id=ExchangeId(row["id"]),
        kind=row["kind"],
        principal=principal,
        flow=Flow(row["flow"]),
        chain=row["chain"],
        sha256=row["sha256"],
        rule=row["rule"],
        last_day=last_day,
        has_statute=bool(rule and rule.statute) and row["kind"] not in FOR_A_TIME,
        is_awaited=row["is_awaited"],
        is_given_back=is_after_end(direction, row["version_id"]),
        is_handed_out=direction is Direction.PORTABILITY_ACCESS or is_dial_key(direction, row["key"]),
    )


def note_begun(conn: Connection, dues: Iterable[Due]) -> None:
    """Note copies before they are deleted, so that those of a dead worker are met again."""
    with conn.cursor() as cursor:
        cursor.executemany(
            """insert into retention_begun (exchange_id, kind, last_day, why) values (%s, %s, %s, %s)
               on conflict do nothing""",
            [(due.copy.exchange_id, due.copy.kind, due.last_day, due.why.value) for due in dues],
        )


def insert_outcomes(conn: Connection, dues: Iterable[Due], at: datetime) -> list[Due]:
    """Store proven deletions, and return those that were not stored before."""
    return [due for due in dues if _insert_outcome(conn, due, at)]


def _insert_outcome(conn: Connection, due: Due, at: datetime) -> bool:
    row = conn.execute(
        """insert into retention_outcome (exchange_id, kind, last_day, why, deleted_at) values (%s, %s, %s, %s, %s)
           on conflict do nothing returning 1""",
        (due.copy.exchange_id, due.copy.kind, due.last_day, due.why.value, at),
    ).fetchone()
    return row is not None


def insert_hold(conn: Connection, hold: LegalHold) -> None:
    """Add a hold."""
    conn.execute(
        """insert into legal_hold (hold_id, principal, flow, exchange_id, reason, reference, until, set_by, set_at)
           values (%s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        (
            hold.hold_id,
            hold.principal,
            hold.flow,
            hold.exchange_id,
            hold.reason.value,
            hold.reference,
            hold.until,
            hold.set_by,
            hold.set_at,
        ),
    )


def find_holds(
    conn: Connection, principal: Principal | None = None, reaching: ExchangeId | None = None
) -> list[LegalHold]:
    """Every hold ever set, of one principal or of all, oldest first.

    ``reaching``: leave out holds on other single exchanges than this one.
    """
    rows = conn.execute(
        f"""select {_HOLD} from legal_hold where (%(principal)s::text is null or principal = %(principal)s)
              and (%(exchange)s::uuid is null or exchange_id is null or exchange_id = %(exchange)s)
            order by set_at, hold_id""".encode(),
        {"principal": principal, "exchange": reaching},
    ).fetchall()
    return [LegalHold(**{**row, "reason": HoldReason(row["reason"])}) for row in rows]


def is_held(conn: Connection, principal: Principal, on: date) -> bool:
    """Whether a legal hold keeps everything of a principal on a day."""
    return any(hold.is_of_all(on) for hold in find_holds(conn, principal))


def get_hold(conn: Connection, named: str) -> LegalHold:
    """The one hold whose id begins with ``named``, even if it ended. Raises NotFound, Ambiguous."""
    hold_id = get_by_beginning(conn, "legal hold", named, "select hold_id as id from legal_hold")
    [found] = [each for each in find_holds(conn) if each.hold_id == hold_id]
    return found


def lift_hold(conn: Connection, hold_id: str, by: str, at: datetime) -> bool:
    """Lift a hold; False if it was lifted before."""
    row = conn.execute(
        "update legal_hold set lifted_at = %s, lifted_by = %s where hold_id = %s and lifted_at is null returning 1",
        (at, by, hold_id),
    ).fetchone()
    return row is not None


def insert_return(conn: Connection, agreement: Agreement, reference: str, by: str, at: datetime) -> bool:
    """Store that an ended agreement's data was given back; False if that was stored already."""
    row = conn.execute(
        """insert into end_return (principal, agreement_id, agreement_version, reference, confirmed_by, confirmed_at)
           values (%s, %s, %s, %s, %s, %s) on conflict do nothing returning 1""",
        (agreement.principal, agreement.agreement_id, agreement.version, reference, by, at),
    ).fetchone()
    return row is not None


def find_answered(conn: Connection, principal: Principal, before: datetime) -> frozenset[tuple[str, str]]:
    """Key and version of files under ``acks/`` that were answered before a moment."""
    rows = conn.execute(
        """select key, version_id from ack_file where principal = %(principal)s and seen_at < %(before)s
           union select key, version_id from notice_answer where principal = %(principal)s and seen_at < %(before)s""",
        {"principal": principal, "before": before},
    ).fetchall()
    return frozenset((row["key"], row["version_id"]) for row in rows)


def find_returned(conn: Connection, agreement: Agreement) -> datetime | None:
    """When it was confirmed that an ended agreement's data was given back; None if it was not."""
    row = conn.execute(
        """select confirmed_at from end_return
           where (principal, agreement_id, agreement_version) = (%s, %s, %s)""",
        (agreement.principal, agreement.agreement_id, agreement.version),
    ).fetchone()
    return row["confirmed_at"] if row else None
