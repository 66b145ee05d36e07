"""Guess what the columns of a table of text are: types and formats that fit every cell, never a cell itself."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sluice.agreement.contract.infer import ColumnProfile, suggest_key
from sluice.agreement.shape import OPEN

if TYPE_CHECKING:
    import polars as pl

_DATES = (
    ("yyyy-MM-dd", r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "%Y-%m-%d"),
    ("dd/MM/yyyy", r"^[0-9]{2}/[0-9]{2}/[0-9]{4}$", "%d/%m/%Y"),
    ("MM/dd/yyyy", r"^[0-9]{2}/[0-9]{2}/[0-9]{4}$", "%m/%d/%Y"),
    ("dd-MM-yyyy", r"^[0-9]{2}-[0-9]{2}-[0-9]{4}$", "%d-%m-%Y"),
    ("dd.MM.yyyy", r"^[0-9]{2}\.[0-9]{2}\.[0-9]{4}$", "%d.%m.%Y"),
)
_TIMESTAMPS = (
    ("yyyy-MM-dd HH:mm:ss", r"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-5][0-9]$", "%Y-%m-%d %H:%M:%S"),
    ("yyyy-MM-dd'T'HH:mm:ss", r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9]$", "%Y-%m-%dT%H:%M:%S"),
    ("dd/MM/yyyy HH:mm:ss", r"^[0-9]{2}/[0-9]{2}/[0-9]{4} [0-9]{2}:[0-9]{2}:[0-5][0-9]$", "%d/%m/%Y %H:%M:%S"),
)
_WHOLE = r"^-?(0|[1-9][0-9]{0,14})$"
_POINT = r"^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,30})?$"
_COMMA = r"^-?(0|[1-9][0-9]{0,14})(,[0-9]{1,30})?$"


def has_decimal_comma(frame: "pl.DataFrame") -> bool:
    """Whether some column holds decimals with a comma, and none with a point."""
    return any(_fits(frame[name], _COMMA) and not _fits(frame[name], _WHOLE) for name in frame.columns) and not any(
        _fits(frame[name], _POINT) and not _fits(frame[name], _WHOLE) for name in frame.columns
    )


def profile_columns(frame: "pl.DataFrame", decimal_comma: bool) -> tuple[ColumnProfile, ...]:
    """Return one profile per column of ``frame``, in file order. Its cells are text, empty ones null.

    Types fit every cell. A column that looks like an identifier stays text, so that no zero is lost; a date that reads
    both ways round is left OPEN for a person.
    """
    return tuple(_profile(frame[name], decimal_comma) for name in frame.columns)


def _profile(column: "pl.Series", decimal_comma: bool) -> ColumnProfile:
    kind, pattern = _guess(column, decimal_comma)
    filled = column.drop_nulls()
    return ColumnProfile(
        name=column.name,
        logical_type=kind,
        date_format=pattern,
        required=len(column) > 0 and column.null_count() == 0,
        unique=len(filled) > 0 and filled.n_unique() == len(filled),
    )


def _guess(column: "pl.Series", decimal_comma: bool) -> tuple[str, str | None]:
    if column.null_count() == len(column):
        return "string", None
    if dates := list(_formats(column, _DATES)):
        return ("date", dates[0]) if len(dates) == 1 else (OPEN, " or ".join(dates))
    if stamps := list(_formats(column, _TIMESTAMPS)):
        return "timestamp", stamps[0]
    if suggest_key(column.name):
        return "string", None
    if _fits(column, _WHOLE):
        return "integer", None
    return ("number" if _fits(column, _COMMA if decimal_comma else _POINT) else "string"), None


def _fits(column: "pl.Series", pattern: str) -> bool:
    filled = column.drop_nulls()
    return len(filled) > 0 and bool(filled.str.contains(pattern).all())


def _formats(column: "pl.Series", known: tuple[tuple[str, str, str], ...]) -> Iterator[str]:
    import polars as pl

    filled = column.drop_nulls().unique()
    for name, shape, strptime in known:
        if _fits(filled, shape):
            moments = filled.str.strptime(pl.Datetime, strptime, strict=False)
            if moments.null_count() == 0 and (moments.dt.year() > 0).all():
                yield name
