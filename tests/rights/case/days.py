"""Due dates as plain days, and a second rule for the days on which Belgium is closed."""

from datetime import date, timedelta

from hypothesis import settings
from hypothesis import strategies as st

from sluice.rights.case.clock import DueDates
from sluice.rights.case.facts import clock_parameters

NUMBERS = clock_parameters(date(2026, 1, 1))
FIRST, LAST = date(2026, 1, 1), date(2032, 12, 31)
DAYS = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]


def easter(year: int) -> date:
    """Easter Sunday, by the anonymous Gregorian algorithm (Meeus)."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


def closed_days(year: int) -> set[date]:
    fixed = {(1, 1), (5, 1), (7, 21), (8, 15), (11, 1), (11, 11), (12, 25)}
    return {date(year, *day) for day in fixed} | {easter(year) + timedelta(days=n) for n in (1, 39, 50)}


def of(due: DueDates) -> tuple[date, date, date]:
    return due.nominal_due, due.legal_due, due.extended_due


days = st.dates(date(2018, 5, 25), date(2090, 12, 31))
few = settings(max_examples=100, deadline=None)
