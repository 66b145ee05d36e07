"""Turn text into values as the contract says: numbers, dates, timestamps; anything else becomes NULL.

The rule that people see and the conversion use the same pattern, so a cell has a value exactly if it passes the rule
for its type.
"""

import re
from collections.abc import Callable
from datetime import datetime

import polars as pl

from sluice.gate.column_types import WRITTEN, digits_pattern, parts_of
from sluice.gate.model import ColumnType, ValueType

_CLOCKS = ("", "HM", "HMS")
"""Time directives that polars accepts: it raises on an hour without minutes."""


def with_digits(column: pl.Expr, moment: pl.Expr, strftime_format: str) -> pl.Expr:
    """Keep a parsed moment only where the text has the digits of the format; NULL where its reading is a guess."""
    return pl.when(column.str.contains(_in_rust(digits_pattern(strftime_format)))).then(moment)


def parsed(column: pl.Expr, strftime_format: str) -> pl.Expr:
    """Datetimes of text, NULL where ``datetime.strptime`` would raise.

    polars parses the plainest spelling (ASCII digits, zero-padded). polars and Python disagree on the rest, so Python
    itself parses whatever is left, once per distinct text.
    """
    plain = _plain(strftime_format)

    def moments(texts: pl.Series) -> pl.Series:
        found = _fast(texts, strftime_format, plain)
        odd = texts.filter(found.is_null() & texts.is_not_null()).unique()
        slow = pl.Series([_by_python(text, strftime_format) for text in odd], dtype=pl.Datetime("us"))
        known = slow.is_not_null()
        if not known.any():
            return found
        others = texts.replace_strict(odd.filter(known), slow.filter(known), default=None, return_dtype=slow.dtype)
        return found.fill_null(others)

    return column.map_batches(moments, return_dtype=pl.Datetime("us"))


def on_distinct(column: pl.Expr, test: Callable[[str], bool]) -> pl.Expr:
    """Ask Python about each distinct text once; NULL stays NULL."""

    def answer(values: pl.Series) -> pl.Series:
        distinct = values.drop_nulls().unique()
        passing = pl.Series([value for value in distinct if test(value)], dtype=pl.String)
        return values.is_in(passing.implode())

    return column.map_batches(answer, return_dtype=pl.Boolean)


def number_of(text: pl.Expr, column_type: ColumnType) -> pl.Expr:
    """The numbers that texts are, as Int64 or Float64; of those only that match ``number_pattern(column_type)``."""
    if column_type.value is ValueType.INTEGER:
        return text.cast(pl.Int64, strict=False)
    if column_type.decimal_comma:
        text = text.str.replace(",", ".", literal=True)
    return text.cast(pl.Float64, strict=False)


def _in_rust(pattern: str) -> str:
    return pattern.replace(r"\Z", r"\z")


def _plain(strftime_format: str) -> str | None:
    """The pattern of the plainest spelling; None if the format is more than a date and a time in digits."""
    parts = parts_of(strftime_format)
    directives = [directive for directive, _ in parts if directive]
    literal = "".join(text for _, text in parts)
    once_each = len(set(directives)) == len(directives)
    if not once_each or not {"Y", "m", "d"} <= set(directives):
        return None
    if "".join(sorted({*directives} - {"Y", "m", "d"})) not in _CLOCKS or not re.fullmatch(r"[ T:/.-]*", literal):
        return None
    return r"\A" + "".join(WRITTEN[key] if key else re.escape(text) for key, text in parts) + r"\z"


def _fast(texts: pl.Series, strftime_format: str, plain: str | None) -> pl.Series:
    if plain is None:
        return pl.Series([None], dtype=pl.Datetime("us")).new_from_index(0, len(texts))
    spelled = texts.str.contains(plain)
    plainly = texts.set(~spelled, None).str
    return plainly.to_datetime(strftime_format, time_unit="us", strict=False, cache=False)  # a lookup costs more


def _by_python(text: str, strftime_format: str) -> datetime | None:
    try:
        return datetime.strptime(text, strftime_format).replace(tzinfo=None)
    except ValueError:
        return None
