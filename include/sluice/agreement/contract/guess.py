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
    ("MM/dd/yyyy HH:mm:ss", r"^[0-9]{2}/[0-9]{2}/[0-9]{4} [0-9]{2}:[0-9]{2}:[0-5][0-9]$", "%m/%d/%Y %H:%M:%S"),
)
_WHOLE = r"^-?(0|[1-9][0-9]{0,14})$"
_POINT = r"^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,30})?$"
_COMMA = r"^-?(0|[1-9][0-9]{0,14})(,[0-9]{1,30})?$"
_THOUSANDS = r"^-?(0|[1-9][0-9]{0,2}([,.][0-9]{3})?)$"
"""Whole numbers whose thousands may have a mark. A number of four digits without one shows that it marks decimals."""
TYPED = frozenset({"xlsx", "json", "ndjson", "parquet"})
"""Formats that have numbers of their own. We write these with a point, which is then no mark of thousands."""


def has_decimal_comma(frame: "pl.DataFrame", format: str = "csv") -> bool | None:
    """Whether decimals have a comma; None if every number with a mark may have thousands (`62,271`) instead.

    A column that has surely decimals decides for all of the file; a point there counts for more than a comma.
    """
    commas, points = _with_mark(frame, _COMMA), _with_mark(frame, _POINT)
    if any(not _fits(each, _THOUSANDS) or format in TYPED for each in points):
        return False
    if any(not _fits(each, _THOUSANDS) for each in commas):
        return True
    return None if commas or points else False


def _with_mark(frame: "pl.DataFrame", pattern: str) -> "list[pl.Series]":
    """The columns of numbers of which some have the mark of this pattern; identifiers are no numbers."""
    columns = (frame[name] for name in frame.columns if not suggest_key(name))
    return [column for column in columns if _fits(column, pattern) and not _fits(column, _WHOLE)]


def profile_columns(frame: "pl.DataFrame", decimal_comma: bool | None) -> tuple[ColumnProfile, ...]:
    """Return one profile per column of ``frame``, in file order. Its cells are text, empty ones null.

    Types fit every cell. A column that looks like an identifier stays text, so that no zero is lost; a date that reads
    both ways round is left OPEN for a person, and without ``decimal_comma`` so is a number with a mark.
    """
    return tuple(_profile(frame[name], decimal_comma) for name in frame.columns)


def _profile(column: "pl.Series", decimal_comma: bool | None) -> ColumnProfile:
    kind, pattern = _guess(column, decimal_comma)
    filled = column.drop_nulls()
    return ColumnProfile(
        name=column.name,
        logical_type=kind,
        date_format=pattern,
        required=len(column) > 0 and column.null_count() == 0,
        unique=len(filled) > 0 and filled.n_unique() == len(filled),
    )


def _guess(column: "pl.Series", decimal_comma: bool | None) -> tuple[str, str | None]:
    if column.null_count() == len(column):
        return "string", None
    for kind, known in (("date", _DATES), ("timestamp", _TIMESTAMPS)):
        if found := list(_formats(column, known)):
            return (kind, found[0]) if len(found) == 1 else (OPEN, " or ".join(found))
    if suggest_key(column.name):
        return "string", None
    if _fits(column, _WHOLE):
        return "integer", None
    if decimal_comma is None and _fits(column, _THOUSANDS):
        return OPEN, None
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
