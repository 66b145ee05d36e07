"""Follow up on returns that nobody acknowledged: remind the principal, then tell the desk. Time alone closes none."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sluice.db import Connection, transaction
from sluice.errors import NotFound, Ref
from sluice.exchange.house import House
from sluice.exchange.sweeping import Faults
from sluice.ledger.append import append
from sluice.ledger.model import EntryKind
from sluice.ledger.returned import ReminderSent
from sluice.returns.acks import AckSweep, read_acks
from sluice.returns.notices import TEXTS, give_notice, list_notices
from sluice.terms import ExchangeId, Flow, Principal
from sluice.times import utc_text

log = logging.getLogger(__name__)


class AckState(StrEnum):
    """How far the acknowledgement of a delivered return is."""

    SENT = "SENT"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    ACKNOWLEDGED_LATE = "ACKNOWLEDGED_LATE"
    OVERDUE = "OVERDUE"
    REMINDED = "REMINDED"
    ESCALATED = "ESCALATED"


@dataclass(frozen=True, slots=True)
class AckLine:
    """One delivered return with its acknowledgement. ``chain``: the ledger chain of its entries."""

    exchange_id: ExchangeId
    principal: Principal
    flow: Flow
    chain: str
    delivered_at: datetime
    due_at: datetime
    escalate_at: datetime
    reminded_at: datetime | None = None
    escalated_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    via: str | None = None


@dataclass(frozen=True, slots=True)
class Reminded:
    """What one sweep of reminders did. ``failed``: steps that failed, each logged by its code and tried again."""

    reminded: int = 0
    escalated: int = 0
    notices: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Followed:
    """One whole sweep: acknowledgements first, so that nobody is reminded who has already answered."""

    acks: AckSweep
    reminders: Reminded

    @property
    def failed(self) -> int:
        return self.acks.failed + self.reminders.failed


@dataclass(frozen=True, slots=True)
class Step:
    """A message that is sent once: after the moment in column ``due``, recorded in column ``done``, under ``word``."""

    kind: EntryKind
    due: str
    done: str
    word: AckState


REMINDER = Step(EntryKind.RETURN_REMINDED, "due_at", "reminded_at", AckState.REMINDED)
ESCALATION = Step(EntryKind.RETURN_ESCALATED, "escalate_at", "escalated_at", AckState.ESCALATED)
LINE = """exchange_id::text as exchange_id, e.principal, e.flow, e.chain, a.delivered_at, a.due_at, a.escalate_at,
    a.reminded_at, a.escalated_at, a.acknowledged_at, a.acknowledged_by, a.via"""


def state_of(line: AckLine, now: datetime) -> AckState:
    """The state of a return at ``now``. Pure; at the due moment it is still in time. Time alone never closes it."""
    if line.acknowledged_at is not None:
        return AckState.ACKNOWLEDGED if line.acknowledged_at <= line.due_at else AckState.ACKNOWLEDGED_LATE
    if line.escalated_at is not None:
        return AckState.ESCALATED
    if line.reminded_at is not None:
        return AckState.REMINDED
    return AckState.OVERDUE if now > line.due_at else AckState.SENT


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
    """Delivered returns that nobody acknowledged in time, the longest due first."""
    rows = conn.execute(
        f"""select {LINE} from acknowledgement a join exchange e using (exchange_id)
            where a.acknowledged_at is null and a.due_at < %s order by a.due_at, exchange_id limit %s""",
        (now, limit),
    ).fetchall()
    return [_line(row) for row in rows]


def count_overdue(conn: Connection, now: datetime) -> int:
    """How many delivered returns nobody acknowledged in time."""
    row = conn.execute(
        "select count(*) as n from acknowledgement where acknowledged_at is null and due_at < %s", (now,)
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


def remind(house: House, now: datetime) -> Reminded:
    """Remind of returns after their ``due_at``, escalate them after ``escalate_at``, each once; give missing notices.

    Raises ServiceMissing when a store is away.
    """
    reminded, failed = _take(house.conn, REMINDER, now)
    escalated, failed_too = _take(house.conn, ESCALATION, now)
    notices, not_given = _give_notices(house)
    return Reminded(reminded, escalated, notices, failed + failed_too + not_given)


def follow(house: House, now: datetime) -> Followed:
    """One scheduled sweep: read the acknowledgements, then remind."""
    acks = read_acks(house, now)
    return Followed(acks, remind(house, now))


def notice_of(line: AckLine, step: Step) -> dict[str, object]:
    """The notice to the principal about a return it did not acknowledge; a function of its record alone."""
    sent_at = line.reminded_at if step is REMINDER else line.escalated_at
    return {
        "notice": step.kind.value,
        "exchange": line.exchange_id,
        "flow": line.flow,
        "delivered_at": utc_text(line.delivered_at),
        "due_at": utc_text(line.due_at),
        "sent_at": utc_text(sent_at) if sent_at else None,
        "text": dict(TEXTS[step.word.value]),
    }


def _line(row: Mapping[str, Any]) -> AckLine:
    return AckLine(**row)


def _take(conn: Connection, step: Step, now: datetime) -> tuple[int, int]:
    """Record a step for each return that is due, in one transaction each. Returns how many, and how many failed."""
    rows = conn.execute(
        f"""select {LINE} from acknowledgement a join exchange e using (exchange_id)
            where a.acknowledged_at is null and a.{step.done} is null and a.{step.due} < %s
            order by a.{step.due}, exchange_id""",
        (now,),
    ).fetchall()
    noted, faults = 0, Faults(conn)
    for line in map(_line, rows):
        with faults.kept_apart(f"return {line.exchange_id}: its {step.word.lower()}"):
            noted += _note(conn, step, line, now)
    return noted, faults.count


def _note(conn: Connection, step: Step, line: AckLine, now: datetime) -> bool:
    """Record a step in table and ledger at once; False if it was acknowledged or recorded meanwhile."""
    with transaction(conn):
        row = conn.execute(
            f"""update acknowledgement set {step.done} = %s
                where exchange_id = %s and {step.done} is null and acknowledged_at is null returning 1""",
            (now, line.exchange_id),
        ).fetchone()
        if row is None:
            return False
        body = ReminderSent(exchange_id=line.exchange_id, due_at=utc_text(line.due_at), sent_at=utc_text(now))
        append(conn, chain=line.chain, kind=step.kind, exchange_id=line.exchange_id, body=body)
    if step is ESCALATION:
        log.warning("return %s: %s has not acknowledged it; call them", line.exchange_id, line.principal)
    return True


def _give_notices(house: House) -> tuple[int, int]:
    """Give notices that are recorded but missing: new ones, or left out by a dead worker. Returns given and failed."""
    rows = house.conn.execute(
        f"""select {LINE} from acknowledgement a join exchange e using (exchange_id)
            where a.acknowledged_at is null and (a.reminded_at is not null or a.escalated_at is not null)
            order by e.principal, a.due_at, exchange_id"""
    ).fetchall()
    owed: dict[Principal, dict[str, dict[str, object]]] = {}
    for line in map(_line, rows):
        for step, told in ((REMINDER, line.reminded_at), (ESCALATION, line.escalated_at)):
            if told:
                name = f"{line.principal}/notices/{step.word.lower()}-{line.exchange_id}.json"
                owed.setdefault(line.principal, {})[name] = notice_of(line, step)
    given, faults = 0, Faults(house.conn)
    for principal, notices in owed.items():
        with faults.kept_apart(f"a notice to {principal}"):
            for key in sorted(set(notices) - list_notices(house, principal)):
                give_notice(house, key, notices[key])
                given += 1
    return given, faults.count
