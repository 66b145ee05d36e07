"""What forms and addresses of several pages ask for in the same way."""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from fastapi import Depends, Query, Request
from pydantic import AfterValidator, BeforeValidator, StringConstraints

from sluice.times import BRUSSELS, brussels_today
from sluice.web.asked import YEARS, known_when
from sluice.web.model import PRINCIPAL

Unless = BeforeValidator(lambda said: said or None)
"""A form sends an empty word for what is not narrowed. A pattern goes inside: outside it would be asked of nothing."""
Named = Annotated[str, StringConstraints(pattern=PRINCIPAL)]
"""The code of a principal."""


def _in_reach(said: date | None) -> date | None:
    """Raises ValueError outside YEARS: at the ends of the calendar no clock of another zone can say it."""
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


def on_clock(said: datetime | None) -> datetime | None:
    """On the clock of Brussels, if it has no zone."""
    return said if said is None or said.tzinfo else said.replace(tzinfo=BRUSSELS)


AsOf = Annotated[datetime, Depends(_moment)]
"""The moment of ``?as_of=``, now without."""


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
"""The day of ``?on=``, today without."""
KnownAt = Annotated[datetime, Depends(_known)]
"""The moment of ``?known_at=``, now without and never later."""
KnownOfDay = Annotated[datetime, Depends(_known_of_day)]
"""The same; without, the end of the day of ``?on=``."""
Zoom = Annotated[int, Query(ge=50, le=200, multiple_of=25)]
"""Of a picture, in percent."""


def field_of(request: Request, name: str, moment: datetime) -> str:
    """A moment as the field of a form shows it, on the clock of Brussels; empty while it is now."""
    return moment.astimezone(BRUSSELS).strftime("%Y-%m-%dT%H:%M:%S") if request.query_params.get(name) else ""


def times(request: Request, on: date, known_at: datetime, unless: Literal["now", "day"] = "now") -> dict[str, Any]:
    """Both times of a page for its form and its links, which keep what was chosen by hand.

    ``unless``: which moment of knowledge counts where none was chosen: now, or the end of the day.
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
    """Now, as the address of a page says it."""
    return datetime.now(BRUSSELS).strftime("%Y-%m-%dT%H:%M:%S")
