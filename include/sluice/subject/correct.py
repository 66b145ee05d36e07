"""Corrected values of persons (GDPR Art. 16): which rows they are about, and which value is stale. Pure.

A correction wins over every older file, whenever that arrives, and over the value it replaced, however young the
file that repeats it. Another value in a younger file is news, and stays.
"""

import hashlib
import hmac
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime

import polars as pl

from sluice.subject.correction import Correction
from sluice.times import midnight

DAY = re.compile(
    r"(?<!\d)(20[0-9]{2})(?P<between>[-_.]?)([01][0-9])(?P=between)([0-3][0-9])"
    r"(?:[0-2][0-9][0-5][0-9](?:[0-5][0-9](?:[0-9]{3})?)?)?(?!\d)"
)
"""Matches a day in a file's name, with any time of day that follows directly; a longer number is not a day."""
STATEMENTS = "sluice_statements"
"""Column of a view: what persons had added to somebody's opinion of them."""


def value_hash(key: bytes, name: str, value: str) -> str:
    """Hash a value that is not kept: HMAC-SHA256 of the field's name and the value, under a principal's subject key."""
    return hmac.new(key, f"correction\x1f{name}\x1f{value.strip()}".encode(), hashlib.sha256).hexdigest()


def as_of_file(name: str, arrived_at: datetime) -> datetime:
    """Return the moment that a file speaks of: the last Brussels day in its name that had begun, else its arrival."""
    named = map(midnight, filter(None, map(_day, DAY.finditer(name))))
    return max((moment for moment in named if moment <= arrived_at), default=arrived_at).astimezone(UTC)


def _day(found: re.Match[str]) -> date | None:
    try:
        return date(int(found[1]), int(found[3]), int(found[4]))
    except ValueError:
        return None


def is_stale(value: str | None, correction: Correction, as_of: datetime, key: bytes) -> bool:
    """Whether a cell of a file that says how things were at ``as_of`` must give way to a correction."""
    if correction.is_statement or (value or "").strip() == correction.value.strip():
        return False
    return as_of <= correction.as_of or value_hash(key, correction.field, value or "") in correction.before


def find_stale(
    frame: pl.DataFrame,
    refs: Sequence[pl.Series],
    corrections: Sequence[Correction],
    as_of: Callable[[int], datetime],
    key: bytes,
) -> Iterator[tuple[int, Correction]]:
    """Yield the rows that hold a stale value, with the correction that applies; of two corrections, the later one."""
    places: dict[tuple[int, str], Correction] = {}
    for row, correction in find_rows(refs, corrections):
        if correction.field in frame.columns and not correction.is_statement:
            before = places.get((row, correction.field))
            if before is None or before.order < correction.order:
                places[row, correction.field] = correction
    for (row, name), correction in sorted(places.items(), key=lambda place: place[0]):
        if is_stale(frame[name][row], correction, as_of(row), key):
            yield row, correction


def find_rows(refs: Sequence[pl.Series], corrections: Sequence[Correction]) -> Iterator[tuple[int, Correction]]:
    """Yield rows of persons with a correction, each pair once. ``refs``: as :func:`whose` gives them."""
    by_ref: dict[str, list[Correction]] = defaultdict(list)
    for correction in corrections:
        for ref in correction.refs:
            by_ref[ref].append(correction)
    known, seen = pl.Series(list(by_ref), dtype=pl.String), set[tuple[int, str]]()
    for series in refs:
        for row in series.is_in(known.implode()).fill_null(False).arg_true():
            for correction in by_ref[series[row]]:
                if (row, correction.correction_id) not in seen:
                    seen.add((row, correction.correction_id))
                    yield row, correction


def whose(numbers: Sequence[pl.Series], others: Sequence[pl.Series]) -> list[pl.Series]:
    """Return the references that say whose each row is.

    These are its numbers if it has one, whatever else it shares with other rows; if not, all its references.
    ``numbers``: the columns of a kind that belongs to one person (``DEFINING``).
    """
    if not numbers or not others:
        return [*numbers, *others]
    columns = pl.DataFrame([each.alias(str(place)) for place, each in enumerate([*numbers, *others])])
    names = columns.columns
    has_none = pl.all_horizontal(pl.col(names[: len(numbers)]).is_null())
    return columns.with_columns(pl.when(has_none).then(pl.col(names[len(numbers) :]))).get_columns()


def overlay(
    frame: pl.DataFrame,
    refs: Sequence[pl.Series],
    corrections: Sequence[Correction],
    as_of: Callable[[int], datetime],
    key: bytes,
) -> pl.DataFrame:
    """Return the frame with every stale value replaced by the right one."""
    columns: dict[str, pl.Series] = {}
    for row, correction in find_stale(frame, refs, corrections, as_of, key):
        column = columns.get(correction.field, frame[correction.field])
        columns[correction.field] = column.scatter(row, correction.value)
    return frame.with_columns(**columns)


def with_statements(frame: pl.DataFrame, refs: Sequence[pl.Series], corrections: Sequence[Correction]) -> pl.DataFrame:
    """Return the frame with a column of what persons had added to opinions; unchanged if nobody had."""
    said: dict[int, list[str]] = defaultdict(list)
    for row, correction in find_rows(refs, [each for each in corrections if each.is_statement]):
        said[row].append(f"{correction.field}: {correction.value}")
    if not said:
        return frame
    texts = ["; ".join(said[row]) if row in said else None for row in range(frame.height)]
    return frame.with_columns(pl.Series(STATEMENTS, texts, dtype=pl.String))
