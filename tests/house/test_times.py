"""The day of the law is that of Brussels; records write UTC."""

from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise

import pytest

from sluice.times import BRUSSELS, brussels_day, brussels_today, from_when, midnight, utc_text


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 7, 1, 21, 59, tzinfo=UTC), date(2026, 7, 1)),
        (datetime(2026, 7, 1, 22, 0, tzinfo=UTC), date(2026, 7, 2)),
        (datetime(2026, 12, 1, 22, 59, tzinfo=UTC), date(2026, 12, 1)),
        (datetime(2026, 12, 1, 23, 0, tzinfo=UTC), date(2026, 12, 2)),
        (datetime(2026, 12, 2, 9, 30, tzinfo=timezone(timedelta(hours=12))), date(2026, 12, 1)),
    ],
)
def test_a_moment_is_of_the_day_that_brussels_has(moment: datetime, day: date) -> None:
    assert brussels_day(moment) == day


def test_every_day_begins_once_also_when_the_clock_is_put() -> None:
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(366)]
    hours = [(midnight(b).astimezone(UTC) - midnight(a).astimezone(UTC)) // timedelta(hours=1)
             for a, b in pairwise(days)]  # fmt: skip
    assert [brussels_day(midnight(day)) for day in days] == days
    assert (hours.count(23), hours.count(25), hours.count(24)) == (1, 1, 363)
    assert brussels_today() - datetime.now(UTC).date() in (timedelta(), timedelta(days=1))


def test_since_a_day_is_since_its_midnight_and_a_moment_without_zone_is_of_brussels() -> None:
    assert from_when(date(2026, 7, 1)) == datetime(2026, 6, 30, 22, tzinfo=UTC)
    assert from_when(datetime(2026, 7, 1, 12)) == datetime(2026, 7, 1, 10, tzinfo=UTC)
    assert from_when(datetime(2026, 7, 1, 12, tzinfo=UTC)) == datetime(2026, 7, 1, 12, tzinfo=UTC)


def test_records_write_utc_with_milliseconds() -> None:
    assert utc_text(datetime(2026, 7, 1, 12, 0, 0, 123_999, tzinfo=BRUSSELS)) == "2026-07-01T10:00:00.123Z"
