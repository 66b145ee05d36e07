"""What a person or a controller says is right (GDPR Art. 16). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sluice.rights.case.clock import received_on
from sluice.rights.case.facts import ClockRefused


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is right, by column, since ``as_of`` (UTC). The values stay out of every repr."""

    values: Mapping[str, str] = field(repr=False)
    as_of: datetime


def is_since(as_of: datetime, now: datetime) -> bool:
    """Whether something can be right since this moment: it has a zone, a Brussels date, and is not in the future."""
    try:
        received_on(as_of)
    except ClockRefused:
        return False
    return as_of <= now
