"""Find identifiers in one folded note: e-mail, IBAN, national and bis number, card, phone.

They are found in this order, and each is blanked before the next kind, so that no digit counts twice. Things that look
like an identifier but are not one (a date, a structured communication, a meter's EAN) are blanked before the kind that
they look like.
"""

import re
from collections.abc import Iterator
from functools import cache

from stdnum import ean, iban, numdb
from stdnum.be import bis, nn

from sluice.screen.cards import is_printed_card, take_cards
from sluice.screen.model import Hit
from sluice.screen.phones import find_phones, labels_before
from sluice.screen.prefilter import DIGIT_RUN, Shape
from sluice.screen.reading import FIRST_DIGIT, NEAR, SEPARATORS, Reading, label_of
from sluice.terms import ScreenClass

IBAN, NATIONAL, CARD, PHONE = map(int, Shape)
# Every repetition that could start anywhere is bounded, because a note may be 32,000 characters of anything.
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
_MORE = re.compile(r"[ .\-]?[0-9]")
_DATE = re.compile(
    r"(?<![0-9])(?<![0-9][/.\-])(?:"
    r"[0-3]?[0-9]([/.\-])[01]?[0-9]\1(?:(?:19|20)[0-9]{2}(?![0-9])|[0-9]{2}(?![/.\-]{0,2}[0-9]))"
    r"|(?:19|20)[0-9]{2}([/.\-])[01][0-9]\2[0-3][0-9](?![0-9]))"
)
_COMMUNICATION = re.compile(r"(?<![0-9])[+*]{0,3} ?([0-9]{3}) ?/ ?([0-9]{4}) ?/ ?([0-9]{5}) ?[+*]{0,3}(?![0-9])")
_ENTERPRISE = re.compile(r"[01](?<![0-9][01])[0-9]{3}[ .\-]?[0-9]{3}[ .\-]?[0-9]{3}(?![0-9])")
_METER = re.compile(r"5(?<![0-9]5)[ .\-]?4(?:[ .\-]?[0-9]){16}(?![0-9])")
"""The Belgian EAN-GSRN of a gas or electricity meter: 18 digits that begin with 54 and end with a check digit."""
_FILLER = re.compile(r"[a-z .:\-]{0,14}")
"""Text allowed between "btw" and a number whose check digits are mistyped."""


def find_mails(text: str) -> list[Hit]:
    """Find e-mail addresses, also with the at sign written out between a name and a domain."""
    return [(ScreenClass.EMAIL, *match.span()) for match in _MAIL.finditer(text)]


def find_numbers(text: str, shapes: int, region: str) -> list[Hit]:
    """Find IBANs, national and bis numbers, cards and phone numbers in a folded note with these shapes."""
    reading = Reading(text, region)
    if shapes & IBAN:
        for start, end in _ibans(text):
            reading.take(ScreenClass.IBAN, start, end)
    if shapes & PHONE and "/" in text:
        _blank_communications(reading)
    if shapes & NATIONAL:
        _take_nationals(reading)
    if shapes & (CARD | PHONE):
        _blank_meters(reading)
    if shapes & CARD:
        take_cards(reading)
    if shapes & PHONE:
        _read_phones(reading)
    return reading.hits


def _read_phones(reading: Reading) -> None:
    _blank_all(reading, _DATE)
    _blank_enterprises(reading)
    for run in _RUN.finditer(reading.text):
        for start, end in find_phones(reading.text, run.start(), run.end(), reading.region):
            reading.take(ScreenClass.PHONE, start, end)


def _ibans(text: str) -> Iterator[tuple[int, int]]:
    for head in _IBAN_HEAD.finditer(text):
        length = iban_lengths().get(head.group()[:2])
        end = _end_after(text, head.start(), length) if length else None
        if end is not None and iban.is_valid(text[head.start() : end], check_country=False):
            yield head.start(), end


def _end_after(text: str, start: int, count: int) -> int | None:
    """The end of the next ``count`` letters and digits; None if more than single marks lie between them.

    None also if that would split a group of digits or a word; but a word such as "BIC" may follow a digit directly.
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
    """Country code in lower case -> length of its IBANs, from the registry in python-stdnum."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    found = {}
    for code in (one + other for one in letters for other in letters):
        ((_, facts), *_rest) = numdb.get("iban").info(f"{code.upper()}00")
        if "bban" in facts:
            found[code] = 4 + sum(int(part) for part in re.findall(r"([0-9]+)!", facts["bban"]))
    return found


def _take_nationals(reading: Reading) -> None:
    for match in _NATIONAL.finditer(reading.text):
        span = match.span(1)
        written = reading.text[slice(*span)]
        if "_" not in written and _is_national(written.translate(SEPARATORS)):
            reading.take(ScreenClass.NATIONAL_NUMBER, *span)


def _is_national(digits: str) -> bool:
    body, check = int(digits[:9]), int(digits[9:])
    if check not in (97 - body % 97, 97 - (2_000_000_000 + body) % 97):
        return False
    return bool(nn.is_valid(digits) or bis.is_valid(digits))


def _blank_all(reading: Reading, shape: re.Pattern[str]) -> None:
    for match in shape.finditer(reading.text):
        reading.blank(*match.span())


def _blank_meters(reading: Reading) -> None:
    """Blank EANs with a right check digit, except a card and its expiry date, which may look like one by chance."""
    for match in _METER.finditer(reading.text):
        digits, is_card = match.group().translate(SEPARATORS), is_printed_card(reading.text, *match.span())
        is_inside = FIRST_DIGIT.match(reading.text, match.start()) is None and _MORE.match(reading.text, match.end())
        if not is_inside and ean.calc_check_digit(digits[:-1]) == digits[-1] and not is_card:
            reading.blank(*match.span())


def _blank_communications(reading: Reading) -> None:
    """Blank payment references such as ``+++090/9337/55493+++``: with these marks, or correct modulo 97."""
    for match in _COMMUNICATION.finditer(reading.text):
        digits = "".join(match.groups())
        if match.group()[0] in "+*" or (int(digits[:10]) % 97 or 97) == int(digits[10:]):
            reading.blank(*match.span())


def _blank_enterprises(reading: Reading) -> None:
    """Blank Belgian enterprise and VAT numbers: correct modulo 97 near a word such as "btw", or right after one."""
    for match in _ENTERPRISE.finditer(reading.text):
        digits = match.group().translate(SEPARATORS)
        before = reading.text[max(0, match.start() - NEAR) : match.start()]
        is_valid = 97 - int(digits[:8]) % 97 == int(digits[8:])
        label = label_of("enterprise").search(before)
        if label and (is_valid or _leads_to_the_end(before[label.end() :], reading.text, match.start())):
            reading.blank(*match.span())


def _leads_to_the_end(between: str, text: str, start: int) -> bool:
    return _FILLER.fullmatch(between) is not None and not labels_before(text, start).phone
