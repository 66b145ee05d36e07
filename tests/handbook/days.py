"""Days as pages name them: counted from today, so that a page is true on every day."""

from datetime import date, timedelta

from sluice.times import brussels_today


def day(days: int) -> date:
    """The date this many days from today."""
    return brussels_today() + timedelta(days=days)
