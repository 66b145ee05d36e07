"""Find payment cards in one folded note.

A card number has a prefix and length that an issuer uses, and the right check digit. An expiry date, a code or a
phone number may follow it directly, so it may end after any whole group of digits; its surroundings decide where.
"""

import re
from collections.abc import Callable
from functools import partial

from sluice.screen.phones import find_phones, labels_before
from sluice.screen.prefilter import DIGIT_RUN
from sluice.screen.reading import FIRST_DIGIT, NEAR, SEPARATORS, Reading, label_of
from sluice.screen.tables import issuers
from sluice.terms import ScreenClass

SHORTEST = 13
USUAL = (15, 16)
"""The number of digits of nearly every card."""
PHONE_REACH = 32
"""How many characters after a card are searched for a phone number."""
DIGITS = frozenset("0123456789")
DOUBLED = str.maketrans("0123456789", "0246813579")
"""Maps a digit to the digit sum of its double."""
_CARD = re.compile(r"(?<![0-9])(?=((?:[0-9][ \-]?){12,18}[0-9]))")
_CARD_BLOCKS = re.compile(r"(?<![0-9])(?=([0-9]{4}([ \-.]{1,2})[0-9]{4,6}\2[0-9]{4,5}(?:\2[0-9]{1,4}){0,2}))")
"""The longest span that a card could have; an expiry, code or phone number may follow, so :func:`_ends` finds its
end."""
_GOES_ON = re.compile(r"[ \-][0-9]")
_AS_EMBOSSED = re.compile(r"[0-9]{4,}(?:[ \-][0-9]{4,})*")
"""Groups of four digits or more, as on a printed card; phone numbers and dates have smaller groups."""
_RUN = re.compile(DIGIT_RUN)
_LONE_DIGIT = re.compile(r"[ \-][0-9](?![0-9])")

Judge = Callable[[str, int, int], bool]
"""Decides whether a span that may be a card number is one; called with text, start and end."""


def take_cards(reading: Reading) -> None:
    """Take all cards, first those in blocks with one kind of separator: nothing else is written like that."""
    _take(reading, _CARD_BLOCKS, lambda *_: True)
    _take(reading, _CARD, partial(_is_card_here, region=reading.region))


def is_printed_card(text: str, first: int, last: int) -> bool:
    """Whether a card, grouped as on a printed one, begins at ``first`` and ends at ``last`` or before."""
    return any(_is_printed(text, *span) for span in _spans(text, first, last))


def _take(reading: Reading, shape: re.Pattern[str], judge: Judge) -> None:
    for match in shape.finditer(reading.text):
        spans = _spans(reading.text, *match.span(1))
        span = next((one for one in spans if judge(reading.text, *one)), None)
        if span is not None:
            reading.take(ScreenClass.CARD, *span)


def _spans(text: str, first: int, last: int) -> list[tuple[int, int]]:
    """The spans from ``first`` that may be a card number by prefix, length and check digit, longest first."""
    ends = _ends(text, first, last)
    if not ends:
        return []
    lengths = _lengths(text[first : ends[-1]].translate(SEPARATORS))
    numbers = ((end, text[first:end].translate(SEPARATORS)) for end in ends if lengths)
    return [(first, end) for end, digits in numbers if len(digits) in lengths and luhn(digits)]


def _lengths(digits: str) -> frozenset[int]:
    """The possible lengths of card numbers that begin with these digits."""
    return frozenset().union(*(one.lengths for one in issuers() if one.first <= int(digits[: one.digits]) <= one.last))


def _ends(text: str, first: int, last: int) -> list[int]:
    """Where a card number from ``first`` may end: after any whole group of digits, farthest first.

    It never ends inside a group, or every long number that begins like a card would count as one.
    """
    blank = text.find("_", first, last)
    last = last if blank < 0 else blank
    closed = range(last, first + SHORTEST - 1, -1)
    return [end for end in closed if text[end - 1] in DIGITS and text[end : end + 1] not in DIGITS]


def _is_card_here(text: str, start: int, end: int, *, region: str) -> bool:
    """Whether a span is a card: it is grouped as on a printed card, or its surroundings show that it ends here."""
    if _is_printed(text, start, end):
        return True
    is_end = _is_farthest(text, start, end) or _is_closed(text, start, end, region)
    return is_end and not labels_before(text, start).other


def _is_printed(text: str, start: int, end: int) -> bool:
    """Whether a span is a card by its label or its groups.

    One in ten long numbers passes the checksum by chance, so a label such as "order" rules a card out. If more digits
    follow, as with two phone numbers side by side, the groups must be those of a card.
    """
    if label_of("card").search(text[max(0, start - NEAR) : start]):
        return True
    is_whole = _GOES_ON.match(text, end) is None or _AS_EMBOSSED.fullmatch(text, start, end) is not None
    return is_whole and not labels_before(text, start).other


def _is_farthest(text: str, start: int, end: int) -> bool:
    """Whether another group of digits would make the number longer than any card."""
    widest = _CARD.match(text, start)
    return widest is not None and _ends(text, *widest.span(1))[:1] == [end]


def _is_closed(text: str, start: int, end: int, region: str) -> bool:
    """Whether a span has a usual length, no digits before it, and groups of one size or a phone number after it."""
    groups = text[start:end].replace("-", " ").split(" ")
    if sum(map(len, groups)) not in USUAL or FIRST_DIGIT.match(text, start) is None:
        return False
    sizes = {len(group) for group in groups}
    is_even = len(sizes) == 1 and (sizes != {1} or _LONE_DIGIT.match(text, end) is None)
    return is_even or _is_phone_next(text, end, region)


def _is_phone_next(text: str, end: int, region: str) -> bool:
    """Whether a phone number follows. ``find_phones`` starts after the card, whose digits are no part of it."""
    run = _RUN.match(text, end + 1, end + PHONE_REACH)
    return run is not None and next(find_phones(text, end, run.end(), region), (0, 0))[0] == run.start()


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of ISO/IEC 7812."""
    return (sum(map(int, digits[::-2])) + sum(map(int, digits[-2::-2].translate(DOUBLED)))) % 10 == 0
