"""Dates, whose digits read as somebody's telephone by chance: +32 2 811 19 98 is dialled 28111998 inside the country.

One telephone in four hundred of Brussels reads as a day, and in a file of thousands somebody may have been born on it.
Nobody writes a telephone in that way, so no certificate has to wait for it.
"""

import re

DAY, MONTH, YEAR = rb"(?:0?[1-9]|[12]\d|3[01])", rb"(?:0?[1-9]|1[0-2])", rb"(?:19|20)\d\d"
DATE = re.compile(
    rb"(?<!\d)(?:%(y)s([-/.])%(m)s\1%(d)s|%(d)s([-/.])%(m)s\2%(y)s|%(m)s([-/.])%(d)s\3%(y)s)"
    rb"(?: \d\d(?=:))?(?!\d(?!\0\0\0))" % {b"d": DAY, b"m": MONTH, b"y": YEAR}
)
"""A day of these two centuries in three orders, between the same separators; with the hour of a moment.

A digit before three zero bytes is no digit: Parquet writes before each text how long it is.
"""
LONGEST = len(b"2026-11-27 10")


def is_date(text: str) -> bool:
    """Whether a value is a date itself."""
    return DATE.fullmatch(text.encode()) is not None


def is_in_date(content: bytes, begin: int, end: int) -> bool:
    """Whether all of a match stands inside one date."""
    around = DATE.finditer(content, max(0, begin - LONGEST), end + LONGEST)
    return any(date.start() <= begin and end <= date.end() for date in around)
