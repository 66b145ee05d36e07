"""Count recent exchanges: per day how they were decided, and which were refused or could not be judged."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from sluice.db import Connection
from sluice.exchange.read import ExchangeLine, list_exchanges
from sluice.terms import Decision
from sluice.times import midnight

UNWELL = (Decision.REFUSED, Decision.UNDECIDED)


@dataclass(frozen=True, slots=True)
class DayCount:
    """Exchanges that were opened on one Brussels day, by how they stand now."""

    day: date
    decisions: Mapping[Decision, int]

    @property
    def all(self) -> int:
        return sum(self.decisions.values())

    @property
    def unwell(self) -> int:
        """How many were refused or could not be judged."""
        return sum(self.decisions.get(each, 0) for each in UNWELL)


def count_days(conn: Connection, until: date, days: int) -> list[DayCount]:
    """Count the last ``days`` days up to ``until``, oldest first; a day on which nothing came is included."""
    first = until - timedelta(days=days - 1)
    rows = conn.execute(
        """select (opened_at at time zone 'Europe/Brussels')::date as day, decision, count(*) as n
           from exchange where opened_at >= %s and opened_at < %s group by 1, 2""",
        (midnight(first), midnight(until + timedelta(days=1))),
    ).fetchall()
    found: dict[date, dict[Decision, int]] = {first + timedelta(days=place): {} for place in range(days)}
    for row in rows:
        found[row["day"]][Decision(row["decision"])] = row["n"]
    return [DayCount(day, decisions) for day, decisions in found.items()]


def list_unwell(conn: Connection, since: date, limit: int) -> list[ExchangeLine]:
    """Refused and undecided exchanges, newest first."""
    found = [
        line
        for decision in UNWELL
        for line in list_exchanges(conn, decision=decision, since=midnight(since), limit=limit)
    ]
    return sorted(found, key=lambda line: (line.opened_at, line.id), reverse=True)[:limit]
