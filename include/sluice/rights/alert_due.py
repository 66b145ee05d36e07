"""What the desk has to hear of now, by kind: ids, codes and dates. Nobody a file or a case is about is in it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sluice.db import Connection
from sluice.exchange.read import list_exchanges
from sluice.returns.reminders import AckState, list_acknowledgements
from sluice.rights.alarms import find_alarms
from sluice.rights.mail_model import MailKind
from sluice.terms import Decision

LOOK_BACK = timedelta(days=2)
"""Of refusals: nobody has to hear of older ones, whatever was away meanwhile."""
MOST = 1_000


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing the desk hears of once. ``about``: what it is, for ever the same; ``line``: in one line."""

    about: str
    line: str


def _refused(conn: Connection, now: datetime) -> Iterator[Alert]:
    for decision in (Decision.REFUSED, Decision.UNDECIDED):
        for each in list_exchanges(conn, decision=decision, since=now - LOOK_BACK, limit=MOST):
            line = f"{each.id} {each.principal}/{each.flow}: {each.decision} {each.reason_code or ''}"
            yield Alert(each.id, line.rstrip())


def _unacknowledged(conn: Connection, now: datetime) -> Iterator[Alert]:
    late = {AckState.OVERDUE: "overdue", AckState.REMINDED: "overdue", AckState.ESCALATED: "still overdue"}
    for state, word in late.items():
        for each, _ in list_acknowledgements(conn, now, state=state, limit=MOST):
            line = f"{each.exchange_id} {each.principal}/{each.flow}: {word}, due {each.due_at:%Y-%m-%d %H:%M} UTC"
            yield Alert(f"{each.exchange_id}/{word}", line)


def _near(conn: Connection, now: datetime) -> Iterator[Alert]:
    for each in find_alarms(conn, now):
        case, word = each.case, "past" if each.is_late else "near"
        line = f"{case.case_id} Art. {case.right.article}: last day {each.last_day} {word}"
        yield Alert(f"{case.case_id}/{each.last_day}/{each.raised_on}", line)


DUE: Mapping[MailKind, Callable[[Connection, datetime], Iterator[Alert]]] = {
    MailKind.REFUSED: _refused,
    MailKind.UNACKNOWLEDGED: _unacknowledged,
    MailKind.ALARM: _near,
}
"""Kinds that are found by looking. That the ledger does not hold is found by verifying it."""
