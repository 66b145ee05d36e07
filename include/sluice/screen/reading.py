"""A note while it is read: what was found so far is blanked, so that no digit counts twice."""

import re
from dataclasses import dataclass, field
from functools import cache

from sluice.screen.model import Hit
from sluice.screen.tables import labels
from sluice.terms import ScreenClass

SEPARATORS = {ord(mark): None for mark in " \t./-()"}
NEAR = 30
"""How many characters before and after a number are read for a word such as "contract"."""
FIRST_DIGIT = re.compile(r"(?<![0-9][ ./\-])(?<!\+)[0-9]")
"""Of a number: no group of digits stands before it."""


@dataclass(slots=True)
class Reading:
    """A note being read: what is found so far, and the text with those spans blanked.

    region: whose phone numbers are written without a country code."""

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
    """Any of the words of a kind of number, as a word of its own."""
    return re.compile(rf"(?<![a-z])(?:{labels(kind)})(?![a-z])")
