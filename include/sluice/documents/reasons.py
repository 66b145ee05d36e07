"""What a reason code means and what to do about it, in one language; for receipts and for checks before sending."""

import re
from dataclasses import dataclass
from typing import Final

from sluice.documents.words import Words
from sluice.terms import Direction, RefusalClass

SCREENED: Final = re.compile(r"TEXT_([A-Z_]+)_(MASKED|REFUSED|REVIEW)")
"""Codes of the free-text screen: what was found in a note, and what was done about it."""

NOTED: Final = frozenset({"DUPLICATE_CONTENT", "TEXT_MASKED", "TEXT_REVIEW", "TEXT_SAMPLE"})
"""Meanings (:func:`meaning_of`) that leave the sender of a file nothing to correct."""


@dataclass(frozen=True, slots=True)
class Explained:
    """A code in words; codes that mean the same give equal values."""

    word: str
    meaning: str
    cure: str


def explain(say: Words, way: Direction, code: str) -> Explained:
    """The words of a code for files of one direction: its own if there are any, else those of its class."""
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
    """The message code that explains ``code``.

    A code of the screen is explained by what was done, whatever was found; any other by itself or by its class.
    """
    screen = SCREENED.fullmatch(code)
    if screen:
        return f"TEXT_{screen[2]}"
    return code if say.find(f"code.{code}.meaning") else refusal_class(code)


def refusal_class(code: str) -> str:
    """The class of the closed list that a reason code begins with; the code itself if there is none."""
    return max((item for item in RefusalClass if code.startswith(item)), key=len, default=code)
