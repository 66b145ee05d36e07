"""Identifiers in one folded note: e-mail, IBAN, national and bis number, card, phone.

Found in this order, each blanked before the next, so that no digit counts twice. What looks like a
number but is another thing (a date, a structured communication, a meter's EAN) is blanked before what it looks like.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, partial

from stdnum import ean, iban, numdb
from stdnum.be import bis, nn

from sluice.screen.model import Hit
from sluice.screen.phones import find_phones, labels_before
from sluice.screen.prefilter import DIGIT_RUN, Shape
from sluice.screen.tables import issuers, labels
from sluice.terms import ScreenClass

IBAN, NATIONAL, CARD, PHONE = map(int, Shape)
SEPARATORS = {ord(mark): None for mark in " \t./-()"}
OWN_NEAR = 30
"""How many characters before and after a number are read for a word such as "contract"."""
CARD_SHORTEST = 13
CARD_USUAL = (15, 16)
"""How many digits nearly every card has."""
PHONE_REACH = 32
"""How many characters after a card are read for a phone number."""
DIGITS = frozenset("0123456789")
DOUBLED = str.maketrans("0123456789", "0246813579")
"""Twice a digit, its own two digits added."""
OWN_LONGEST = 64
"""No longer run is given to the contract's expression, which somebody else wrote."""

# Every repetition that could start anywhere is bounded: a note may be 32,000 characters of anything.
_DOT = r"\.| dot | punt | point |\s?[(\[{]\s?(?:dot|punt|point)\s?[)\]}]\s?"
_MAIL = re.compile(
    r"[a-z0-9][a-z0-9._%+'\-]{0,127}(?: ?@ ?|\s?[(\[{<]\s?at\s?[)\]}>]\s?| apenstaart(?:je)? | arobas[e]? | at )"
    rf"[a-z0-9\-]+(?:(?:{_DOT})[a-z0-9\-]+)*(?:{_DOT})[a-z]{{2,24}}(?![a-z])"
)
_IBAN_HEAD = re.compile(r"(?<![a-z0-9])[a-z]{2}[ .\-]{0,2}[0-9]{2}(?=[ .\-]{0,2}[a-z0-9])")
_RUN = re.compile(DIGIT_RUN)
_NATIONAL = re.compile(
    r"(?<![0-9])(?=([0-9]{2}[ .\-/]?[0-9]{2}[ .\-/]?[0-9]{2}[ .\-/]{0,3}[0-9]{3}[ .\-/]{0,3}[0-9]{2})(?![0-9]))"
)
_CARD = re.compile(r"(?<![0-9])(?=((?:[0-9][ \-]?){12,18}[0-9]))")
_CARD_BLOCKS = re.compile(r"(?<![0-9])(?=([0-9]{4}([ \-.]{1,2})[0-9]{4,6}\2[0-9]{4,5}(?:\2[0-9]{1,4}){0,2}))")
"""As far as a card could go: an expiry, a code or a phone number after it joins it, so :func:`_ends` is asked."""
_GOES_ON = re.compile(r"[ \-][0-9]")
_AS_EMBOSSED = re.compile(r"[0-9]{4,}(?:[ \-][0-9]{4,})*")
"""No card is printed in groups of fewer than four; phone numbers and dates are."""
_FIRST = re.compile(r"(?<![0-9][ ./\-])(?<!\+)[0-9]")
_MORE = re.compile(r"[ .\-]?[0-9]")
_LONE_DIGIT = re.compile(r"[ \-][0-9](?![0-9])")
_DATE = re.compile(
    r"(?<![0-9])(?<![0-9][/.\-])(?:"
    r"[0-3]?[0-9]([/.\-])[01]?[0-9]\1(?:(?:19|20)[0-9]{2}(?![0-9])|[0-9]{2}(?![/.\-]{0,2}[0-9]))"
    r"|(?:19|20)[0-9]{2}([/.\-])[01][0-9]\2[0-3][0-9](?![0-9]))"
)
_COMMUNICATION = re.compile(r"(?<![0-9])[+*]{0,3} ?([0-9]{3}) ?/ ?([0-9]{4}) ?/ ?([0-9]{5}) ?[+*]{0,3}(?![0-9])")
_ENTERPRISE = re.compile(r"[01](?<![0-9][01])[0-9]{3}[ .\-]?[0-9]{3}[ .\-]?[0-9]{3}(?![0-9])")
_METER = re.compile(r"5(?<![0-9]5)[ .\-]?4(?:[ .\-]?[0-9]){16}(?![0-9])")
"""A Belgian EAN-GSRN of a gas or electricity meter: 18 digits, beginning with 54, the last one a check digit."""
_FILLER = re.compile(r"[a-z .:\-]{0,14}")
"""What may stand between "btw" and a number whose check digits are mistyped."""
_WHOLE_RUN = re.compile(r"[0-9]+(?:[ ./\-]{0,2}[0-9]+)*")


