"""What the desk has to hear of, by kind: ids, codes and dates. Nobody a file or a case is about is in it.

What was told already is left out by whoever stores it (``alert_store.py``), so nothing here is bound to a stretch of
time that a worker could sleep through.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time

from sluice.db import Connection
from sluice.rights.alerts.alarms import find_alarms
from sluice.rights.mail.model import MailKind


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing the desk hears of once. ``about``: what it is, for ever the same; ``line``: in one line."""

    about: str
    line: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Look:
    """A query whose rows are as :class:`Alert`, and its values.

    ``taken``: notes where they were found that the rows of these ``abouts`` were taken, so that the query passes over
    them. None: it finds little enough as it is.
    """

    query: str
    values: Mapping[str, object] = field(default_factory=dict)
    taken: str | None = None


_REFUSED = """
    select exchange_id::text as about, closed_at as at,
        concat_ws(' ', exchange_id::text, principal || '/' || flow || ':', decision, reason_code) as line
    from exchange where decision in ('refused', 'undecided') and not is_told"""
"""By a mark of each and by no time: whatever the clock of the worker that closed one, it is told."""
_REFUSED_TAKEN = "update exchange set is_told = true where exchange_id = any(%(abouts)s::uuid[])"
_UNACKNOWLEDGED = """
    select exchange_id || '/' || word as about, due_at as at,
        exchange_id || ' ' || principal || '/' || flow || ': ' || word || ', due '
            || to_char(due_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC' as line
    from acknowledgement join exchange using (exchange_id),
        lateral (select case when escalated_at is null then 'overdue' else 'still overdue' end as word) said
    where acknowledged_at is null and due_at < %(now)s"""

_CONTRADICTED = """
    select i.principal || '/' || i.version_id as about, i.seen_at as at,
        s.case_id || ' ' || i.principal || ': instructs otherwise than before' as line
    from instruction i join sub_case s using (sub_case_id) where i.outcome = 'CONTRADICTS'"""


def given(alerts: Iterable[Alert]) -> Look:
    """Alerts that were found otherwise."""
    found = list(alerts)
    return Look(
        "select * from unnest(%(abouts)s::text[], %(lines)s::text[], %(ats)s::timestamptz[]) as each (about, line, at)",
        {"abouts": [each.about for each in found], "lines": [each.line for each in found],
         "ats": [each.at for each in found]},
    )  # fmt: skip


def _near(conn: Connection, now: datetime) -> Iterable[Alert]:
    for each in find_alarms(conn, now):
        case, word = each.case, "past" if each.is_late else "near"
        line = f"{case.case_id} Art. {case.right.article}: last day {each.last_day} {word}"
        last = datetime.combine(each.last_day, time.min, UTC)
        yield Alert(f"{case.case_id}/{each.last_day}/{each.raised_on}", line, last)


DUE: Mapping[MailKind, Callable[[Connection, datetime], Look]] = {
    MailKind.REFUSED: lambda conn, now: Look(_REFUSED, taken=_REFUSED_TAKEN),
    MailKind.UNACKNOWLEDGED: lambda conn, now: Look(_UNACKNOWLEDGED, {"now": now}),
    MailKind.CONTRADICTED: lambda conn, now: Look(_CONTRADICTED),
    MailKind.ALARM: lambda conn, now: given(_near(conn, now)),
}
"""Kinds that are found by looking. That the ledger does not hold is found by verifying it."""
