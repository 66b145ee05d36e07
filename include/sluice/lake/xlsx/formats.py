"""What the number formats of a workbook show for a number: a date, a time, or digits with leading zeros."""

import re
from dataclasses import dataclass
from enum import StrEnum

_QUOTED = re.compile(r'"[^"]*"|\\.|_.|\*.')
_BRACKETS = re.compile(r"\[(?!h+\]|m+\]|s+\])[^\]]*\]", re.IGNORECASE)
_ELAPSED = re.compile(r"\[(?:h+|m+|s+)\]", re.IGNORECASE)
_TOKEN = re.compile(_QUOTED.pattern + r"|\[[^\]]*\]|.", re.DOTALL)
_COLOUR_OR_LANGUAGE = re.compile(r"\[(?:\$-[0-9a-f]+|[a-z]+ ?[0-9]*)\]", re.IGNORECASE)
_PLACES = frozenset("0#?")
_DIGIT = re.compile("[0-9]")
_MOST_ZEROS = 32
"""The most leading zeros that are written; a workbook may ask for a million."""


class Shown(StrEnum):
    """What a number format shows for a number."""

    NUMBER = "number"
    PADDED = "padded"
    """A whole number with leading zeros and nothing else."""
    FORMED = "formed"
    """Leading zeros or other digits of the format, mixed with characters of the format."""
    DATE = "date"
    DATETIME = "datetime"
    TIME = "time"
    ELAPSED = "elapsed"


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """A number format. ``digits``: the minimum number of digits shown before the decimal point."""

    shown: Shown
    digits: int = 1


NUMBER = NumberFormat(Shown.NUMBER)
BUILT_IN = {
    **dict.fromkeys([14, 15, 16, 17, *range(27, 32), 36, 50, 51, 52, 53, 54, 57, 58], NumberFormat(Shown.DATE)),
    **dict.fromkeys([18, 19, 20, 21, 32, 33, 34, 35, 45, 47, 55, 56], NumberFormat(Shown.TIME)),
    22: NumberFormat(Shown.DATETIME),
    46: NumberFormat(Shown.ELAPSED),
}
"""Formats that a workbook refers to by number only (ECMA-376 part 1, 18.8.30); all others show plain numbers."""


def format_of(code: str) -> NumberFormat:
    """What a custom number format shows. Letters outside quotes and brackets decide first, then the zeros."""
    first = _QUOTED.sub("", code).split(";")[0]
    if _ELAPSED.search(first):
        return NumberFormat(Shown.ELAPSED)
    letters = _BRACKETS.sub("", first).lower()
    if "general" in letters:
        return NUMBER
    letters = letters.replace("am/pm", "h").replace("a/p", "h")
    day, clock = bool(set(letters) & set("yd")), bool(set(letters) & set("hs"))
    if day or clock:
        return NumberFormat(Shown.DATETIME if day and clock else Shown.DATE if day else Shown.TIME)
    return NumberFormat(Shown.DATE) if "m" in letters else _zeros_of(code)


def _zeros_of(code: str) -> NumberFormat:
    """The format of the section for numbers.

    If there are several sections, each is for other numbers, so none of them may add zeros or digits."""
    sections: list[list[str]] = [[]]
    for token in _TOKEN.findall(code):
        if token == ";":
            sections.append([])
        elif not _COLOUR_OR_LANGUAGE.fullmatch(token):
            sections[-1].append(token)
    found = [_section(section) for section in sections if "@" not in section]
    if len(found) == 1:
        return found[0]
    if any(each.shown is not Shown.NUMBER for each in found):
        return NumberFormat(Shown.FORMED)
    return max(found, key=lambda each: each.digits, default=NUMBER)


def _section(tokens: list[str]) -> NumberFormat:
    """The format of one section. Its other characters matter only if it adds digits: ``0 "days"`` is a plain number."""
    start = next((at for at, token in enumerate(tokens) if token in _PLACES), len(tokens))
    end = next((at for at, token in enumerate(tokens) if at > start and token in ".eE/%"), len(tokens))
    digits = tokens[start:end].count("0")
    brings_digits = any(_DIGIT.search(token) for token in tokens[:start] if not token.startswith("["))
    if start == len(tokens) or (digits < 2 and not brings_digits):
        return NUMBER
    if set(tokens) == {"0"} and digits <= _MOST_ZEROS:
        return NumberFormat(Shown.PADDED, digits)
    return NumberFormat(Shown.NUMBER, digits) if set(tokens) <= {*_PLACES, ",", "."} else NumberFormat(Shown.FORMED)
