"""What a reason code means and how it is cured, in one language: on receipts and before a file is sent."""

import re
from dataclasses import dataclass
from typing import Final

from sluice.documents.words import Words
from sluice.terms import Direction, RefusalClass

SCREENED: Final = re.compile(r"TEXT_([A-Z_]+)_(MASKED|REFUSED|REVIEW)")
"""Codes of the free-text screen: what was found in a note, and what was done."""

NOTED: Final = frozenset({"DUPLICATE_CONTENT", "TEXT_MASKED", "TEXT_REVIEW", "TEXT_SAMPLE"})
"""By :func:`meaning_of`: of these whoever sent a file has nothing to correct in it."""


@dataclass(frozen=True, slots=True)
class Explained:
    """What a code says in words; two codes that mean the same are equal."""

    word: str
    meaning: str
    cure: str


def explain(say: Words, way: Direction, code: str) -> Explained:
    """The words of a code for files of one way: its own, else those of its class."""
    spoken = meaning_of(say, code)
    family = f"class.{refusal_class(spoken)}"
    places = (f"{way}.code.{spoken}", f"code.{spoken}", f"{way}.{family}", family)
    cures = (f"{way}.code.{spoken}", f"{way}.{family}", way, f"code.{spoken}", family)
    return Explained(
        word=say.find(f"code.{spoken}.word", f"{family}.word") or spoken,
        meaning=say.find(*(f"{place}.meaning" for place in places)) or "",
        cure=say.find(*(f"{place}.cure" for place in cures)) or "",
    )


def meaning_of(say: Words, code: str) -> str:
    """The code whose sentences tell what ``code`` means: one for all that the screen masks, its own, or its class."""
    screen = SCREENED.fullmatch(code)
    if screen:
        return f"TEXT_{screen[2]}"
    return code if say.find(f"code.{code}.meaning") else refusal_class(code)


def refusal_class(code: str) -> str:
    """The class of the closed list that a reason code begins with; the code itself if none."""
    return max((item for item in RefusalClass if code.startswith(item)), key=len, default=code)
