"""Times and durations, against the standard library a value at a time."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sluice.results.model import OFFSET, TimeReading, Unit
from sluice.results.reading import as_text, local_of, null_of, seconds_of, time_faults, utc_of

BRUSSELS = ZoneInfo("Europe/Brussels")
FORMAT = "%d/%m/%Y %H:%M:%S"
LOCAL = TimeReading(FORMAT, "Europe/Brussels")
NIGHTS = st.sampled_from([datetime(2026, 3, 29), datetime(2026, 10, 25), datetime(2027, 3, 28), datetime(2027, 10, 31)])
NEAR_A_CHANGE = st.builds(lambda night, second: night + timedelta(seconds=second), NIGHTS, st.integers(3600, 14400))
ANY_TIME = st.datetimes(datetime(1990, 1, 1), datetime(2099, 12, 31)).map(lambda moment: moment.replace(microsecond=0))


def read(text: str | None, reading: TimeReading) -> tuple[str | None, list[str]]:
    """The canonical text of one timestamp, and the codes of what is wrong with it."""
    column = pl.Series("at", [text], dtype=pl.String)
    local = local_of(column, reading)
    time = utc_of(local, reading)
    codes = [code for code, rows in time_faults(column, local, time, reading) if rows[0]]
    return as_text(time)[0], codes


def by_the_library(local: datetime) -> tuple[str | None, list[str]]:
    """The same by zoneinfo: both folds, and whether they come back to where they started."""
    either = {local.replace(tzinfo=BRUSSELS, fold=fold).astimezone(UTC) for fold in (0, 1)}
    back = {moment.astimezone(BRUSSELS).replace(tzinfo=None) for moment in either}
    if back != {local}:
        return None, ["VALUE_TIME_GAP"]
    if len(either) == 2:
        return None, ["VALUE_TIME_TWICE"]
    return f"{either.pop():%Y-%m-%dT%H:%M:%S.%f}Z", []


@given(NEAR_A_CHANGE | ANY_TIME)
@example(datetime(2026, 3, 29, 1, 59, 59))
@example(datetime(2026, 3, 29, 2))
@example(datetime(2026, 3, 29, 3))
@example(datetime(2026, 10, 25, 1, 59, 59))
@example(datetime(2026, 10, 25, 2))
@example(datetime(2026, 10, 25, 3))
def test_a_local_time_is_one_moment_or_said_to_be_none_or_two(local: datetime) -> None:
    assert read(local.strftime(FORMAT), LOCAL) == by_the_library(local)


@given(ANY_TIME, st.integers(-14 * 4, 14 * 4))
def test_an_offset_in_the_text_tells_the_moment_on_every_night(local: datetime, quarters: int) -> None:
    sign, minutes = "-" if quarters < 0 else "+", abs(quarters) * 15
    text = f"{local:%Y-%m-%dT%H:%M:%S.000}{sign}{minutes // 60:02}{minutes % 60:02}"
    moment = local - timedelta(minutes=15 * quarters)
    found = read(text, TimeReading("%Y-%m-%dT%H:%M:%S%.f%z", OFFSET))
    if 1990 <= moment.year <= 2099:
        assert found == (f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z", [])


@pytest.mark.parametrize(
    ("form", "text", "day"),
    [("%d/%m/%Y %H:%M", "05/11/2026 10:00", "2026-11-05"), ("%m/%d/%Y %H:%M", "05/11/2026 10:00", "2026-05-11")],
)
def test_the_format_alone_tells_day_from_month(form: str, text: str, day: str) -> None:
    assert read(text, TimeReading(form, "UTC")) == (f"{day}T10:00:00.000000Z", [])


@pytest.mark.parametrize(
    "text", ["24/13/2026 10:00:00", "24/11/26 10:00:00", "24/11/2026", "24/11/2026 10:00:00 uur", "x"]
)
def test_what_does_not_fit_the_format_is_not_read_another_way(text: str) -> None:
    assert read(text, LOCAL) == (None, ["VALUE_TIMESTAMP"])


def test_control_an_empty_time_is_no_fault() -> None:
    assert read(None, LOCAL) == (None, [])


@given(st.integers(0, 9_999 * 3600 + 3599))
def test_a_duration_is_the_same_in_every_unit(seconds: int) -> None:
    spelt = {
        Unit.SECONDS: str(seconds),
        Unit.MILLISECONDS: str(seconds * 1000 + 999),
        Unit.HOURS: f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}",
        Unit.MINUTES: f"{seconds // 60 % 100_000}:{seconds % 60:02}",
    }
    for unit, text in spelt.items():
        expected = seconds % 6_000_000 if unit is Unit.MINUTES else seconds
        assert seconds_of(pl.Series([f" {text} "]), unit).to_list() == [expected]


@pytest.mark.parametrize(
    ("unit", "text"),
    [
        *((Unit.SECONDS, text) for text in ("1.5", "-1", "1e3", "0:10")),
        (Unit.MILLISECONDS, "1,000"),
        *((Unit.HOURS, text) for text in ("0:60:00", "10:00", "1:2:3")),
        *((Unit.MINUTES, text) for text in ("0:60", "0:00:10")),
    ],
)
def test_what_is_no_duration_in_the_unit_is_none(unit: Unit, text: str) -> None:
    assert seconds_of(pl.Series([text]), unit).to_list() == [None]


def test_null_words_are_whole_cells_and_other_cells_keep_their_spaces() -> None:
    cells = pl.DataFrame({"agent": ["[None]", " [None] ", "-", " ", "", None, "[Deleted]", " a-b "]})
    read_cells = cells.select(null_of(pl.col("agent"), ["[None]", "-"])).to_series().to_list()
    assert read_cells == [None] * 6 + ["[Deleted]", " a-b "]
