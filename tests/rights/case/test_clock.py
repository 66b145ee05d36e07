"""When an answer is due, against vectors of the specification and an independent rule for every day of seven years."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rights.case.days import DAYS, FIRST, NUMBERS, closed_days, days, easter, few, of
from sluice.rights.case.clock import DueDates, alarms, breach_due, due_dates, elapsed_due, extension_latest, received_on
from sluice.rights.case.facts import ClockRefused, clock_parameters, parameters, value_on
from sluice.rights.case.holidays import is_working_day, working_days_before

PAGE = Path(__file__).resolve().parents[3] / "docs" / "explanation" / "clock.md"
Rule = Callable[[date], tuple[date, date, date]]
"""Received on -> nominal, legal and extended due."""
VECTORS = [
    ("2026-03-05", "2026-04-05", "2026-04-07", "2026-06-05"),
    ("2026-03-06", "2026-04-06", "2026-04-07", "2026-06-08"),
    ("2026-01-31", "2026-02-28", "2026-03-02", "2026-04-30"),
    ("2027-01-31", "2027-02-28", "2027-03-01", "2027-04-30"),
    ("2028-01-31", "2028-02-29", "2028-02-29", "2028-05-02"),
    ("2026-06-21", "2026-07-21", "2026-07-22", "2026-09-21"),
    ("2026-11-25", "2026-12-25", "2026-12-28", "2027-02-25"),
]
CLOSED = {day for year in range(2026, 2034) for day in closed_days(year)}
WALL: dict[int, list[date]] = defaultdict(list)
for _n in range((date(2033, 12, 31) - FIRST).days + 1):
    _day = FIRST + timedelta(days=_n)
    WALL[12 * _day.year + _day.month].append(_day)


def later(received: date, months: int) -> date:
    return [day for day in WALL[12 * received.year + received.month + months] if day.day <= received.day][-1]


def opened(day: date, closed: set[date] = CLOSED) -> date:
    while day in closed or day.strftime("%a") in ("Sat", "Sun"):
        day = date.fromordinal(day.toordinal() + 1)
    return day


def second_rule(received: date) -> tuple[date, date, date]:
    return later(received, 1), opened(later(received, 1)), opened(later(received, 3))


def the_clock(received: date) -> tuple[date, date, date]:
    due = due_dates(received, "BE", clock_parameters(received))
    return due.nominal_due, due.legal_due, due.extended_due


def differing(rule: Rule) -> list[date]:
    return [day for day in DAYS if rule(day) != second_rule(day)]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector[0])
def test_the_vectors_of_the_specification(vector: tuple[str, ...]) -> None:
    received, *due = (date.fromisoformat(text) for text in vector)

    assert due_dates(received, "BE", NUMBERS) == DueDates(received, *due)


@pytest.mark.evidence
def test_every_day_of_2026_to_2032_agrees_with_a_second_rule(record_property: Callable[[str, object], None]) -> None:
    wrong = differing(the_clock)

    record_property("clock: days of 2026 to 2032 that agree with the second rule", f"{len(DAYS) - len(wrong)} of 2557")
    assert (wrong, len(DAYS)) == ([], 2557)


BROKEN: dict[str, Rule] = {
    "weekends only": lambda day: (later(day, 1), opened(later(day, 1), set()), opened(later(day, 3), set())),
    "Easter Monday forgotten": lambda day: (
        later(day, 1),
        *(opened(later(day, n), CLOSED - {easter(y) + timedelta(days=1) for y in range(2026, 2034)}) for n in (1, 3)),
    ),
    "thirty days": lambda day: (day + timedelta(days=30), opened(day + timedelta(days=30)), opened(later(day, 3))),
    "extension counted from the nominal due": lambda day: (*second_rule(day)[:2], opened(later(later(day, 1), 2))),
    "no rolling": lambda day: (later(day, 1), later(day, 1), later(day, 3)),
    "rolled backwards": lambda day: (
        later(day, 1),
        working_days_before(later(day, 1) + timedelta(days=1), 1, "BE"),
        opened(later(day, 3)),
    ),
    "the clock of a neighbour": lambda day: of(due_dates(day, "NL", NUMBERS)),
    "the clock with four months": lambda day: of(due_dates(day, "BE", replace(NUMBERS, extended_months=4))),
}


@pytest.mark.parametrize("name", BROKEN)
def test_the_comparison_finds_a_broken_rule(name: str) -> None:
    assert differing(BROKEN[name]) != []


def test_the_second_rule_knows_easter() -> None:
    known = ["2026-04-05", "2027-03-28", "2028-04-16", "2029-04-01", "2030-04-21", "2031-04-13", "2032-03-28"]
    assert [easter(year).isoformat() for year in range(2026, 2033)] == known


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-03-04T23:30:00Z", "2026-03-05"),
        ("2026-03-04T22:59:59Z", "2026-03-04"),
        ("2026-03-04T23:00:00Z", "2026-03-05"),
        ("2026-03-29T21:59:59Z", "2026-03-29"),  # summer time began that night
        ("2026-03-29T22:00:00Z", "2026-03-30"),
        ("2026-10-25T22:59:59Z", "2026-10-25"),  # and ended
        ("2026-10-25T23:00:00Z", "2026-10-26"),
        ("2026-03-05T08:30:00+09:00", "2026-03-05"),
        ("2026-12-31T18:30:00-05:00", "2027-01-01"),
    ],
)
def test_a_request_is_received_on_the_brussels_day(moment: str, day: str) -> None:
    assert received_on(datetime.fromisoformat(moment)).isoformat() == day


@given(st.datetimes(datetime(2019, 1, 1), datetime(2040, 1, 1)), st.integers(-12, 14))
def test_the_zone_in_which_a_moment_is_written_changes_nothing(moment: datetime, hours: int) -> None:
    instant = moment.replace(tzinfo=UTC)
    assert received_on(instant) == received_on(instant.astimezone(timezone(timedelta(hours=hours))))


def test_a_moment_without_zone_is_refused_and_is_no_date_of_receipt() -> None:
    with pytest.raises(ClockRefused, match="MOMENT_WITHOUT_ZONE"):
        received_on(datetime(2026, 3, 4, 23, 30))
    with pytest.raises(ClockRefused, match="MOMENT_WITHOUT_ZONE"):
        breach_due(datetime(2026, 3, 4, 23, 30), NUMBERS)
    with pytest.raises(TypeError, match="received_on"):
        due_dates(datetime(2026, 3, 4, 23, 30, tzinfo=UTC), "BE", NUMBERS)


@pytest.mark.parametrize("moment", [datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=timezone.max)])
def test_a_moment_at_the_end_of_time_is_refused(moment: datetime) -> None:
    with pytest.raises(ClockRefused, match="DATE_OUT_OF_RANGE"):
        received_on(moment)


@few
@given(days, st.sampled_from(["BE", "NL", "DE", "FR", "PL"]))
def test_a_due_date_is_the_first_working_day_from_the_nominal_due_on(received: date, country: str) -> None:
    due = due_dates(received, country, NUMBERS)
    between = [due.nominal_due + timedelta(days=n) for n in range((due.legal_due - due.nominal_due).days)]

    assert is_working_day(due.legal_due, country)
    assert not any(is_working_day(day, country) for day in between)
    assert 28 <= (due.nominal_due - received).days <= 31
    assert due.nominal_due.day == received.day or (due.nominal_due + timedelta(days=1)).day == 1
    assert due.legal_due < due.extended_due


@few
@given(days, days)
def test_who_asks_later_is_never_answered_earlier(one: date, other: date) -> None:
    first, second = (due_dates(day, "BE", NUMBERS) for day in sorted((one, other)))
    assert all(early <= late for early, late in zip(of(first), of(second), strict=True))


def test_alarms_come_ten_five_and_one_working_day_ahead() -> None:
    # Easter Monday (6 April), and three weekends lie between.
    expected = [date(2026, 3, 23), date(2026, 3, 30), date(2026, 4, 3)]
    assert list(alarms(date(2026, 4, 7), "BE", NUMBERS)) == expected


@few
@given(days)
def test_so_many_working_days_lie_between_an_alarm_and_its_due_date(received: date) -> None:
    due = due_dates(received, "BE", NUMBERS)
    for on in (due.legal_due, due.extended_due):
        given_on = alarms(on, "BE", NUMBERS)
        walked = [
            sum(is_working_day(day + timedelta(days=n), "BE") for n in range((on - day).days)) for day in given_on
        ]
        assert walked == [10, 5, 1]
        assert all(is_working_day(day, "BE") for day in given_on)
        assert given_on[0] > received


def test_an_extension_leaves_before_the_legal_due() -> None:
    assert extension_latest(due_dates(date(2026, 3, 5), "BE", NUMBERS)) == date(2026, 4, 6)


def test_a_breach_is_told_after_72_elapsed_hours_whatever_the_day_or_the_summer_time() -> None:
    friday = datetime.fromisoformat("2026-03-27T10:00:00+01:00")  # summer time begins on Sunday
    assert breach_due(friday, NUMBERS) == datetime(2026, 3, 30, 9, tzinfo=UTC)
    christmas = datetime(2026, 12, 22, 12, tzinfo=UTC)
    assert breach_due(christmas, NUMBERS) == datetime(2026, 12, 25, 12, tzinfo=UTC)
    assert breach_due(friday, NUMBERS).tzinfo is UTC


def test_a_request_is_forwarded_within_the_hours_of_the_agreement() -> None:
    received = datetime(2026, 10, 24, 22, tzinfo=UTC)  # winter time begins in these 24 hours
    assert elapsed_due(received, NUMBERS.forward_hours) == datetime(2026, 10, 25, 22, tzinfo=UTC)
    assert elapsed_due(received, 48) == datetime(2026, 10, 26, 22, tzinfo=UTC)


def test_every_number_is_dated_and_sourced_and_there_is_none_before_the_regulation_applied() -> None:
    assert (NUMBERS.answer_months, NUMBERS.extended_months, NUMBERS.alarm_days) == (1, 3, (10, 5, 1))
    assert (NUMBERS.breach_hours, NUMBERS.forward_hours) == (72, 24)
    assert all(row.source and row.valid_from for row in parameters())
    assert clock_parameters(date(2018, 5, 25)) == NUMBERS
    with pytest.raises(ClockRefused, match="BEFORE_FIRST_RULE"):
        clock_parameters(date(2018, 5, 24))


def test_a_new_row_of_a_number_holds_from_its_date_on() -> None:
    breach = next(row for row in parameters() if row.name == "breach_notice")
    rows = [replace(breach, value=96, valid_from=date(2028, 1, 1)), *parameters()]

    held = [value_on(rows, "breach_notice", "hour", date.fromisoformat(day)) for day in ("2027-12-31", "2028-01-01")]

    assert held == [72, 96]


def test_the_page_shows_the_table() -> None:
    page = PAGE.read_text(encoding="utf-8")
    rows = [f"| `{row.name}` | {row.value} {row.unit} | {row.valid_from} | {row.source} |" for row in parameters()]
    assert [row for row in rows if row not in page] == []
    assert page.count("| `") == len(rows)
    assert [vector for vector in VECTORS if f"| {' | '.join(vector)} |" not in page] == []
