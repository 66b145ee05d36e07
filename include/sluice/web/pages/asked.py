"""Parameters that several forms and addresses of pages have in common."""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from fastapi import Depends, Query, Request
from pydantic import AfterValidator, BeforeValidator, StringConstraints

from sluice.times import BRUSSELS, brussels_today
from sluice.web.asked import YEARS, known_when
from sluice.web.model import PRINCIPAL

Unless = BeforeValidator(lambda said: said or None)
"""Turns the empty text of an unused filter into None. A pattern goes inside: outside, it would be tested on None."""
Named = Annotated[str, StringConstraints(pattern=PRINCIPAL)]
"""The code of a principal."""


def _in_reach(said: date | None) -> date | None:
    """Check that a date is in YEARS. Near the ends of the calendar other zones cannot express it. Raises ValueError."""
    if said is not None and said.year not in YEARS:
        raise ValueError
    return said


InReach = AfterValidator(_in_reach)


def _moment(
    as_of: Annotated[
        datetime | None,
        Unless,
        InReach,
        Query(description="ISO 8601; on the clock of Brussels if no zone; now by default."),
    ] = None,
) -> datetime:
    return on_clock(as_of) or datetime.now(UTC)


def on_clock(said: datetime | None, *, ends: bool = False) -> datetime | None:
    """Give a moment without a zone the zone of Brussels.

    An hour that a clock change repeats or skips can be two moments: the earlier one counts, and the later one where
    something ``ends``. So a window leaves nothing out, and a deadline is not late.
    """
    if said is None or said.tzinfo:
        return said
    both = [said.replace(tzinfo=BRUSSELS, fold=fold) for fold in (0, 1)]
    return (max if ends else min)(both, key=lambda moment: moment.astimezone(UTC))


AsOf = Annotated[datetime, Depends(_moment)]
"""The moment of ``?as_of=``; now if it is missing."""


def _known(
    known_at: Annotated[
        datetime | None, Unless, InReach, Query(description="As it was known then; a clock of Brussels if no zone.")
    ] = None,
) -> datetime:
    return known_when(on_clock(known_at), datetime.now(UTC))


def _day(
    on: Annotated[date | None, Unless, InReach, Query(description="A date of Brussels; today by default.")] = None,
) -> date:
    return on or brussels_today()


def _known_of_day(
    on: Annotated[date, Depends(_day)],
    known_at: Annotated[
        datetime | None, Unless, InReach, Query(description="As it was known then; by default at the end of the day.")
    ] = None,
) -> datetime:
    return known_when(on_clock(known_at), datetime.now(UTC), on)


On = Annotated[date, Depends(_day)]
"""The day of ``?on=``; today if it is missing."""
KnownAt = Annotated[datetime, Depends(_known)]
"""The moment of ``?known_at=``, never later than now; now if it is missing."""
KnownOfDay = Annotated[datetime, Depends(_known_of_day)]
"""The same, but the end of the day of ``?on=`` if it is missing."""
Zoom = Annotated[int, Query(ge=50, le=200, multiple_of=25)]
"""Size of a picture, in percent."""


def field_of(request: Request, name: str, moment: datetime) -> str:
    """Return a moment as a form field shows it, in Brussels time; empty if the address does not name it."""
    return moment.astimezone(BRUSSELS).strftime("%Y-%m-%dT%H:%M:%S") if request.query_params.get(name) else ""


def times(request: Request, on: date, known_at: datetime, unless: Literal["now", "day"] = "now") -> dict[str, Any]:
    """Return both times of a page for its form and links, which keep those chosen by hand.

    ``unless``: the default for the moment of knowledge: now, or the end of the day.
    """
    asked = {name: request.query_params.get(name) for name in ("on", "known_at")}
    field = field_of(request, "known_at", known_at)
    return {
        "on": on,
        "known_at": field,
        "asked": asked,
        "known_moment": known_at,
        "unless": unless,
        "latest": _latest(),
    }


def _latest() -> str:
    """Return the current time, in the form that addresses of pages use."""
    return datetime.now(BRUSSELS).strftime("%Y-%m-%dT%H:%M:%S")
