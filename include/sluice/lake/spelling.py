"""Format dates, timestamps and times, which are typed values in a file, as the text that the contract wants."""

import re

import polars as pl

_PARTS = {"H": "hour", "M": "minute", "S": "second"}
_FIRST_OF_TWO_DIGITS, _LAST_OF_TWO_DIGITS = 1969, 2068
"""The range of years that strptime reads from two digits."""


def spelled(moments: pl.Expr, form: str, *, has_day: bool) -> pl.Expr:
    """Format moments by a strptime format; null where that would leave out a part of the value.

    ``has_day``: false for times of day."""
    said = set(re.findall(r"%(.)", form))
    if (said & set("Yymd") and not (has_day and {"m", "d"} <= said)) or (has_day and not said & set("Yy")):
        return pl.lit(None, dtype=pl.String)
    nanosecond = moments.dt.nanosecond()
    lost = [getattr(moments.dt, part)() != 0 for letter, part in _PARTS.items() if letter not in said]
    lost.append((nanosecond % 1000 if "f" in said else nanosecond) != 0)
    if has_day and "Y" not in said:
        lost.append(~moments.dt.year().is_between(_FIRST_OF_TWO_DIGITS, _LAST_OF_TWO_DIGITS))
    return pl.when(~pl.any_horizontal(lost)).then(moments.dt.strftime(form.replace("%f", "%6f")))