@dataclass(frozen=True, slots=True)
class NumberRules:
    """Where phone numbers are at home, and how the contract writes its own numbers."""

    region: str
    own: re.Pattern[str] | None


@dataclass(slots=True)
class Reading:
    """A note being read: what is found so far, and the text with those spans blanked."""

    text: str = field(repr=False)
    hits: list[Hit] = field(default_factory=list)
    own: int = 0

    def take(self, class_: ScreenClass, start: int, end: int) -> None:
        self.hits.append((class_, start, end))
        self.blank(start, end)

    def blank(self, start: int, end: int) -> None:
        self.text = f"{self.text[:start]}{'_' * (end - start)}{self.text[end:]}"


def find_mails(text: str) -> list[Hit]:
    """E-mail addresses, also with the sign written out between a name and a domain."""
    return [(ScreenClass.EMAIL, *match.span()) for match in _MAIL.finditer(text)]


def find_numbers(text: str, shapes: int, rules: NumberRules) -> Reading:
    """IBANs, national and bis numbers, cards and phone numbers of a folded note that holds these shapes."""
    reading = Reading(text)
    if shapes & IBAN:
        for start, end in _ibans(text):
            reading.take(ScreenClass.IBAN, start, end)
    if shapes & PHONE and "/" in text:
        _blank_communications(reading)
    if shapes & NATIONAL:
        _take_each(reading, ScreenClass.NATIONAL_NUMBER, _NATIONAL, _is_national, rules)
    if shapes & (CARD | PHONE):
        _blank_meters(reading)
    if shapes & CARD:
        _take_cards(reading, _CARD_BLOCKS, _is_card_in_blocks, rules)
        _take_cards(reading, _CARD, partial(_is_card_here, region=rules.region), rules)
    if shapes & PHONE:
        _read_phones(reading, rules)
    return reading


def _read_phones(reading: Reading, rules: NumberRules) -> None:
    _blank_all(reading, _DATE)
    _blank_enterprises(reading)
    for run in _RUN.finditer(reading.text):
        for start, end in find_phones(reading.text, run.start(), run.end(), rules.region):
            _take_unless_own(reading, ScreenClass.PHONE, start, end, rules)


Judge = Callable[[str, int, int], bool]
"""Whether a span of a text is a number of some kind."""


def _take_each(reading: Reading, class_: ScreenClass, shape: re.Pattern[str], judge: Judge, rules: NumberRules) -> None:
    for match in shape.finditer(reading.text):
        first, last = match.span(1)
        if "_" not in reading.text[first:last] and judge(reading.text, first, last):
            _take_unless_own(reading, class_, first, last, rules)


def _take_cards(reading: Reading, shape: re.Pattern[str], judge: Judge, rules: NumberRules) -> None:
    for match in shape.finditer(reading.text):
        spans = _card_spans(reading.text, *match.span(1))
        span = next((one for one in spans if judge(reading.text, *one)), None)
        if span is not None:
            _take_unless_own(reading, ScreenClass.CARD, *span, rules)


def _card_spans(text: str, first: int, last: int) -> list[tuple[int, int]]:
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
    closed = range(last, first + CARD_SHORTEST - 1, -1)
    return [end for end in closed if text[end - 1] in DIGITS and text[end : end + 1] not in DIGITS]


def _take_unless_own(reading: Reading, class_: ScreenClass, start: int, end: int, rules: NumberRules) -> None:
    if rules.own is not None and _is_own(reading.text, start, end, rules.own):
        reading.own += 1
        reading.blank(start, end)
    else:
        reading.take(class_, start, end)


def _is_own(text: str, start: int, end: int, own: re.Pattern[str]) -> bool:
    """The whole run of digits is written as the contract writes its numbers, and a word near by says so."""
    run = next((one.span() for one in _WHOLE_RUN.finditer(text) if one.start() <= start and end <= one.end()), None)
    if run is None or run[1] - run[0] > OWN_LONGEST:
        return False
    written = text[slice(*run)]
    if not (own.fullmatch(written) or own.fullmatch(written.translate(SEPARATORS))):
        return False
    near = f"{text[max(0, run[0] - OWN_NEAR) : run[0]]} {text[run[1] : run[1] + OWN_NEAR]}"
    return _label("own").search(near) is not None


