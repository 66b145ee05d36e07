"""Longer numbers, in which a telephone as it is dialled at home stands by chance: 158470642 holds 58470642.

A hundred thousand ids of nine digits hold a given number of eight once in five hundred times, so where a thousand
persons leave, somebody's is in every such file. Nobody writes a telephone in that way, and no certificate has to wait.
What is written as a telephone, after a plus or from a zero, is left to whoever knows whose it is.
"""

import re

CODE = (
    rb"2[07]|2[1-689]\d|3[0-469]|3[578]\d|4[013-9]|42\d|5[1-8]|5[09]\d|6[0-6]|6[7-9]\d"
    rb"|8[1246]|8[0578]\d|9[0-58]|9[679]\d"
)
"""ITU E.164: country codes, without 1 and 7, whose countries have numbers of ten digits."""
TEN = 10
DIALLED = re.compile(rb"(?:(?:%s)0?)?" % CODE)
"""What somebody may dial right before a number: a country code, and the zero that is written after it."""
DIALLED_TEN = re.compile(rb"(?:(?:[17]|%s)0?)?" % CODE)
BEFORE = re.compile(rb"(\+?)(\d*)\Z")
AFTER = re.compile(rb"\d(?!\0\0\0)")
"""A digit before three zero bytes is no digit: Parquet writes before each text how long it is."""
MARGIN = 32


def is_in_longer(content: bytes, begin: int, end: int) -> bool:
    """Whether digits stand right before or after a match that nobody dials there."""
    around = BEFORE.search(content, max(0, begin - MARGIN), begin)
    assert around is not None  # nothing is something
    plus, before = around.groups()
    if plus or before.startswith(b"0"):
        return False
    dialled = DIALLED_TEN if end - begin == TEN else DIALLED
    return AFTER.match(content, end) is not None or dialled.fullmatch(before) is None
