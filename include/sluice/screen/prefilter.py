"""Vectorised passes over all notes that find which ones the exact stage must read, and for what.

They may select too many notes, but never too few: everything that the exact stage can find has one of
these marks. They read folded text; ASCII notes, which are the majority, need no folding.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cache

import polars as pl

from sluice.screen.fold import fold_column
from sluice.screen.tables import LITERAL, terms

DIGIT_RUN = r"[0-9](?:[ \t./()\-]{0,3}[0-9]){7,}"
"""Eight digits or more: the shortest phone number, also contained in every card and national number."""
IBAN_SHAPE = r"(?i)(?:^|[^a-z0-9])[a-z]{2}[ .\-]{0,2}[0-9]{2}(?:[ .\-]{0,2}[a-z0-9]){11}"
MAIL_SIGN = r"(?i)@|[(\[{<]\s?at\s?[)\]}>]| at [a-z0-9.\-]+(?:\.| dot | punt | point )[a-z0-9\-]|apenstaart|arobas"

_MONTH = r"(?:[024][0-9]|[135][0-2])"
"""01 to 12, plus 20 or 40 for a bis number; 00 when the month is unknown."""
NATIONAL_SHAPE = (
    rf"(?:^|[^0-9])[0-9]{{2}}[ .\-/]?{_MONTH}[ .\-/]?[0-9]{{2}}"
    r"[ .\-/]{0,3}[0-9]{3}[ .\-/]{0,3}[0-9]{2}(?:$|[^0-9])"
)
_MORE = r"(?:[ .\-]{0,2}[0-9])"
CARD_SHAPE = rf"(?:^|[^0-9])(?:[2-6]{_MORE}{{12,16}}|[2-6]{_MORE}{{18}}|(?:50|6[0-9]){_MORE}{{16}})(?:$|[^0-9])"
"""Issuers with 18-digit numbers have prefixes other than 54, with which a meter's EAN begins."""


class Shape(IntEnum):
    """Kinds of number that a note may hold by its shape; powers of two, so that they can be added up."""

    IBAN = 1
    NATIONAL = 2
    CARD = 4
    PHONE = 8


@dataclass(frozen=True, slots=True)
class Candidates:
    """The folded notes, and masks over them, false for null."""

    plain: pl.Series = field(repr=False)
    numbers: pl.Series
    mails: pl.Series
    words: pl.Series


def find_candidates(notes: pl.Series) -> Candidates:
    """Find the notes that may hold a number, an e-mail address, or a listed term."""
    plain = _folded_where_needed(notes)
    literals, short = word_marks()
    note = pl.col("note")
    found = (
        plain.alias("note")
        .to_frame()
        .select(
            numbers=note.str.contains(DIGIT_RUN) | note.str.contains(IBAN_SHAPE),
            mails=note.str.contains(MAIL_SIGN),
            words=note.str.contains_any(list(literals), ascii_case_insensitive=True) | note.str.contains(short),
        )
    )
    return Candidates(plain, *(found[name].fill_null(False) for name in ("numbers", "mails", "words")))


def find_shapes(plain: pl.Series, phone: str) -> pl.Series:
    """The shapes of identifiers, as a sum of Shape, in each folded note with a long run of digits.

    phone: regular expression for the shape of a phone number. Most order numbers, meter readings and dates are ruled
    out here.
    """
    note = pl.col("note")
    shapes = {Shape.IBAN: IBAN_SHAPE, Shape.NATIONAL: NATIONAL_SHAPE, Shape.CARD: CARD_SHAPE, Shape.PHONE: phone}
    sums = (note.str.contains(pattern).cast(pl.UInt8) * int(shape) for shape, pattern in shapes.items())
    return plain.alias("note").to_frame().select(pl.sum_horizontal(sums).cast(pl.UInt8)).to_series()


@cache
def word_marks() -> tuple[tuple[str, ...], str]:
    """Literals to find anywhere, and one regular expression for the short ones, which must begin a word."""
    short = {text for term in terms() for text in term.literals if len(text) < LITERAL and not term.is_inner(text)}
    long = {text for term in terms() for text in term.literals} - short
    least = min(map(len, long))
    kept = sorted(one for one in long if long.isdisjoint(_parts(one, least)))
    return tuple(kept), rf"(?i)(?:^|[^a-z0-9])(?:{'|'.join(map(_escaped, sorted(short)))})"


def _parts(text: str, least: int) -> Iterator[str]:
    """All shorter substrings of a text, of at least ``least`` characters."""
    for size in range(least, len(text)):
        yield from (text[start : start + size] for start in range(len(text) - size + 1))


def _escaped(text: str) -> str:
    return "".join(character if character.isalnum() or character == " " else rf"\{character}" for character in text)


def _folded_where_needed(notes: pl.Series) -> pl.Series:
    odd = (notes.str.len_bytes() != notes.str.len_chars()).fill_null(False).arg_true()
    if not len(odd):
        return notes
    return notes.clone().scatter(odd, fold_column(notes.gather(odd)))  # scatter writes in place
