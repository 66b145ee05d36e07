"""What the desk has to be told, by kind: ids, codes and dates. No alert names a person from a file or a case.

``alert_store.py`` leaves out what was told already. So no query here covers only a stretch of time, and nothing is
missed when a worker was down for a while.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time

from sluice.db import Connection
from sluice.returns.ack_store import WAITS
from sluice.rights.alerts.alarms import find_alarms
from sluice.rights.mail.model import MailKind


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing that the desk is told once. ``about``: its permanent identity; ``line``: its text in one line."""

    about: str
    line: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Look:
    """A query with the columns of :class:`Alert`, and its values.

    ``taken``: a statement that marks the rows with these ``abouts`` as told in their own table, so that the query skips
    them from then on. None where the query finds few rows anyway.
    """

    query: str
    values: Mapping[str, object] = field(default_factory=dict)
    taken: str | None = None


_REFUSED = """
    select exchange_id::text as about, closed_at as at,
        concat_ws(' ', exchange_id::text, principal || '/' || flow || ':', decision, reason_code) as line
    from exchange where decision in ('refused', 'undecided') and not is_told"""
"""Uses a mark on each exchange, not a time: an exchange is told however wrong the clock of its worker was."""
_REFUSED_TAKEN = "update exchange set is_told = true where exchange_id = any(%(abouts)s::uuid[])"
_UNACKNOWLEDGED = f"""
    select exchange_id || '/' || word as about, due_at as at,
        exchange_id || ' ' || principal || '/' || flow || ': ' || word || ', due '
            || to_char(due_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC' as line
    from acknowledgement a join exchange e using (exchange_id),
        lateral (select case when escalated_at is null then 'overdue' else 'still overdue' end as word) said
    where {WAITS} and due_at < %(now)s"""

_CONTRADICTED = """
    select i.principal || '/' || i.version_id as about, i.seen_at as at,
        s.case_id || ' ' || i.principal || ': instructs otherwise than before' as line
    from instruction i join sub_case s using (sub_case_id) where i.outcome = 'CONTRADICTS'"""


def given(alerts: Iterable[Alert]) -> Look:
    """Return a Look at alerts that were found without a query."""
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
"""The kinds of alerts found by looking. A broken ledger is found by verifying it, so it is not among them."""
