"""What a document may contain, as a table of kinds. Findings have the shared numbers 010 to 018."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from difflib import get_close_matches
from typing import Protocol

from sluice.agreement.document import Found, Spot
from sluice.agreement.written import (
    instead_of_day,
    instead_of_flag,
    instead_of_keys,
    instead_of_list,
    instead_of_number,
    instead_of_text,
    percentage,
)

OPEN = "OPEN"
"""Placeholder for a value that a person still has to decide; the linter reports it."""


def nearly(said: object, known: Iterable[str]) -> str:
    """Words that are written nearly like what was said, for the detail of a finding; empty if there are none."""
    small = {word.rpartition("#")[2].lower(): word for word in known}
    near = get_close_matches(str(said).rpartition("#")[2].lower(), small, n=2)
    return f"perhaps {', '.join(small[each] for each in near)}" if near else ""


def _instead(wanted: str, told: str) -> str:
    return "; ".join(filter(None, (wanted, told)))


class Kind(Protocol):
    """A kind of value that a key may have."""

    def check(self, spot: Spot) -> Iterator[Found]:
        """Findings on a value that exists and is not null."""
        ...


def check_shape(spot: Spot, kind: Kind) -> Iterator[Found]:
    """Check one value against its kind; OPEN gives the same finding for every kind."""
    if spot.value == OPEN:
        yield Found(spot, "015")
    else:
        yield from kind.check(spot)


@dataclass(frozen=True, slots=True)
class Text:
    """A text. ``form`` is a regular expression that must match all of it, ``means`` describes that form in words."""

    form: str = ""
    means: str = ""
    empty: bool = False

    def check(self, spot: Spot) -> Iterator[Found]:
        if not isinstance(spot.value, str) or (not spot.value.strip() and not self.empty):
            yield Found(spot, "012", _instead("a text", instead_of_text(spot.value)))
        elif self.form and not re.fullmatch(self.form, spot.value):
            yield Found(spot, "017", self.means)


@dataclass(frozen=True, slots=True)
class Day:
    """A calendar day, YYYY-MM-DD."""

    def check(self, spot: Spot) -> Iterator[Found]:
        if not isinstance(spot.value, date) or isinstance(spot.value, datetime):
            yield Found(spot, "012", _instead("a day YYYY-MM-DD without quotes", instead_of_day(spot.value)))


@dataclass(frozen=True, slots=True)
class Flag:
    """true or false."""

    def check(self, spot: Spot) -> Iterator[Found]:
        if not isinstance(spot.value, bool):
            yield Found(spot, "012", _instead("true or false", instead_of_flag(spot.value)))


@dataclass(frozen=True, slots=True)
class Number:
    """A number from ``low`` to ``high``, both allowed."""

    low: float
    high: float
    whole: bool = True

    def check(self, spot: Spot) -> Iterator[Found]:
        allowed = (int,) if self.whole else (int, float)
        if not isinstance(spot.value, allowed) or isinstance(spot.value, bool):
            told = instead_of_number(spot.value, whole=self.whole, most=self.high)
            yield Found(spot, "012", _instead("a whole number" if self.whole else "a number", told))
        elif not self.low <= spot.value <= self.high:
            meant = percentage(spot.value, self.high)
            yield Found(spot, "014", _instead(f"from {self.low:g} to {self.high:g}", meant))


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a closed list."""

    words: tuple[str, ...]

    def check(self, spot: Spot) -> Iterator[Found]:
        if not isinstance(spot.value, str):
            yield Found(spot, "012", _instead("one of " + ", ".join(self.words), instead_of_text(spot.value)))
        elif spot.value not in self.words:
            yield Found(spot, "013", _instead("one of " + ", ".join(self.words), nearly(spot.value, self.words)))


@dataclass(frozen=True, slots=True)
class Iri:
    """A DPV term of one kind."""

    means: str
    known: frozenset[str]

    def check(self, spot: Spot) -> Iterator[Found]:
        if not isinstance(spot.value, str) or spot.value not in self.known:
            yield Found(spot, "016", "; ".join(filter(None, (self.means, nearly(spot.value, self.known)))))


@dataclass(frozen=True, slots=True)
class Many:
    """A list of at least ``least`` entries."""

    of: Kind
    least: int = 0

    def check(self, spot: Spot) -> Iterator[Found]:
        if not isinstance(spot.value, list):
            yield Found(spot, "012", _instead("a list", instead_of_list(spot.value)))
            return
        if len(spot.entries) < self.least:
            yield Found(spot, "014", f"at least {self.least} in the list")
        for entry in spot:
            yield from check_shape(entry, self.of)


@dataclass(frozen=True, slots=True)
class Keys:
    """A mapping. ``must`` keys have to be there and not null; ``may`` keys can be absent or null."""

    must: Mapping[str, Kind]
    may: Mapping[str, Kind] = field(default_factory=dict)

    def check(self, spot: Spot) -> Iterator[Found]:
        if not isinstance(spot.value, dict):
            yield Found(spot, "012", _instead("a mapping of keys", instead_of_keys(spot.value)))
            return
        for key, entry in spot.keys.items():
            kind = self.must.get(key) or self.may.get(key)
            if kind is None:
                yield Found(entry, "011", nearly(key, (*self.must, *self.may)))
            elif entry.value is not None:
                yield from check_shape(entry, kind)
        for key in self.must:
            if not spot[key].is_given:
                yield Found(spot[key], "010")
