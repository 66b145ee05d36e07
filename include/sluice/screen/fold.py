"""Fold a note to one plain spelling for matching, with a way back to its own characters.

Folded text is lower case, without accents, zero-width characters and soft hyphens; fullwidth digits
and all kinds of space and dash become the ordinary ones. Folding a column and folding one note give
the same text, so the vectorised pass sees everything that the exact stage can find.
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
"""Replacements that compatibility decomposition (NFKD) does not make."""


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded note. ``origins``: the index in the note of each folded character, then the note's length."""

    text: str = field(repr=False)
    origins: tuple[int, ...] | None
    """None when the note is ASCII, because then every index is its own origin."""

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """The span in the note for a span of the folded text, including combining marks after the last character."""
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
    """Fold a column of notes that are not ASCII, to the same text as :func:`fold` gives."""
    bare = notes.str.normalize("NFKD").str.replace_all(r"[\p{M}\p{Cf}]", "").str.to_lowercase()
    return bare.str.replace_many(list(PLAIN), list(PLAIN.values()))


@cache
def _plain(character: str) -> str:
    whole = unicodedata.normalize("NFKD", character)
    kept = "".join(one for one in whole if unicodedata.category(one) not in {"Mn", "Mc", "Me", "Cf"})
    return "".join(PLAIN.get(one, one) for one in kept.lower())
