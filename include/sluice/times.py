"""Time as records write it, in UTC, and as the law reads it, by the calendar of Brussels. Pure."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

ZONE = "Europe/Brussels"
BRUSSELS = ZoneInfo(ZONE)


def brussels_day(moment: datetime) -> date:
    """The calendar day in Brussels at a moment. moment: aware."""
    return moment.astimezone(BRUSSELS).date()


def brussels_today() -> date:
    """The calendar day in Brussels."""
    return datetime.now(BRUSSELS).date()


def midnight(day: date) -> datetime:
    """When a day begins in Brussels."""
    return datetime.combine(day, time(), BRUSSELS)


def from_when(said: date | datetime) -> datetime:
    """The moment from which a list starts, given a day or a moment.

    A day starts at midnight in Brussels; a moment without a zone is in Brussels time.
    """
    if not isinstance(said, datetime):
        return midnight(said)
    return said if said.tzinfo else said.replace(tzinfo=BRUSSELS)


def utc_text(moment: datetime) -> str:
    """ISO 8601 with milliseconds and ``Z``, as every record writes time."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
