"""Turn text into typed values where they survive exactly; otherwise the column stays text.

A column is typed as a whole or not at all. These values survive exactly: integers and numbers of at
most 15 digits without leading zero or plus sign, which a double and every JSON reader keep; ``true``
and ``false``; dates and timestamps that the agreed format writes back letter by letter. Zeros at the
end of a decimal fraction count as spelling, not as value.
"""

from collections.abc import Mapping

import polars as pl

from sluice.lake.write.model import WriteForm

_INTEGER = r"^(?:0|-?[1-9][0-9]{0,14})\z"
_NUMBER = r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?\z"
_MINUS_ZERO = r"^-0(?:\.0+)?\z"
_MOST_DIGITS = 15
_MOMENTS = ("date", "timestamp")


def typed(
    frame: pl.DataFrame, types: Mapping[str, str], form: WriteForm, *, with_moments: bool
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The frame with its typed columns, and the names of those that had to stay text.

    types: column -> ODCS logicalType; with_moments: dates and timestamps become values as well."""
    wanted = [name for name in frame.columns if _has_type(types.get(name), with_moments=with_moments)]
    found = {name: _typed_column(frame[name], types[name], form) for name in wanted}
    columns = [series for series in found.values() if series is not None]
    return frame.with_columns(columns), tuple(name for name in wanted if found[name] is None)


def moments(texts: pl.Series, strptime_format: str, logical_type: str) -> pl.Series:
    """Date or Datetime of each cell that its format writes back unchanged; null for the others.

    A day of a format with a time of day is a date at midnight only: at any other time a date would lose it."""
    form = _for_polars(strptime_format)
    empty = pl.Series(texts.name, [None], dtype=pl.Date if logical_type == "date" else pl.Datetime("us"))
    try:
        values = texts.str.to_datetime(form, time_unit="us", strict=False, exact=True)
        same = values.dt.strftime(form) == texts
    except pl.exceptions.PolarsError:
        return empty.new_from_index(0, len(texts))
    if logical_type == "date":
        same &= values == values.dt.truncate("1d")
    kept = values.set(~same.fill_null(False), None)
    return kept.dt.date() if logical_type == "date" else kept


def has_zone(strptime_format: str) -> bool:
    """Whether texts of this format are moments in UTC rather than local times."""
    return strptime_format.endswith("Z") or "%z" in strptime_format


def _has_type(logical_type: str | None, *, with_moments: bool) -> bool:
    return logical_type in ("integer", "number", "boolean") or (with_moments and logical_type in _MOMENTS)


def _typed_column(texts: pl.Series, logical_type: str, form: WriteForm) -> pl.Series | None:
    if logical_type == "integer":
        return texts.cast(pl.Int64) if texts.str.contains(_INTEGER).all() else None
    if logical_type == "boolean":
        return texts == "true" if texts.is_in(["true", "false"]).all() else None
    if logical_type == "number":
        return _numbers(texts, decimal_comma=form.decimal_comma)
    return _all_moments(texts, logical_type, form)


def _numbers(texts: pl.Series, *, decimal_comma: bool) -> pl.Series | None:
    if decimal_comma:
        if texts.str.contains(".", literal=True).any():
            return None
        texts = texts.str.replace(",", ".", literal=True)
    plain = texts.str.contains(_NUMBER) & ~texts.str.contains(_MINUS_ZERO)
    short = texts.str.count_matches("[0-9]") <= _MOST_DIGITS
    return texts.cast(pl.Float64) if (plain & short).all() else None


def _all_moments(texts: pl.Series, logical_type: str, form: WriteForm) -> pl.Series | None:
    for candidate in form.formats_of(texts.name, logical_type):
        values = moments(texts, candidate, logical_type)
        if values.null_count() != texts.null_count():
            continue
        if logical_type == "timestamp" and has_zone(candidate) and values.dtype == pl.Datetime("us"):
            return values.dt.replace_time_zone("UTC")
        return values
    return None


def _for_polars(strptime_format: str) -> str:
    """The format for polars, in which ``%f`` is nanoseconds; in Python it is microseconds."""
    return strptime_format.replace(".%f", "%.6f").replace("%f", "%6f")
