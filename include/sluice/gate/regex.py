"""Translate Python's regular expressions into Rust's, exactly or not at all.

Great Expectations searches with Python's ``re``; polars searches with Rust's ``regex``, which is a hundred times
faster but reads ``\\d``, ``\\w``, ``\\s``, ``$`` and ``\\b`` differently. So Python parses the pattern, and only nodes
on a white list are written for Rust, with Python's own character ranges. For any other pattern ``re.search`` is
called, once per distinct text.
"""

import re
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import import_module
from typing import Any, Final

import numpy as np
import polars as pl

from sluice.gate.typed import on_distinct

sre: Any = import_module("re._constants")
sre_parser: Any = import_module("re._parser")
"""The parser behind ``re``, imported by name because it has no type stubs. Nodes that are not on the white list below
lead to the fallback, so a change in the parser costs speed, not correctness."""

Ranges = tuple[tuple[int, int], ...]
_LAST: Final = sys.maxunicode
_SURROGATES: Final = (0xD800, 0xDFFF)
_MOST_REPEATS: Final = 1_000
_CATEGORIES: dict[Any, str] = {sre.CATEGORY_DIGIT: r"\d+", sre.CATEGORY_SPACE: r"\s+", sre.CATEGORY_WORD: r"\w+"}
_NEGATED = {
    sre.CATEGORY_NOT_DIGIT: sre.CATEGORY_DIGIT,
    sre.CATEGORY_NOT_SPACE: sre.CATEGORY_SPACE,
    sre.CATEGORY_NOT_WORD: sre.CATEGORY_WORD,
}


class _Unlisted(Exception):
    """The pattern has a node that Rust might understand differently."""


def search(column: pl.Expr, pattern: str) -> pl.Expr:
    """Whether ``re.search(pattern, text)`` finds something in each text; NULL for NULL."""
    rust = translate(pattern)
    if rust is not None:
        return column.str.contains(rust)
    compiled = re.compile(pattern)
    return on_distinct(column, lambda text: compiled.search(text) is not None)


@cache
def translate(pattern: str) -> str | None:
    """A Rust pattern that matches the same texts; None if that cannot be guaranteed."""
    parsed = sre_parser.parse(pattern)
    if parsed.state.flags & ~sre.SRE_FLAG_UNICODE:
        return None
    try:
        rust = _sequence(list(parsed), at_end=True)
    except _Unlisted:
        return None
    return rust if _compiles(rust) else None


def _compiles(rust: str) -> bool:
    """Whether Rust accepts a pattern; it refuses those whose automaton grows too big, and Python does the work then."""
    try:
        pl.Series([""]).str.contains(rust)
    except pl.exceptions.ComputeError:
        return False
    return True


def _sequence(nodes: Sequence[tuple[Any, Any]], *, at_end: bool) -> str:
    last = len(nodes) - 1
    return "".join(_node(op, value, at_end=at_end and place == last) for place, (op, value) in enumerate(nodes))


def _node(op: Any, value: Any, *, at_end: bool) -> str:
    if op in (sre.LITERAL, sre.NOT_LITERAL, sre.IN):
        return _class(_ranges(op, value))
    if op is sre.ANY:
        return r"[^\n]"
    if op is sre.AT:
        return _position(value, at_end=at_end)
    if op is sre.BRANCH:
        return "(?:" + "|".join(_sequence(list(branch), at_end=at_end) for branch in value[1]) + ")"
    if op is sre.SUBPATTERN:
        _group, added, removed, inner = value
        if added or removed:
            raise _Unlisted
        return "(?:" + _sequence(list(inner), at_end=at_end) + ")"
    if op in (sre.MAX_REPEAT, sre.MIN_REPEAT):
        return _repeat(*value)
    raise _Unlisted


def _repeat(least: int, most: Any, inner: Iterable[tuple[Any, Any]]) -> str:
    """A repetition. Whether it is greedy or lazy makes no difference to whether something is found."""
    bounded = most is not sre.MAXREPEAT
    if least > _MOST_REPEATS or (bounded and most > _MOST_REPEATS):
        raise _Unlisted
    body = _sequence(list(inner), at_end=False)
    return f"(?:{body}){{{least},{int(most) if bounded else ''}}}"


def _position(where: Any, *, at_end: bool) -> str:
    if where in (sre.AT_BEGINNING, sre.AT_BEGINNING_STRING):
        return r"\A"
    if where is sre.AT_END_STRING:
        return r"\z"
    if where is sre.AT_END and at_end:  # Python's $ also matches before a last line feed
        return r"\n?\z"
    raise _Unlisted


def _ranges(op: Any, value: Any) -> Ranges:
    if op is sre.LITERAL:
        return ((value, value),)
    if op is sre.NOT_LITERAL:
        return _complement(((value, value),))
    negated = bool(value) and value[0][0] is sre.NEGATE
    found = [part for inner, what in value[negated:] for part in _member(inner, what)]
    return _complement(tuple(found)) if negated else tuple(found)


def _member(op: Any, value: Any) -> Ranges:
    if op is sre.LITERAL:
        return ((value, value),)
    if op is sre.RANGE:
        return (value,)
    if op is sre.CATEGORY and value in _CATEGORIES:
        return _category(value)
    if op is sre.CATEGORY and value in _NEGATED:
        return _complement(_category(_NEGATED[value]))
    raise _Unlisted


@cache
def _category(name: Any) -> Ranges:
    """Python's own idea of a digit, a space or a word character, as ranges of code points."""
    every = np.arange(_LAST + 1, dtype="<u4").tobytes().decode("utf-32-le", "surrogatepass")
    return tuple((found.start(), found.end() - 1) for found in re.finditer(_CATEGORIES[name], every))


def known_categories() -> None:
    """Compute the ranges of all categories now, so that processes forked later inherit them."""
    for name in _CATEGORIES:
        _category(name)


def _complement(ranges: Ranges) -> Ranges:
    gaps: list[tuple[int, int]] = []
    start = 0
    for low, high in sorted(ranges):
        if low > start:
            gaps.append((start, low - 1))
        start = max(start, high + 1)
    return (*gaps, (start, _LAST)) if start <= _LAST else tuple(gaps)


def _class(ranges: Ranges) -> str:
    """A character class of code point ranges, without surrogates, which occur in no text."""
    parts = [part for low, high in ranges for part in _without_surrogates(low, high)]
    if not parts:
        raise _Unlisted
    return "[" + "".join(rf"\x{{{low:X}}}-\x{{{high:X}}}" for low, high in parts) + "]"


def _without_surrogates(low: int, high: int) -> Ranges:
    first, last = _SURROGATES
    below = ((low, min(high, first - 1)),) if low < first else ()
    above = ((max(low, last + 1), high),) if high > last else ()
    return (*below, *above)
