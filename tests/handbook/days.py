"""Days as pages name them: counted from today, so that a page is true on every day."""

from datetime import date, datetime, timedelta

from sluice.exchange.naming import BRUSSELS

TODAY = datetime.now(BRUSSELS).date()


def day(days: int) -> date:
    """So many days from today."""
    return TODAY + timedelta(days=days)
