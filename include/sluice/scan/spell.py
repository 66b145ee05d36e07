"""Every way in which one value is written down: the encodings of the leak test.

A value is searched for as text in all of them; numbers also as the integers and floats a column would hold.
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
"""80 bits of a hash tell it from all others, and keep the automaton small."""
HEX = "hex"
BASE64 = "base64+"
"""With the number of bytes that stand before the value in its group of three."""
BASE64_MIN = 6
HOME_MIN = 8
"""Digits of a number without its country code or the zeros before it; shorter ones stand in others by chance."""
NUMBER_MIN = 10**6
DOUBLE_MIN = 7
"""The exponent from which a double is written with one."""
ID_DIGITS_MIN = 6
"""Digits in a word from which it is an id, and not a name with a house number."""
WIDE = 1 << 32
"""Integers from here have five significant bytes; fewer bytes stand in any file by chance."""
SEPARATORS = re.compile(r"[ ./()\-\u00a0\u2011]")
PHONE = re.compile(r"(?:\+|00)[1-9]\d{6,14}|0[1-9]\d{7,9}")
UNESCAPED = re.compile(r"[A-Za-z0-9._~-]*")
"""RFC 3986, unreserved: what neither an address, nor JSON, nor markup writes in another way."""
COUNTRY_CODE = re.compile(r"1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|\d{3}")
"""ITU E.164: lengths of country codes, so that a number is also found as it is dialled at home."""


class Spelling(NamedTuple):
    """One encoding of one value as bytes."""

    encoding: str
    needle: bytes
    exact: bool = False
    """Capital and small letters differ: base64 and binary numbers."""


def spellings(value: str) -> Iterator[Spelling]:
    """All text encodings of one value; the same bytes may come under two names, the first one counts.

    They are compared without regard to ASCII capitals, unless ``exact``.
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
    """The value, in small and capital letters, as it was given, with decomposed letters or curled apostrophes, without
    separators. Composing and decomposing both change a letter that stands for another one (the Kelvin sign for K).

    Of two forms that read the same the plainer one counts: the last in its dict, and the first that is given.
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
    """Digits of a phone number or an id without separators; a phone also without its prefix.

    An id also without the zeros before it: a workbook keeps those in its formats only.
    """
    bare = SEPARATORS.sub("", value)
    if PHONE.fullmatch(bare):
        yield from _dialled(bare)
    elif bare.isascii() and bare.isdigit():
        yield bare
        if bare.startswith("0") and len(short := bare.lstrip("0")) >= HOME_MIN:
            yield short


def compact_of(value: str) -> Iterator[str]:
    """What to search for where separators are taken out: numbers, and ids of letters and digits such as an IBAN."""
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
    """As Java and .NET write a double of eight digits or more: ``1.234567E7``, ``1.234567E+07``.

    Only where it ends in zeros, which are left out there: any other is found once its point is taken out.
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
    """The characters that depend on the value alone when ``shift`` bytes stand before it in its group."""
    first = (0, 2, 3)[shift]
    last = (shift + len(plain)) * 8 // 6
    return base64.b64encode(bytes(shift) + plain)[first:last]


def _of_hashes(plain: bytes) -> Iterator[Spelling]:
    for name, make in HASHES.items():
        digits = make(plain, usedforsecurity=False).hexdigest()[:HASH_DIGITS]
        yield Spelling(name, digits.encode())


def binary_spellings(number: int) -> Iterator[Spelling]:
    """An id as columns and rows hold it: integers of any width that is safe to search, and a double."""
    if number < NUMBER_MIN:
        return
    size = (number.bit_length() + 7) // 8 if number >= WIDE else 8
    yield Spelling("int-le", number.to_bytes(size, "little"), exact=True)
    yield Spelling("int-be", number.to_bytes(size, "big"), exact=True)
    if number < 1 << 53:
        yield Spelling("float-le", struct.pack("<d", number), exact=True)
        yield Spelling("float-be", struct.pack(">d", number), exact=True)
