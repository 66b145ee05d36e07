r"""Neutralise formulas in CSV files, whatever spreadsheet opens them (OWASP CSV injection).

A *start* is the beginning of a cell and, because another program may split the file differently, the
place after a comma, semicolon, pipe, tab or line break inside a cell. A start is live when its first
visible character is one of ``= + - @`` (or a wide or small form of these); a cell that begins with
TAB, CR or LF counts too. A live start gets one apostrophe.

This is reversible. Any number of apostrophes before something live gets one more, so ``=1`` becomes
``'=1`` and ``'=1`` becomes ``''=1``. Removing one at every such start restores the text
(:func:`restored`). Cells that are only a number (``-12,5``) or a phone number
(``+32 475 12 34 56``) are left alone: there is nothing in them to run.
"""

import re
from dataclasses import dataclass

import polars as pl

_SIGNS = "=+\\-@\u2212\ufe62\ufe63\ufe66\ufe6b\uff0b\uff0d\uff1d\uff20"
_UNSEEN = (
    "\x00-\x08\x0b-\x0c\x0e-\x20\x7f-\xa0\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890-\u0891\u08e2"
    "\u115f-\u1160\u1680\u17b4-\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f\U000e0100-\U000e01ef"
)
"""Spaces, control and format characters, which an import may strip or not show."""
_CUTS = ",;|\t\r\n"

_FIRST = f"'*[{_UNSEEN}]*[{_SIGNS}\t\r\n]"
_INNER = f"'*[{_UNSEEN}\"]*[{_SIGNS}]"
_NUMBER = r"[+-]?[0-9]+(?:[.,][0-9]+)?"
_PLAIN = rf"^(?:{_NUMBER}|\+[0-9][0-9 ]{{5,20}})\z"

_PLAIN_CELL = re.compile(_PLAIN.replace(r"\z", r"\Z"))
_SUSPECT_FIRST = f"^{_FIRST}"
_SUSPECT_ANY = f"^{_FIRST}|[{_CUTS}]{_INNER}"

_ADD_FIRST = re.compile(rf"\A(?={_FIRST})")
_ADD_ANY = re.compile(rf"\A(?={_FIRST})|(?<=[{_CUTS}])(?={_INNER})")
_TAKE_FIRST = re.compile(rf"\A'(?={_FIRST})")
_TAKE_ANY = re.compile(rf"\A'(?={_FIRST})|(?<=[{_CUTS}])'(?={_INNER})")


@dataclass(frozen=True, slots=True, eq=False)
class Neutral:
    """A frame without live starts.

    ``counts``: column -> changed cells, if any; ``nul``: column -> cells with a NUL, which may be 0."""

    frame: pl.DataFrame
    counts: dict[str, int]
    nul: dict[str, int]


def neutralised_text(text: str, *, inside: bool = True) -> str:
    """``text`` with one more apostrophe at every live start. ``inside``: also at starts inside the cell."""
    if _PLAIN_CELL.search(text):
        return text
    return (_ADD_ANY if inside else _ADD_FIRST).sub("'", text)


def restored(text: str, *, inside: bool = True) -> str:
    """Undo :func:`neutralised_text`; ``inside`` must be the same as then."""
    return (_TAKE_ANY if inside else _TAKE_FIRST).sub("", text)


def is_live(column: pl.Expr, *, inside: bool) -> pl.Expr:
    """Whether :func:`neutralised_text` may change a cell; it leaves all others alone."""
    pattern = _SUSPECT_ANY if inside else _SUSPECT_FIRST
    return column.str.contains(pattern) & ~column.str.contains(_PLAIN)


def neutralise(frame: pl.DataFrame, *, inside: bool) -> Neutral:
    """Apply :func:`neutralised_text` to every cell: one vectorised scan, then only the cells that it found."""
    pattern = f"{_SUSPECT_ANY if inside else _SUSPECT_FIRST}|\\x00"
    found = frame.select(pl.all().str.contains(pattern).any())
    suspects = frame.select(name for name in frame.columns if found[name][0])
    changed = [_changed(texts, inside=inside) for texts in suspects]
    differs = {new.name: int(new.ne_missing(frame[new.name]).sum()) for new in changed}
    nul = {texts.name: int(texts.str.contains("\0", literal=True).sum()) for texts in suspects}
    return Neutral(
        frame.with_columns(changed),
        {name: count for name, count in differs.items() if count},
        nul,
    )


def _changed(texts: pl.Series, *, inside: bool) -> pl.Series:
    live = texts.to_frame().select(is_live(pl.first(), inside=inside).fill_null(False)).to_series()
    rows = live.arg_true()
    new = [neutralised_text(text, inside=inside) for text in texts.gather(rows)]
    return texts.clone().scatter(rows, new) if new else texts