def _ibans(text: str) -> Iterator[tuple[int, int]]:
    for head in _IBAN_HEAD.finditer(text):
        length = iban_lengths().get(head.group()[:2])
        end = _end_after(text, head.start(), length) if length else None
        if end is not None and iban.is_valid(text[head.start() : end], check_country=False):
            yield head.start(), end


def _end_after(text: str, start: int, count: int) -> int | None:
    """End of the next ``count`` letters and digits, if only single marks lie between; a digit is not cut from others.

    A word may be glued to it, such as "BIC".
    """
    position, left = start, count
    while left and position < len(text):
        if text[position].isalnum():
            left -= 1
        elif text[position] not in " .-" or text[position - 1] in ".-":
            return None
        position += 1
    is_cut = text[position - 1 : position].isdigit() == text[position : position + 1].isdigit()
    return None if left or (is_cut and text[position : position + 1].isalnum()) else position


@cache
def iban_lengths() -> dict[str, int]:
    """Length of an IBAN per country, in lower case, from the registry inside python-stdnum."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    found = {}
    for code in (one + other for one in letters for other in letters):
        ((_, facts), *_rest) = numdb.get("iban").info(f"{code.upper()}00")
        if "bban" in facts:
            found[code] = 4 + sum(int(part) for part in re.findall(r"([0-9]+)!", facts["bban"]))
    return found


def _is_national(text: str, start: int, end: int) -> bool:
    digits = text[start:end].translate(SEPARATORS)
    body, check = int(digits[:9]), int(digits[9:])
    if check not in (97 - body % 97, 97 - (2_000_000_000 + body) % 97):
        return False
    return bool(nn.is_valid(digits) or bis.is_valid(digits))


def _is_card_in_blocks(_text: str, _start: int, _end: int) -> bool:
    return True


def _is_card_here(text: str, start: int, end: int, *, region: str) -> bool:
    """As a card is printed, or in any other groups where something else says that it ends here."""
    if _is_printed_card(text, start, end):
        return True
    is_end = _is_farthest(text, start, end) or _is_closed(text, start, end, region)
    return is_end and not labels_before(text, start).other


def _is_printed_card(text: str, start: int, end: int) -> bool:
    """One in ten long numbers passes the checksum by chance, so a label such as "order" counts here.

    And where more digits follow, as in two phone numbers side by side, so do its groups.
    """
    if _label("card").search(text[max(0, start - OWN_NEAR) : start]):
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
    if sum(map(len, groups)) not in CARD_USUAL or _FIRST.match(text, start) is None:
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


def _blank_all(reading: Reading, shape: re.Pattern[str]) -> None:
    for match in shape.finditer(reading.text):
        reading.blank(*match.span())


def _blank_meters(reading: Reading) -> None:
    """EANs whose check digit is right; a card and its expiry may read as one by chance, and are none."""
    for match in _METER.finditer(reading.text):
        digits, spans = match.group().translate(SEPARATORS), _card_spans(reading.text, *match.span())
        is_card = any(_is_printed_card(reading.text, *span) for span in spans)
        is_inside = _FIRST.match(reading.text, match.start()) is None and _MORE.match(reading.text, match.end())
        if not is_inside and ean.calc_check_digit(digits[:-1]) == digits[-1] and not is_card:
            reading.blank(*match.span())


def _blank_communications(reading: Reading) -> None:
    """``+++090/9337/55493+++``: a payment reference; between its marks, or modulo 97."""
    for match in _COMMUNICATION.finditer(reading.text):
        digits = "".join(match.groups())
        if match.group()[0] in "+*" or (int(digits[:10]) % 97 or 97) == int(digits[10:]):
            reading.blank(*match.span())


def _blank_enterprises(reading: Reading) -> None:
    """A Belgian enterprise or VAT number: modulo 97 near a word such as "btw", or right after one."""
    for match in _ENTERPRISE.finditer(reading.text):
        digits = match.group().translate(SEPARATORS)
        before = reading.text[max(0, match.start() - OWN_NEAR) : match.start()]
        is_valid = 97 - int(digits[:8]) % 97 == int(digits[8:])
        label = _label("enterprise").search(before)
        if label and (is_valid or _leads_to_the_end(before[label.end() :], reading.text, match.start())):
            reading.blank(*match.span())


def _leads_to_the_end(between: str, text: str, start: int) -> bool:
    return _FILLER.fullmatch(between) is not None and not labels_before(text, start).phone


@cache
def _label(kind: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![a-z])(?:{labels(kind)})(?![a-z])")
