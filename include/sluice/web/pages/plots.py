"""Compute where the bars of a plot are: numbers for SVG attributes, nothing inline. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from sluice.exchange.overview import DayCount

TOP = 60
"""Height of the highest bar in units of the picture. A day is 10 wide."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One day: everything that crossed, and from below the part that was refused or could not be judged."""

    count: DayCount
    x: float
    height: float
    unwell: float


def bars_of(days: Sequence[DayCount]) -> list[Bar]:
    """Return bars in proportion to the busiest day. Any number above zero is visible."""
    most = max((each.all for each in days), default=0) or 1
    return [
        Bar(each, 10 * place + 1, _height(each.all, most), _height(each.unwell, most))
        for place, each in enumerate(days)
    ]


def _height(number: int, most: int) -> float:
    return round(max(TOP * number / most, 1.5), 2) if number else 0
