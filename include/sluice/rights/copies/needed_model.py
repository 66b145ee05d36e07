"""What a person needs their data for, so that nobody else may have it removed (GDPR Art. 18(2), 15, 20)."""

from dataclasses import dataclass
from enum import StrEnum


class Need(StrEnum):
    """What a person needs a copy for: they restricted the use of their data, or have no answer yet."""

    RESTRICTION = "restriction"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class Needed:
    """One need of one person at one principal. ``cause``: the suppression run, or the case that has no answer."""

    need: Need
    cause: str
