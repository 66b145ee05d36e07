"""The bi-temporal rule: which days a new activation takes, and which days the others keep. Pure.

A higher version of an agreement takes over for good on its first day: none before it comes back when it ended. Of the
activations of a contract the later one holds a day.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Days:
    """A span of calendar days, both ends inclusive; ``last`` None means without end."""

    first: date
    last: date | None

    def __contains__(self, day: date) -> bool:
        return self.first <= day and (self.last is None or day <= self.last)

    def without(self, other: "Days") -> Iterator["Days"]:
        """The days of this span that are not in ``other``: none, one or two spans."""
        if other.first > self.first:
            yield from _span(self.first, _earlier(self.last, other.first - _DAY))
        if other.last is not None and (self.last is None or other.last < self.last):
            yield from _span(max(self.first, other.last + _DAY), self.last)


def _span(first: date, last: date | None) -> Iterator[Days]:
    if last is None or first <= last:
        yield Days(first, last)


def _earlier(last: date | None, other: date) -> date:
    return other if last is None else min(last, other)


@dataclass(frozen=True, slots=True)
class Held:
    """Days that a document holds, as known now. ``rank``: the higher one wins where two cover a day."""

    activation_id: int
    days: Days
    rank: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TimelineChange:
    """Activations to close, the days that each of them keeps, and the days that the new document gets."""

    close: tuple[int, ...]
    keep: tuple[tuple[int, Days], ...]
    open: tuple[Days, ...]


def lay(held: Sequence[Held], days: Days, rank: tuple[int, ...]) -> TimelineChange:
    """What changes when a document of ``rank`` is activated for ``days``.

    Held documents of equal rank give way on these days, those of lower rank from the first one on. ``held`` must
    not overlap.
    """
    beaten = [row for row in held if row.rank <= rank and row.days != _only(row.days, _taken(row, days, rank))]
    keep = tuple((row.activation_id, rest) for row in beaten for rest in row.days.without(_taken(row, days, rank)))
    free: tuple[Days, ...] = (days,)
    for row in held:
        if row.rank > rank:
            free = tuple(rest for span in free for rest in span.without(Days(row.days.first, None)))
    return TimelineChange(tuple(row.activation_id for row in beaten), keep, free)


def _taken(row: Held, days: Days, rank: tuple[int, ...]) -> Days:
    return Days(days.first, None) if row.rank < rank else days


def _only(days: Days, other: Days) -> Days | None:
    """``days`` itself if ``other`` takes none of them, else None."""
    rest = tuple(days.without(other))
    return rest[0] if rest == (days,) else None


@dataclass(frozen=True, slots=True)
class Laid:
    """Days that a version of an agreement was to hold, as known from one instant to another.

    ``known_to`` is None while that is still what is known.
    """

    agreement_id: str
    version: str
    principal: str
    sha256: str
    days: Days
    known_from: datetime
    known_to: datetime | None

    def is_known(self, at: datetime) -> bool:
        return self.known_from <= at and (self.known_to is None or at < self.known_to)
