"""Dates, whose digits may by chance be somebody's telephone number: +32 2 811 19 98 is dialled 28111998 at home.

One telephone number in four hundred of Brussels reads as a date, and in a file of thousands somebody may be born on it.
Nobody writes a telephone number like a date, so such a match must not hold up a certificate.
"""

import re

DAY, MONTH, YEAR = rb"(?:0?[1-9]|[12]\d|3[01])", rb"(?:0?[1-9]|1[0-2])", rb"(?:19|20)\d\d"
DATE = re.compile(
    rb"(?<!\d)(?:%(y)s([-/.])%(m)s\1%(d)s|%(d)s([-/.])%(m)s\2%(y)s|%(m)s([-/.])%(d)s\3%(y)s)"
    rb"(?: \d\d(?=:))?(?!\d(?!\0\0\0))" % {b"d": DAY, b"m": MONTH, b"y": YEAR}
)
"""A date of these two centuries, in three orders, with one kind of separator; includes the hour of a timestamp.

A digit before three zero bytes does not count as one: it is the length that Parquet writes before each text.
"""
LONGEST = len(b"2026-11-27 10")


def is_date(text: str) -> bool:
    """Whether a value is itself a date."""
    return DATE.fullmatch(text.encode()) is not None


def is_in_date(content: bytes, begin: int, end: int) -> bool:
    """Whether a match lies entirely inside one date."""
    around = DATE.finditer(content, max(0, begin - LONGEST), end + LONGEST)
    return any(date.start() <= begin and end <= date.end() for date in around)
