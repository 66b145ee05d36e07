"""Parse moments as staff files write them: with an offset, or in a zone given by the row."""

import re
from datetime import UTC, datetime
from enum import StrEnum

from sluice.times import BRUSSELS, ZONE

_ISO = re.compile(r"20\d\d-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?P<offset>Z|[+-]\d\d:\d\d)?", re.ASCII)


class TimeFault(StrEnum):
    """Why a text is not a moment, as the code of a finding."""

    FORMAT = "VALUE_TIME_FORMAT"
    ZONE = "VALUE_TIME_ZONE"
    AMBIGUOUS = "VALUE_TIME_AMBIGUOUS"
    NONEXISTENT = "VALUE_TIME_NONEXISTENT"


def parse_moment(text: str, zone: str) -> datetime | TimeFault:
    """Parse ``YYYY-MM-DDTHH:MM[:SS[.ffffff]]`` with Z or an offset, or without if ``zone`` is Europe/Brussels.

    The result is in UTC. An hour that a clock change repeats or skips is a fault: nothing is guessed.
    """
    found = _ISO.fullmatch(text)
    if not found:
        return TimeFault.FORMAT
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return TimeFault.FORMAT
    if found["offset"]:
        return moment.astimezone(UTC) if zone in ("", ZONE) else TimeFault.ZONE
    return from_brussels(moment) if zone == ZONE else TimeFault.ZONE


def from_brussels(wall: datetime) -> datetime | TimeFault:
    """In UTC what a clock in Brussels showed. ``wall``: without a zone."""
    early, late = (wall.replace(tzinfo=BRUSSELS, fold=fold).astimezone(UTC) for fold in (0, 1))
    if early == late:
        return early
    return TimeFault.AMBIGUOUS if early < late else TimeFault.NONEXISTENT
