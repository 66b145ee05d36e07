"""Cursors of paged lists: a moment and a number, maybe a day, as one word that is opaque to the client."""

import base64
import binascii
from datetime import date, datetime
from uuid import UUID

from sluice.web.errors import Fault, RequestInvalid


def cursor_of(moment: datetime, number: str) -> str:
    """Return the cursor for the last line of a page."""
    return base64.urlsafe_b64encode(f"{moment.isoformat()} {number}".encode()).decode()


def place_of(cursor: str) -> tuple[datetime, str]:
    """Parse a cursor. Raises RequestInvalid for one that we never gave."""
    try:
        moment, _, number = base64.urlsafe_b64decode(cursor.encode()).decode().partition(" ")
        at = datetime.fromisoformat(moment)
        if at.tzinfo is not None:
            return at, str(UUID(number))
    except (ValueError, binascii.Error):
        pass
    raise RequestInvalid([Fault("query", "cursor", "no_cursor")])


def cursor_of_day(day: date, moment: datetime, number: str) -> str:
    """Return the cursor for the last line of a page sorted by day."""
    return base64.urlsafe_b64encode(f"{day.isoformat()}/{cursor_of(moment, number)}".encode()).decode()


def place_by_day(cursor: str) -> tuple[date, datetime, str]:
    """Parse a cursor by day. Raises RequestInvalid for one that we never gave, or without a day."""
    try:
        day, _, rest = base64.urlsafe_b64decode(cursor.encode()).decode().partition("/")
        return (date.fromisoformat(day), *place_of(rest))
    except (ValueError, binascii.Error):
        pass
    raise RequestInvalid([Fault("query", "cursor", "no_cursor")])
