"""The letters for the glyph names of PDF fonts.

Source: ISO 32000-1, Annex D.2 (Latin character set); Adobe Glyph List Specification, 2 (names of other characters).
"""

import re
import unicodedata
from functools import cache, lru_cache

ASCII = (
    "space exclam quotedbl numbersign dollar percent ampersand quotesingle parenleft parenright asterisk plus comma"
    " hyphen period slash zero one two three four five six seven eight nine colon semicolon less equal greater question"
    " at A B C D E F G H I J K L M N O P Q R S T U V W X Y Z bracketleft backslash bracketright asciicircum underscore"
    " grave a b c d e f g h i j k l m n o p q r s t u v w x y z braceleft bar braceright asciitilde"
)
"""Glyph names of the characters 32 to 126, in order."""
OTHERS = (
    "AE 00C6 ae 00E6 OE 0152 oe 0153 Oslash 00D8 oslash 00F8 Lslash 0141 lslash 0142 Eth 00D0 eth 00F0"
    " Thorn 00DE thorn 00FE germandbls 00DF dotlessi 0131 fi 00660069 fl 0066006C ff 00660066 ffi 006600660069"
    " ffl 00660066006C endash 2013 emdash 2014 quoteleft 2018 quoteright 2019 quotesinglbase 201A"
    " quotedblleft 201C quotedblright 201D quotedblbase 201E guilsinglleft 2039 guilsinglright 203A"
    " guillemotleft 00AB guillemotright 00BB ellipsis 2026 bullet 2022 periodcentered 00B7 dagger 2020"
    " daggerdbl 2021 section 00A7 paragraph 00B6 copyright 00A9 registered 00AE trademark 2122 Euro 20AC"
    " sterling 00A3 yen 00A5 cent 00A2 currency 00A4 florin 0192 degree 00B0 plusminus 00B1 multiply 00D7"
    " divide 00F7 minus 2212 onehalf 00BD onequarter 00BC threequarters 00BE onesuperior 00B9 twosuperior 00B2"
    " threesuperior 00B3 perthousand 2030 fraction 2044 ordfeminine 00AA ordmasculine 00BA exclamdown 00A1"
    " questiondown 00BF brokenbar 00A6 logicalnot 00AC mu 00B5 acute 00B4 dieresis 00A8 cedilla 00B8"
    " circumflex 02C6 tilde 02DC macron 00AF breve 02D8 caron 02C7 ring 02DA ogonek 02DB dotaccent 02D9"
    " hungarumlaut 02DD nbspace 0020 nonbreakingspace 0020 sfthyphen 002D softhyphen 002D"
)
"""Glyph names, each followed by its code points."""
ACCENTS = {
    "\u0300": "grave",
    "\u0301": "acute",
    "\u0302": "circumflex",
    "\u0303": "tilde",
    "\u0304": "macron",
    "\u0306": "breve",
    "\u0307": "dotaccent",
    "\u0308": "dieresis",
    "\u030a": "ring",
    "\u030b": "hungarumlaut",
    "\u030c": "caron",
    "\u0327": "cedilla",
    "\u0328": "ogonek",
}
ACCENTED = range(0xC0, 0x180)
"""Latin letters with an accent."""
BY_NUMBER = re.compile(r"uni((?:[0-9A-F]{4})+)|u([0-9A-F]{4,5})")


@lru_cache(maxsize=10_000)
def letters_named(name: str) -> str | None:
    """The text that a glyph shows, by its name. Knows variants (``a.sc``) and ligatures (``f_i``); None if unknown."""
    parts = [_letter(part) for part in name.split(".")[0].split("_")]
    return None if None in parts else "".join(filter(None, parts))


def _letter(name: str) -> str | None:
    numbered = BY_NUMBER.fullmatch(name)
    if numbered is None:
        return _listed().get(name)
    return _of_hex(numbered[1]) if numbered[1] else chr(int(numbered[2], 16))


def _of_hex(points: str) -> str:
    return bytes.fromhex(points).decode("utf-16-be", errors="replace")


@cache
def _listed() -> dict[str, str]:
    others = OTHERS.split()
    listed = {name: _of_hex(points) for name, points in zip(others[::2], others[1::2], strict=True)}
    listed |= {name: chr(code) for code, name in enumerate(ASCII.split(), ord(" "))}
    for letter in map(chr, ACCENTED):
        parts = unicodedata.normalize("NFD", letter)
        if len(parts) == 2 and parts[1] in ACCENTS:
            listed[parts[0] + ACCENTS[parts[1]]] = letter
    return {"": "", **listed}
