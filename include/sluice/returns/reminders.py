"""Follow up on returns that nobody acknowledged: remind the principal, then tell the desk. Time alone closes none."""

import logging
from dataclasses import dataclass
from datetime import datetime

from sluice.db import Connection, transaction
from sluice.documents.words import in_each_language
from sluice.exchange.house import House
from sluice.exchange.inbox import InboxSweep
from sluice.exchange.sweeping import Faults, Tally
from sluice.ledger.append import append
from sluice.ledger.returned import ReminderSent
from sluice.returns import ack_store as store
from sluice.returns.ack import ESCALATION, REMINDER, AckLine, Step
from sluice.returns.acks import read_acks
from sluice.returns.notices import find_missing, give_notice
from sluice.terms import Principal
from sluice.times import utc_text

log = logging.getLogger(__name__)


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

    acks: InboxSweep
    reminders: Reminded

    @property
    def failed(self) -> int:
        return self.acks.failed + self.reminders.failed


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
        "text": in_each_language(f"acknowledgement.{step.word}"),
    }


def _take(conn: Connection, step: Step, now: datetime) -> Tally:
    """Record a step for each return that is due, in one transaction each. Returns how many, and how many failed."""
    noted, faults = 0, Faults(conn)
    for line in store.find_due(conn, step, now):
        with faults.kept_apart(f"return {line.exchange_id}: its {step.word.lower()}"):
            noted += _note(conn, step, line, now)
    return Tally(noted, faults.count)


def _note(conn: Connection, step: Step, line: AckLine, now: datetime) -> bool:
    """Record a step in table and ledger at once; False if it was acknowledged or recorded meanwhile."""
    with transaction(conn):
        if not store.take_step(conn, step, line.exchange_id, now):
            return False
        body = ReminderSent(exchange_id=line.exchange_id, due_at=utc_text(line.due_at), sent_at=utc_text(now))
        append(conn, chain=line.chain, kind=step.kind, exchange_id=line.exchange_id, body=body)
    if step is ESCALATION:
        log.warning("return %s: %s has not acknowledged it; call them", line.exchange_id, line.principal)
    return True


def _give_notices(house: House) -> Tally:
    """Give notices that are recorded but missing: new ones, or left out by a dead worker. Returns given and failed."""
    owed: dict[Principal, dict[str, dict[str, object]]] = {}
    for line in store.find_reminded(house.conn):
        for step, told in ((REMINDER, line.reminded_at), (ESCALATION, line.escalated_at)):
            if told:
                name = f"{line.principal}/notices/{step.word.lower()}-{line.exchange_id}.json"
                owed.setdefault(line.principal, {})[name] = notice_of(line, step)
    given, faults = 0, Faults(house.conn)
    for principal, notices in owed.items():
        with faults.kept_apart(f"a notice to {principal}"):
            for key in find_missing(house, principal, notices):
                give_notice(house, key, notices[key])
                given += 1
    return Tally(given, faults.count)
