"""All spellings of one value to search for: the encodings of the leak test.

A value is searched for as text in all of them; a number also as the integers and floats that a column would hold.
"""

import base64
import hashlib
import html
import json
import re
import struct
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import quote, quote_plus

HASHES = {"sha256": hashlib.sha256, "sha1": hashlib.sha1, "md5": hashlib.md5}
HASH_DIGITS = 20
"""Hexadecimal digits of a hash to search for: 80 bits are unique enough, and keep the automaton small."""
HEX = "hex"
BASE64 = "base64+"
"""Prefix of the encoding's name; the number of bytes before the value in its group of three follows."""
BASE64_MIN = 6
HOME_MIN = 8
"""Fewest digits of a number without country code or leading zeros; shorter ones are in other numbers by chance."""
NUMBER_MIN = 10**6
DOUBLE_MIN = 7
"""The exponent from which Java and .NET write a double with an exponent."""
ID_DIGITS_MIN = 6
"""A word with at least this many digits is an id, not a name with a house number."""
WIDE = 1 << 32
"""Integers from here on have five significant bytes; fewer bytes are in any file by chance."""
SEPARATORS = re.compile(r"[ ./()\-\u00a0\u2011]")
PHONE = re.compile(r"(?:\+|00)[1-9]\d{6,14}|0[1-9]\d{7,9}")
UNESCAPED = re.compile(r"[A-Za-z0-9._~-]*")
"""Unreserved characters (RFC 3986), which neither a URL, nor JSON, nor markup escapes."""
COUNTRY_CODE = re.compile(r"1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|\d{3}")
"""Country codes (ITU E.164), removed so that a number is also found as it is dialled at home."""


class Spelling(NamedTuple):
    """One encoding of one value as bytes."""

    encoding: str
    needle: bytes
    exact: bool = False
    """Whether case matters, as in base64 and binary numbers."""


def spellings(value: str) -> Iterator[Spelling]:
    """All text encodings of one value. The same bytes may come under two names; the first name counts.

    They are compared without regard to ASCII case, unless ``exact``.
    """
    written: set[str] = set()
    for form, text in forms(value):
        plain, alike = text.encode(), text.lower() if text.isascii() else text
        if alike not in written:
            written.add(alike)
            yield Spelling(form, plain)
            yield from _of_code_pages(form, text)
            yield from _of_escapes(text)
        yield from _of_bytes(plain)
        yield from _of_hashes(plain)
    for number in numbers_of(value):
        yield from _of_doubles(number)


def forms(value: str) -> Iterator[tuple[str, str]]:
    """The forms of a value with their names: composed, as given, decomposed, with curled apostrophes, each in the given
    case and in lower and upper case; and without separators.

    The value as given is needed because composing and decomposing both replace some characters (the Kelvin sign by K).
    Of two equal forms the plainer one counts, which is the last in its dict and the first one yielded.
    """
    composed, decomposed = unicodedata.normalize("NFC", value), unicodedata.normalize("NFD", value)
    curled = composed.replace("'", "\u2019")
    texts = {curled: "curled ", decomposed: "decomposed ", value: "as given ", composed: ""}  # mostly one
    for text, form in reversed(texts.items()):
        cases = {text.upper(): "upper", text.lower(): "lower", text: "plain"}
        yield from ((f"{form}{case}", written) for written, case in reversed(cases.items()))
    for bare in compact_of(value):
        yield ("digits" if bare.isdigit() else "compact"), bare


def numbers_of(value: str) -> Iterator[str]:
    """The digits of a phone number or id without separators; of a phone number also without its prefix.

    An id is also given without leading zeros, which a workbook only keeps in its number formats.
    """
    bare = SEPARATORS.sub("", value)
    if PHONE.fullmatch(bare):
        yield from _dialled(bare)
    elif bare.isascii() and bare.isdigit():
        yield bare
        if bare.startswith("0") and len(short := bare.lstrip("0")) >= HOME_MIN:
            yield short


def compact_of(value: str) -> Iterator[str]:
    """What to search for in text without separators: numbers, and ids of letters and digits such as an IBAN."""
    yield from numbers_of(value)
    bare = SEPARATORS.sub("", value)
    if bare.isascii() and bare.isalnum() and not bare.isdigit() and sum(map(str.isdigit, bare)) >= ID_DIGITS_MIN:
        yield bare


