"""Checks whether a first record can be a header, by the same rules for text files and sheets.

Names stay exactly as written, because a contract matches them exactly.
"""

import unicodedata

from sluice.errors import may_be_a_value
from sluice.lake.table import FileLimits, FormatHints, FormatRefusal, Note

_RULE = "format.header"
_TURNING = "\u202a\u202b\u202d\u202e\u2066\u2067\u2068"
"""Direction overrides, which make a printed name read as another one."""
_DATA_SHARE = 0.4
"""The first record looks like data when at least this share of names has no letter (or has an at sign)."""


def header_refusal(names: tuple[str, ...], limits: FileLimits, hints: FormatHints) -> FormatRefusal | None:
    """The first thing wrong with the names, or None."""
    if not names:
        return FormatRefusal("UNREADABLE_EMPTY_FILE", "format.content")
    if len(names) > limits.columns:
        return FormatRefusal("LIMIT_COLUMNS", _RULE, count=len(names))
    blank = tuple(at for at, name in enumerate(names, 1) if not name.strip())
    if len(blank) * 2 > len(names):
        readings = ("a title above the header", "a header with blank names")
        return FormatRefusal("HEADER_NOT_FIRST", _RULE, undecided=True, readings=readings)
    if blank:
        return FormatRefusal("HEADER_BLANK", _RULE, columns=blank, count=len(blank))
    return _names_refusal(names, limits) or _meaning_refusal(names, hints)


def padded_names(names: tuple[str, ...]) -> tuple[Note, ...]:
    """A note when names have spaces around them."""
    padded = tuple(at for at, name in enumerate(names, 1) if name != name.strip())
    return (Note("HEADER_PADDED", _RULE, len(padded), padded),) if padded else ()


def _names_refusal(names: tuple[str, ...], limits: FileLimits) -> FormatRefusal | None:
    positions = list(enumerate(names, 1))
    if long := tuple(at for at, name in positions if len(name) > limits.name_characters):
        return FormatRefusal("LIMIT_NAME", _RULE, columns=long, count=len(long))
    if control := tuple(at for at, name in positions if _has_control(name)):
        return FormatRefusal("TEXT_CONTROL_CHARACTER", _RULE, columns=control, count=len(control))
    if twice := tuple(at for at, name in positions if names.index(name) < at - 1):
        return FormatRefusal("HEADER_DUPLICATE", _RULE, columns=twice, count=len(twice))
    return None


def _meaning_refusal(names: tuple[str, ...], hints: FormatHints) -> FormatRefusal | None:
    """Refuse a first record that looks like data.

    In a file without a header, the first person's values would become column names, and those are printed."""
    if set(names) & set(hints.columns):
        return None
    odd = sum(map(may_be_a_value, names))
    if odd < len(names) * _DATA_SHARE:
        return None
    readings = ("a header", "the first record of data")
    return FormatRefusal("HEADER_LOOKS_LIKE_DATA", _RULE, undecided=True, readings=readings, count=odd)


def _has_control(name: str) -> bool:
    """Whether a name has control or direction characters other than line breaks and tabs, which real headers have."""
    return any(
        letter in _TURNING or (unicodedata.category(letter) == "Cc" and letter not in "\t\r\n") for letter in name
    )
