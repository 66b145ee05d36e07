"""Moments of staff files: nothing is guessed."""

from datetime import UTC, datetime

import pytest

from sluice.staff.times import TimeFault, parse_moment
from sluice.times import ZONE


@pytest.mark.parametrize(
    ("text", "zone", "moment"),
    [
        ("2026-11-24T10:00:00Z", "", datetime(2026, 11, 24, 10, tzinfo=UTC)),
        ("2026-11-24T11:00+01:00", "", datetime(2026, 11, 24, 10, tzinfo=UTC)),
        ("2026-11-24 11:00:00.25", ZONE, datetime(2026, 11, 24, 10, 0, 0, 250_000, tzinfo=UTC)),
        ("2026-07-01T10:00", ZONE, datetime(2026, 7, 1, 8, tzinfo=UTC)),
        ("2026-07-01T10:00-05:00", ZONE, datetime(2026, 7, 1, 15, tzinfo=UTC)),
    ],
)
def test_an_offset_or_a_stated_zone_gives_a_moment(text: str, zone: str, moment: datetime) -> None:
    assert parse_moment(text, zone) == moment


@pytest.mark.parametrize(
    ("text", "zone", "fault"),
    [
        ("2026-11-24T10:00:00", "", TimeFault.ZONE),
        ("2026-11-24T10:00:00", "Europe/Paris", TimeFault.ZONE),
        ("2026-11-24T10:00:00Z", "Mars/Olympus", TimeFault.ZONE),
        ("24/11/2026 10:00", ZONE, TimeFault.FORMAT),
        ("2026-11-24", ZONE, TimeFault.FORMAT),
        ("2026-02-30T10:00Z", "", TimeFault.FORMAT),
        ("2026-11-24T24:00Z", "", TimeFault.FORMAT),
        ("2026-11-24T10:00+25:00", "", TimeFault.FORMAT),
        ("\u0662\u066026-11-24T10:00Z", "", TimeFault.FORMAT),
        ("2026-10-25T02:30", ZONE, TimeFault.AMBIGUOUS),
        ("2026-03-29T02:30", ZONE, TimeFault.NONEXISTENT),
        ("", "", TimeFault.FORMAT),
    ],
)
def test_anything_else_is_a_named_fault(text: str, zone: str, fault: TimeFault) -> None:
    assert parse_moment(text, zone) is fault


def test_the_two_hours_of_a_clock_change_can_be_told_apart_with_an_offset() -> None:
    early, late = parse_moment("2026-10-25T02:30+02:00", ""), parse_moment("2026-10-25T02:30+01:00", "")
    assert isinstance(early, datetime) and isinstance(late, datetime) and early < late
