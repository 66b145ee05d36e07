"""Parse columns of text into moments and durations, whole columns at a time; null for what cannot be parsed."""

from collections.abc import Iterator, Sequence

import polars as pl

from sluice.results.model import OFFSET, TimeReading, Unit

_YEARS = (1990, 2099)
"""A year outside this range was misread: strptime takes ``26`` for the year 26. The zones of polars end with 2099."""

_DIGITS = {Unit.SECONDS: r"^[0-9]{1,8}$", Unit.MILLISECONDS: r"^[0-9]{1,11}$"}
_CLOCKS = {
    Unit.HOURS: r"^([0-9]{1,4}):([0-5][0-9]):([0-5][0-9])$",
    Unit.MINUTES: r"^([0-9]{1,5}):([0-5][0-9])$",
}


def null_of(column: pl.Expr, words: Sequence[str]) -> pl.Expr:
    """The column unchanged, but null where it is blank or, apart from surrounding spaces, one of the words."""
    bare = column.str.strip_chars()
    return pl.when(~bare.is_in(["", *words])).then(column)


def is_unread(text: pl.Series, value: pl.Series) -> pl.Series:
    """A mask, true where there is text but no value came of it."""
    return text.is_not_null() & value.is_null()


def local_of(text: pl.Series, reading: TimeReading) -> pl.Series:
    """The timestamp as written: naive, or in UTC if it has an offset."""
    time = text.str.strip_chars().str.to_datetime(reading.format, time_unit="us", strict=False)
    return pl.select(pl.when(time.dt.year().is_between(*_YEARS)).then(time)).to_series()


def utc_of(local: pl.Series, reading: TimeReading) -> pl.Series:
    """The moment in UTC; null for a local time that does not exist or happened twice."""
    if reading.zone == OFFSET:
        return local
    return local.dt.replace_time_zone(reading.zone, ambiguous="null", non_existent="null").dt.convert_time_zone("UTC")


def time_faults(
    text: pl.Series, local: pl.Series, time: pl.Series, reading: TimeReading
) -> Iterator[tuple[str, pl.Series]]:
    """For each way in which a timestamp can be unreadable, its code and a mask of the rows."""
    yield "VALUE_TIMESTAMP", is_unread(text, local)
    untold = is_unread(local, time)
    if untold.any():
        either = local.dt.replace_time_zone(reading.zone, ambiguous="earliest", non_existent="null")
        yield "VALUE_TIME_GAP", untold & either.is_null()
        yield "VALUE_TIME_TWICE", untold & either.is_not_null()


def as_text(time: pl.Series) -> pl.Series:
    """Format moments as ``2026-11-24T10:00:00.000000Z``, so that text order is time order."""
    return time.dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")


def seconds_of(text: pl.Series, unit: Unit) -> pl.Series:
    """Parse durations into whole seconds, rounded down; null where the text is no duration in that unit."""
    bare = text.str.strip_chars()
    if unit in _DIGITS:
        whole = pl.select(pl.when(bare.str.contains(_DIGITS[unit])).then(bare)).to_series().cast(pl.Int64)
        return (whole // 1000 if unit is Unit.MILLISECONDS else whole).alias(text.name)
    parts = bare.str.extract_groups(_CLOCKS[unit]).struct.unnest().cast(pl.Int64)
    seconds = pl.lit(0, pl.Int64)
    for name in parts.columns:
        seconds = seconds * 60 + pl.col(name)
    return parts.select(seconds.alias(text.name)).to_series()