def _dialled(bare: str) -> Iterator[str]:
    if bare.startswith(("+", "00")):
        digits = bare.removeprefix("+").removeprefix("00")
        code = COUNTRY_CODE.match(digits)
        yield digits
        yield f"00{digits}"
        if code and len(digits) - code.end() >= HOME_MIN:
            yield digits[code.end() :]
            yield f"0{digits[code.end() :]}"
    else:
        yield bare
        yield bare[1:]


def _of_code_pages(form: str, text: str) -> Iterator[Spelling]:
    yield Spelling(f"{form} utf-16-le", text.encode("utf-16-le"))
    yield Spelling(f"{form} utf-16-be", text.encode("utf-16-be"))
    for page in ("cp1252", "cp850"):
        if not text.isascii() and (needle := _encoded(text, page)):
            yield Spelling(page, needle)


def _encoded(text: str, page: str) -> bytes | None:
    try:
        return text.encode(page)
    except UnicodeEncodeError:
        return None


def _of_escapes(text: str) -> Iterator[Spelling]:
    if UNESCAPED.fullmatch(text):
        return
    for percent in (quote(text, safe=""), quote(text, safe="@+"), quote_plus(text)):
        yield Spelling("percent", percent.encode())
    for escaped in (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]):
        yield Spelling("json", escaped.encode())
        yield Spelling("json", escaped.replace("/", "\\/").encode())
    for markup in (html.escape(text), html.escape(text, quote=False)):
        yield Spelling("markup", markup.encode())
        yield Spelling("markup", markup.encode("ascii", "xmlcharrefreplace"))
        yield Spelling("markup", "".join(c if c.isascii() else f"&#x{ord(c):X};" for c in markup).encode())
    yield Spelling("doubled quotes", text.replace('"', '""').encode())
    yield Spelling("doubled quotes", text.replace("'", "''").encode())


def _of_doubles(number: str) -> Iterator[Spelling]:
    """A number as Java and .NET write a double of eight digits or more: ``1.234567E7``, ``1.234567E+07``.

    This is only for numbers that end in zeros, which are left out there; any other is found when the point is removed.
    """
    digits = number.rstrip("0")
    exponent = len(number) - 1
    if digits != number and len(digits) >= ID_DIGITS_MIN and exponent >= DOUBLE_MIN and number[0] != "0":
        for mark in (f"e{exponent}", f"e+{exponent:02}"):
            yield Spelling("double", f"{digits[0]}.{digits[1:]}{mark}".encode())


def _of_bytes(plain: bytes) -> Iterator[Spelling]:
    yield Spelling(HEX, plain.hex().encode())
    for shift in range(3):
        inner = _base64_core(plain, shift)
        if len(inner) >= BASE64_MIN:
            yield Spelling(f"{BASE64}{shift}", inner, exact=True)
            yield Spelling(f"{BASE64}{shift}", inner.translate(bytes.maketrans(b"+/", b"-_")), exact=True)


def _base64_core(plain: bytes, shift: int) -> bytes:
    """The base64 characters that depend on the value alone, when ``shift`` bytes precede it in its group."""
    first = (0, 2, 3)[shift]
    last = (shift + len(plain)) * 8 // 6
    return base64.b64encode(bytes(shift) + plain)[first:last]


def _of_hashes(plain: bytes) -> Iterator[Spelling]:
    for name, make in HASHES.items():
        digits = make(plain, usedforsecurity=False).hexdigest()[:HASH_DIGITS]
        yield Spelling(name, digits.encode())


def binary_spellings(number: int) -> Iterator[Spelling]:
    """A number as a column holds it: integers of every width that is safe to search for, and a double."""
    if number < NUMBER_MIN:
        return
    size = (number.bit_length() + 7) // 8 if number >= WIDE else 8
    yield Spelling("int-le", number.to_bytes(size, "little"), exact=True)
    yield Spelling("int-be", number.to_bytes(size, "big"), exact=True)
    if number < 1 << 53:
        yield Spelling("float-le", struct.pack("<d", number), exact=True)
        yield Spelling("float-be", struct.pack(">d", number), exact=True)
