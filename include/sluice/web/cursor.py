"""Where a page of a list ended: a moment and a number, in one word that means nothing to its bearer."""

import base64
import binascii
from datetime import datetime
from uuid import UUID

from sluice.web.errors import Fault, RequestInvalid


def cursor_of(moment: datetime, number: str) -> str:
    """The word for the last line of a page."""
    return base64.urlsafe_b64encode(f"{moment.isoformat()} {number}".encode()).decode()


def place_of(cursor: str) -> tuple[datetime, str]:
    """What a cursor says. Raises RequestInvalid for one we never gave."""
    try:
        moment, _, number = base64.urlsafe_b64decode(cursor.encode()).decode().partition(" ")
        at = datetime.fromisoformat(moment)
        if at.tzinfo is not None:
            return at, str(UUID(number))
    except (ValueError, binascii.Error):
        pass
    raise RequestInvalid([Fault("query", "cursor", "no_cursor")])
