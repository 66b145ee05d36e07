"""A note while it is read: whatever was found is blanked, so that no digit counts twice."""

import re
from dataclasses import dataclass, field
from functools import cache

from sluice.screen.model import Hit
from sluice.screen.tables import labels
from sluice.terms import ScreenClass

SEPARATORS = {ord(mark): None for mark in " \t./-()"}
NEAR = 30
"""How many characters before a number are searched for a word such as "contract"."""
FIRST_DIGIT = re.compile(r"(?<![0-9][ ./\-])(?<!\+)[0-9]")
"""The first digit of a number, before which no group of digits stands."""


@dataclass(slots=True)
class Reading:
    """A note being read: the hits so far, and the text with those spans blanked.

    region: the one whose phone numbers are written without a country code."""

    text: str = field(repr=False)
    region: str
    hits: list[Hit] = field(default_factory=list)

    def take(self, class_: ScreenClass, start: int, end: int) -> None:
        self.hits.append((class_, start, end))
        self.blank(start, end)

    def blank(self, start: int, end: int) -> None:
        self.text = f"{self.text[:start]}{'_' * (end - start)}{self.text[end:]}"


@cache
def label_of(kind: str) -> re.Pattern[str]:
    """A pattern for the labels of a kind of number, as whole words."""
    return re.compile(rf"(?<![a-z])(?:{labels(kind)})(?![a-z])")
