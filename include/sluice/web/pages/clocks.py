"""Clocks as a page shows them: a ring, the days left in words, and how pressing it is. Pure."""

from dataclasses import dataclass
from datetime import date, timedelta

from sluice.rights.clock_store import Running

SOON_DAYS, NEAR_DAYS = 3, 10
"""Up to these many days left a clock presses, or comes near."""
BUCKETS = ("late", "soon", "near", "far")


@dataclass(frozen=True, slots=True)
class Clock:
    """How a running clock is drawn. ``share``: of its time, in percent; ``days``: left, less than 0: late."""

    share: int
    days: int
    last_day: date
    kind: str
    """One of BUCKETS."""


def clock_of(received: date, last_day: date, today: date) -> Clock:
    """The clock of a request on a day; the last day itself is in time."""
    days, whole = (last_day - today).days, max((last_day - received).days, 1)
    share = min(max(100 * (whole - days) // whole, 0), 100)
    kind = "late" if days < 0 else "soon" if days <= SOON_DAYS else "near" if days <= NEAR_DAYS else "far"
    return Clock(share, days, last_day, kind)


def drawn(found: list[Running], today: date) -> list[tuple[Running, Clock]]:
    """Each with its clock."""
    return [(each, clock_of(each.received, each.last_day, today)) for each in found]


def bucket_days(today: date) -> tuple[date, ...]:
    """The first days of the buckets after ``late``, for counting."""
    return (today, today + timedelta(days=SOON_DAYS + 1), today + timedelta(days=NEAR_DAYS + 1))
