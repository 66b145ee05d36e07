"""Clocks as a page shows them: a ring, the days left in words, and the urgency."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from sluice.db import Connection
from sluice.rights.case.clock_store import Running, find_clocks

SOON_DAYS, NEAR_DAYS = 3, 10
"""The most days left at which a clock counts as soon, or as near."""
CHIPS = 6
BUCKETS = ("late", "soon", "near", "far")


@dataclass(frozen=True, slots=True)
class Clock:
    """How a running clock is drawn. ``share``: elapsed time in percent; ``days``: days left, negative if late."""

    share: int
    days: int
    last_day: date
    kind: str
    """One of BUCKETS."""


def clock_of(received: date, last_day: date, today: date) -> Clock:
    """Return the clock of a request on a day. The last day itself is in time."""
    days, whole = (last_day - today).days, max((last_day - received).days, 1)
    share = min(max(100 * (whole - days) // whole, 0), 100)
    kind = "late" if days < 0 else "soon" if days <= SOON_DAYS else "near" if days <= NEAR_DAYS else "far"
    return Clock(share, days, last_day, kind)


@dataclass(frozen=True, slots=True)
class Strip:
    """The clocks nearest to their last day, and how many there are of each kind."""

    chips: tuple[tuple[Running, Clock], ...]
    counts: Mapping[str, int]


def strip_of(conn: Connection, today: date) -> Strip:
    """Return what is above the start page and the cases."""
    days = (today, today + timedelta(days=SOON_DAYS + 1), today + timedelta(days=NEAR_DAYS + 1))
    found = find_clocks(conn, CHIPS, days)
    chips = tuple((each, clock_of(each.received, each.last_day, today)) for each in found.nearest)
    return Strip(chips, dict(zip(BUCKETS, found.counts, strict=True)))
