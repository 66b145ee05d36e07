"""Payment cards in one folded note.

A number that an issuer may have given out, with the right check digit, ends after any whole group of digits:
an expiry, a code or a phone number after it joins it, so what stands around it says where.
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
"""How many digits nearly every card has."""
PHONE_REACH = 32
"""How many characters after a card are read for a phone number."""
DIGITS = frozenset("0123456789")
DOUBLED = str.maketrans("0123456789", "0246813579")
"""Twice a digit, its own two digits added."""
_CARD = re.compile(r"(?<![0-9])(?=((?:[0-9][ \-]?){12,18}[0-9]))")
_CARD_BLOCKS = re.compile(r"(?<![0-9])(?=([0-9]{4}([ \-.]{1,2})[0-9]{4,6}\2[0-9]{4,5}(?:\2[0-9]{1,4}){0,2}))")
"""As far as a card could go: an expiry, a code or a phone number after it joins it, so :func:`_ends` is asked."""
_GOES_ON = re.compile(r"[ \-][0-9]")
_AS_EMBOSSED = re.compile(r"[0-9]{4,}(?:[ \-][0-9]{4,})*")
"""No card is printed in groups of fewer than four; phone numbers and dates are."""
_RUN = re.compile(DIGIT_RUN)
_LONE_DIGIT = re.compile(r"[ \-][0-9](?![0-9])")

Judge = Callable[[str, int, int], bool]
"""Whether a span that an issuer may have given out is a card."""


def take_cards(reading: Reading) -> None:
    """Cards in blocks of one separator first: nothing else is written so."""
    _take(reading, _CARD_BLOCKS, lambda *_: True)
    _take(reading, _CARD, partial(_is_card_here, region=reading.region))


def is_printed_card(text: str, first: int, last: int) -> bool:
    """Whether a card as it is printed begins at ``first`` and ends at ``last`` or before."""
    return any(_is_printed(text, *span) for span in _spans(text, first, last))


def _take(reading: Reading, shape: re.Pattern[str], judge: Judge) -> None:
    for match in shape.finditer(reading.text):
        spans = _spans(reading.text, *match.span(1))
        span = next((one for one in spans if judge(reading.text, *one)), None)
        if span is not None:
            reading.take(ScreenClass.CARD, *span)


def _spans(text: str, first: int, last: int) -> list[tuple[int, int]]:
    """What an issuer may have given out, the longest first."""
    ends = _ends(text, first, last)
    if not ends:
        return []
    lengths = _lengths(text[first : ends[-1]].translate(SEPARATORS))
    numbers = ((end, text[first:end].translate(SEPARATORS)) for end in ends if lengths)
    return [(first, end) for end, digits in numbers if len(digits) in lengths and luhn(digits)]


def _lengths(digits: str) -> frozenset[int]:
    """How many digits the cards have that begin so."""
    return frozenset().union(*(one.lengths for one in issuers() if one.first <= int(digits[: one.digits]) <= one.last))


def _ends(text: str, first: int, last: int) -> list[int]:
    """Where a card number from ``first`` may end: after any whole group of digits, the farthest first.

    Never inside a group, or every long number that begins like a card would be one.
    """
    blank = text.find("_", first, last)
    last = last if blank < 0 else blank
    closed = range(last, first + SHORTEST - 1, -1)
    return [end for end in closed if text[end - 1] in DIGITS and text[end : end + 1] not in DIGITS]


def _is_card_here(text: str, start: int, end: int, *, region: str) -> bool:
    """As a card is printed, or in any other groups where something else says that it ends here."""
    if _is_printed(text, start, end):
        return True
    is_end = _is_farthest(text, start, end) or _is_closed(text, start, end, region)
    return is_end and not labels_before(text, start).other


def _is_printed(text: str, start: int, end: int) -> bool:
    """One in ten long numbers passes the checksum by chance, so a label such as "order" counts here.

    And where more digits follow, as in two phone numbers side by side, so do its groups.
    """
    if label_of("card").search(text[max(0, start - NEAR) : start]):
        return True
    is_whole = _GOES_ON.match(text, end) is None or _AS_EMBOSSED.fullmatch(text, start, end) is not None
    return is_whole and not labels_before(text, start).other


def _is_farthest(text: str, start: int, end: int) -> bool:
    """With one group of digits more it would be longer than any card."""
    widest = _CARD.match(text, start)
    return widest is not None and _ends(text, *widest.span(1))[:1] == [end]


def _is_closed(text: str, start: int, end: int, region: str) -> bool:
    """Of a usual length, with no digits before it, and in groups of one size or with a phone number after it."""
    groups = text[start:end].replace("-", " ").split(" ")
    if sum(map(len, groups)) not in USUAL or FIRST_DIGIT.match(text, start) is None:
        return False
    sizes = {len(group) for group in groups}
    is_even = len(sizes) == 1 and (sizes != {1} or _LONE_DIGIT.match(text, end) is None)
    return is_even or _is_phone_next(text, end, region)


def _is_phone_next(text: str, end: int, region: str) -> bool:
    """``find_phones`` begins where the card ends, for its digits are no part of the phone number."""
    run = _RUN.match(text, end + 1, end + PHONE_REACH)
    return run is not None and next(find_phones(text, end, run.end(), region), (0, 0))[0] == run.start()


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of ISO/IEC 7812."""
    return (sum(map(int, digits[::-2])) + sum(map(int, digits[-2::-2].translate(DOUBLED)))) % 10 == 0
