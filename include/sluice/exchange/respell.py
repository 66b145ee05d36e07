"""Write cells that came under one contract as another contract writes them: 03/04 stays the day that it was. Pure."""

from collections.abc import Collection, Mapping

import polars as pl

from sluice.agreement.model import DataContract
from sluice.gate.column_types import NUMBERS, format_of, number_pattern
from sluice.gate.contract_rules import column_types
from sluice.gate.model import ColumnType, ValueType
from sluice.gate.typed import parsed, with_digits
from sluice.lake.spelling import spelled
from sluice.lake.write.values import has_zone


def respelled(
    frame: pl.DataFrame,
    came: pl.DataFrame,
    was: DataContract | None,
    now: Mapping[str, ColumnType],
    rows: pl.Expr | None = None,
) -> pl.DataFrame:
    """The frame with its dates, timestamps and numbers written as their column is to be written ``now``.

    ``was``: the contract under which the rows came; without one nothing is known of them. ``came``: the frame as it
    came: a cell that was corrected since is left as it is. ``rows``: which rows these are, by default all.
    """
    return frame.with_columns(
        pl.when(pl.lit(came[name]).eq_missing(pl.col(name)) & (pl.lit(True) if rows is None else rows))
        .then(written)
        .otherwise(pl.col(name))
        .alias(name)
        for name, written in written_anew(was, now, frame.columns).items()
    )


def written_anew(was: DataContract | None, now: Mapping[str, ColumnType], names: Collection[str]) -> dict[str, pl.Expr]:
    """Those of these columns that are to be written otherwise, each in its new form.

    A cell that the new form cannot hold whole stays as it is.
    """
    return {
        name: pl.coalesce(_written(pl.col(name), one, other), pl.col(name)).alias(name)
        for name, (one, other) in differing(was, now).items()
        if name in names
    }


def differing(was: DataContract | None, now: Mapping[str, ColumnType]) -> dict[str, tuple[ColumnType, ColumnType]]:
    """The columns that a contract writes otherwise than they are written now, with both ways."""
    before = column_types(was) if was else {}
    both = {name: (before[name], now[name]) for name in now if name in before}
    return {name: pair for name, pair in both.items() if _differ(*pair)}


def _differ(was: ColumnType, now: ColumnType) -> bool:
    if was.value in NUMBERS or now.value in NUMBERS:
        return was.value is now.value is ValueType.NUMBER and was.decimal_comma != now.decimal_comma
    one, other = format_of(was), format_of(now)
    if "%y" in one and "%Y" in other:
        return False  # 55 is 1955 or 2055: the form does not say
    return one != other and has_zone(one) is has_zone(other)  # 10:00 UTC is no 10:00 of our clocks


def _written(cells: pl.Expr, was: ColumnType, now: ColumnType) -> pl.Expr:
    """The cells in their new form; null where a cell has no value under its own contract, or would lose some of it."""
    if was.value in NUMBERS:
        marks = (",", ".") if was.decimal_comma else (".", ",")
        is_number = cells.str.contains(number_pattern(was).replace(r"\Z", r"\z"))
        return pl.when(is_number).then(cells.str.replace(*marks, literal=True))
    form = format_of(was)
    return spelled(with_digits(cells, parsed(cells, form), form), format_of(now), has_day=True)
