"""Read the parameters that the API and the pages share, such as moments and windows of days."""

from datetime import UTC, date, datetime
from typing import Annotated, Final

from pydantic import BeforeValidator, StringConstraints

from sluice.errors import Ambiguous, NotFound
from sluice.web.errors import Fault, NothingThere, RequestInvalid, SeveralBegin
from sluice.web.reading import reading

YEARS: Final = range(2016, 3000)
"""Years that can be asked about: from the GDPR on, and early enough that adding to a date never overflows."""
AGREEMENT: Final = "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
VERSION: Final = "^[0-9][0-9A-Za-z.+-]{0,31}$"
Beginning = Annotated[
    str,
    BeforeValidator(lambda said: "".join(said.split()).lower() if isinstance(said, str) else said),
    StringConstraints(pattern="^[0-9a-f-]{1,36}$"),
]
"""The beginning of the number of an exchange, with capitals and spaces as somebody copied it."""


def find_exchange(number: str) -> str:
    """Return the exchange whose number begins like this. Raises NothingThere, SeveralBegin, without the text typed."""
    from sluice.exchange.read import show_exchange

    try:
        with reading() as conn:
            return show_exchange(conn, number).line.id
    except NotFound as error:
        raise (SeveralBegin if isinstance(error, Ambiguous) else NothingThere) from None


def check_window(where: str, since: datetime | date | None, until: datetime | date | None) -> None:
    """Check that a window ends after it begins. Raises RequestInvalid."""
    if since is not None and until is not None and since >= until:
        pointer = "/until" if where == "body" else "until"
        raise RequestInvalid([Fault(where, pointer, "not_after_since")])


def known_when(known_at: datetime | None, now: datetime, on: date | None = None) -> datetime:
    """Return the moment whose knowledge counts: the requested one, but never later than now.

    Without one, it is the end of the day that is asked about, or now if there is no such day.
    """
    from sluice.registers.make import known_then

    if known_at is not None:
        return min(known_at, now).astimezone(UTC)
    return known_then(on, now) if on else now
