"""Facts that name nobody: filler words, emergency numbers, mailboxes that nobody reads.

They are rows of ``facts/placeholders.csv``, each with its source and the day it was known.
"""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Placeholders:
    """Values that stand for *no value*, per kind of row in the table."""

    words: frozenset[str]
    emergency: frozenset[str]
    digits: frozenset[str]
    mailboxes: frozenset[str]
    top_levels: frozenset[str]


@cache
def placeholders() -> Placeholders:
    """The table as shipped with this version."""
    text = (files("sluice.subject") / "facts" / "placeholders.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))

    def of(kind: str) -> frozenset[str]:
        return frozenset(row["value"] for row in rows if row["kind"] == kind)

    return Placeholders(of("word"), of("emergency"), of("digits"), of("mailbox"), of("top level"))
