"""One plain spelling of a note to match on, with the way back to its own characters.

Lower case, without accents, zero-width and soft-hyphen characters; fullwidth digits, every kind of
space and dash become the ordinary one. The column form and the single form fold alike, so what the
exact stage can find, the vectorised pass has seen.
"""

import unicodedata
from dataclasses import dataclass, field
from functools import cache

import polars as pl

_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63"
_QUOTES = "\u2018\u2019\u201b\u02bc"
_DIGITS = (
    "\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668\u0669",
    "\u06f0\u06f1\u06f2\u06f3\u06f4\u06f5\u06f6\u06f7\u06f8\u06f9",
)
PLAIN: dict[str, str] = {
    **dict.fromkeys(_DASHES, "-"),
    **dict.fromkeys(_QUOTES, "'"),
    **{digit: str(value) for digits in _DIGITS for value, digit in enumerate(digits)},
    "\u0153": "oe",
    "\u00e6": "ae",
    "\u00f8": "o",
    "\u00df": "ss",
}
"""What compatibility decomposition leaves apart."""


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded note. ``origins``: per folded character its index in the note, then the note's length."""

    text: str = field(repr=False)
    origins: tuple[int, ...] | None
    """None when the note was ASCII: every index is its own origin."""

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Span of the note for a span of the folded text; marks that follow a character go with it."""
        if self.origins is None:
            return start, end
        return self.origins[start], max(self.origins[end], self.origins[end - 1] + 1)


def fold(note: str) -> Folded:
    """Fold one note."""
    if note.isascii():
        return Folded(note.lower(), None)
    pieces = [_plain(character) for character in note]
    origins = [index for index, piece in enumerate(pieces) for _ in piece]
    return Folded("".join(pieces), (*origins, len(note)))


def fold_column(notes: pl.Series) -> pl.Series:
    """Fold a column of notes that are not ASCII; the same text as ``fold`` for every note."""
    bare = notes.str.normalize("NFKD").str.replace_all(r"[\p{M}\p{Cf}]", "").str.to_lowercase()
    return bare.str.replace_many(list(PLAIN), list(PLAIN.values()))


@cache
def _plain(character: str) -> str:
    whole = unicodedata.normalize("NFKD", character)
    kept = "".join(one for one in whole if unicodedata.category(one) not in {"Mn", "Mc", "Me", "Cf"})
    return "".join(PLAIN.get(one, one) for one in kept.lower())
