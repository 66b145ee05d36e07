"""What addresses of the API and of the pages ask for in the same way."""

from datetime import UTC, date, datetime
from typing import Annotated, Final

from pydantic import BeforeValidator, StringConstraints

from sluice.errors import Ambiguous, NotFound
from sluice.web.errors import Fault, NothingThere, RequestInvalid, SeveralBegin
from sluice.web.reading import reading

YEARS: Final = range(2016, 3000)
"""Of a day or moment that somebody may ask about: from the GDPR on, and so that counting on from it never overflows."""
AGREEMENT: Final = "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
VERSION: Final = "^[0-9][0-9A-Za-z.+-]{0,31}$"
Beginning = Annotated[
    str,
    BeforeValidator(lambda said: said.strip() if isinstance(said, str) else said),
    StringConstraints(pattern="^[0-9a-fA-F-]{1,36}$"),
]
"""Of the number of an exchange."""


def find_exchange(number: str) -> str:
    """The exchange whose number begins so. Raises NothingThere, SeveralBegin: what was typed is not said."""
    from sluice.exchange.read import show_exchange

    try:
        with reading() as conn:
            return show_exchange(conn, number).line.id
    except NotFound as error:
        raise (SeveralBegin if isinstance(error, Ambiguous) else NothingThere) from None


def check_window(where: str, since: datetime | date | None, until: datetime | date | None) -> None:
    """Raises RequestInvalid for a window that ends before it begins, or as it does."""
    if since is not None and until is not None and since >= until:
        pointer = "/until" if where == "body" else "until"
        raise RequestInvalid([Fault(where, pointer, "not_after_since")])


def known_when(known_at: datetime | None, now: datetime, on: date | None = None) -> datetime:
    """The moment whose knowledge counts: the one that was asked for, never later than now.

    Without one, the end of the day that is asked about, and now where none is.
    """
    from sluice.registers.make import known_then

    if known_at is not None:
        return min(known_at, now).astimezone(UTC)
    return known_then(on, now) if on else now
