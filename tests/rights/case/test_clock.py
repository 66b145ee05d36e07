"""The legal clock against the vectors of the specification, and a second rule that shares no code with it."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.agreement.clauses.facts import EEA_COUNTRIES
from sluice.rights.case.clock import (
    DueDates,
    Pause,
    alarms,
    breach_due,
    due_dates,
    elapsed_due,
    extension_latest,
    paused,
    received_on,
)
from sluice.rights.case.facts import ClockRefused, StatutoryDay, clock_parameters, parameters, statutory_days, value_on
from sluice.rights.case.holidays import (
    is_working_day,
    library_days,
    next_working_day,
    public_holidays,
    restricted,
    working_days_before,
)

PAGE = Path(__file__).resolve().parents[3] / "docs" / "explanation" / "clock.md"
NUMBERS = clock_parameters(date(2026, 1, 1))
FIRST, LAST = date(2026, 1, 1), date(2032, 12, 31)
DAYS = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
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

# The second rule: walks a wall calendar, knows no library and no arithmetic on months.


def easter(year: int) -> date:
    """Easter Sunday, by the anonymous Gregorian algorithm (Meeus)."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


def closed_days(year: int) -> set[date]:
    fixed = {(1, 1), (5, 1), (7, 21), (8, 15), (11, 1), (11, 11), (12, 25)}
    return {date(year, *day) for day in fixed} | {easter(year) + timedelta(days=n) for n in (1, 39, 50)}


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


def of(due: DueDates) -> tuple[date, date, date]:
    return due.nominal_due, due.legal_due, due.extended_due


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


@pytest.mark.parametrize("year", range(2018, 2100, 3))
def test_belgium_has_exactly_its_ten_statutory_days(year: int) -> None:
    assert public_holidays("BE", year) == closed_days(year)
    assert len(statutory_days("BE")) == 10


@pytest.mark.parametrize("country", sorted(EEA_COUNTRIES))
def test_every_country_of_the_eea_has_a_calendar_and_a_due_date_is_a_working_day_there(country: str) -> None:
    for year in range(2018, 2034):
        assert not is_working_day(date(year, 12, 25), country)
        assert not is_working_day(date(year, 1, 1), country)
    for day in DAYS[::9]:
        due = due_dates(day, country, NUMBERS)
        assert is_working_day(due.legal_due, country) and is_working_day(due.extended_due, country)


@pytest.mark.parametrize(
    ("country", "day", "closed"),
    [
        ("NL", "2026-04-27", True),
        ("BE", "2026-04-27", False),
        ("FR", "2026-07-14", True),
        ("LU", "2026-06-23", True),
        ("BE", "2026-12-24", False),
        ("BE", "2026-11-15", True),  # a Sunday; also King's Feast, no statutory day
        ("BE", "2027-11-15", False),
    ],
)
def test_known_days_of_a_country(country: str, day: str, closed: bool) -> None:
    assert is_working_day(date.fromisoformat(day), country) is not closed


def test_a_statutory_day_that_the_library_no_longer_knows_stops_the_clock() -> None:
    listed = (*statutory_days("BE"), StatutoryDay("BE", "Day of the Flood", date(2027, 1, 1), date.max, "none"))

    assert len(restricted(library_days("BE", 2026), listed, 2026)) == 10
    with pytest.raises(ClockRefused, match="HOLIDAY_NOT_IN_CALENDAR"):
        restricted(library_days("BE", 2027), listed, 2027)


def test_a_statutory_day_that_was_abolished_is_a_working_day_from_then_on() -> None:
    abolished = date(2027, 7, 1)
    rows = [replace(row, valid_until=abolished) if row.day == "Armistice Day" else row for row in statutory_days("BE")]

    assert date(2026, 11, 11) in restricted(library_days("BE", 2026), rows, 2026)
    assert date(2027, 11, 11) not in restricted(library_days("BE", 2027), rows, 2027)
    assert len(restricted(library_days("BE", 2028), rows, 2028)) == 9
    with pytest.raises(ClockRefused, match="HOLIDAY_NOT_IN_CALENDAR"):
        restricted(
            {}, [row for row in rows if row.day == "Armistice Day"], 2027
        )  # in the year it ends, it must still be found
    assert restricted({}, [row for row in rows if row.day == "Armistice Day"], 2028) == frozenset()


def test_the_calendar_holds_from_its_first_to_its_last_year() -> None:
    assert of(due_dates(date(2100, 9, 30), "BE", NUMBERS)) == (
        date(2100, 10, 30),
        date(2100, 11, 2),
        date(2100, 12, 30),
    )
    assert len(public_holidays("ES", 2008)) > 7
    for year in (2007, 2101):
        with pytest.raises(ClockRefused, match="CALENDAR_ENDS"):
            public_holidays("ES", year)


def test_two_holidays_on_one_day_are_both_found() -> None:
    assert library_days("BE", 2008)[date(2008, 5, 1)] == ("Ascension Day", "Labor Day")
    assert len(public_holidays("BE", 2008)) == 9


# Receipt


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


@pytest.mark.parametrize(
    ("received", "country", "rule"),
    [
        (date(2026, 3, 5), "US", "COUNTRY_OUTSIDE_EEA"),
        (date(2026, 3, 5), "be", "COUNTRY_OUTSIDE_EEA"),
        (date(2100, 12, 5), "BE", "CALENDAR_ENDS"),
        (date.max, "BE", "DATE_OUT_OF_RANGE"),
    ],
)
def test_what_has_no_calendar_is_refused(received: date, country: str, rule: str) -> None:
    with pytest.raises(ClockRefused, match=rule):
        due_dates(received, country, NUMBERS)


# Properties

days = st.dates(date(2018, 5, 25), date(2090, 12, 31))
few = settings(max_examples=100, deadline=None)


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


# Alarms and extension


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


# Pauses


def due_with(received: str, *pauses: tuple[str, str | None]) -> tuple[str | None, str | None]:
    held = [
        Pause(date.fromisoformat(asked), date.fromisoformat(proven) if proven else None) for asked, proven in pauses
    ]
    clock = paused(due_dates(date.fromisoformat(received), "BE", NUMBERS), held, "BE", NUMBERS)
    legal, extended = clock.legal_due, clock.extended_due
    return legal.isoformat() if legal else None, extended.isoformat() if extended else None


@pytest.mark.parametrize(
    ("pauses", "legal", "extended"),
    [
        ([], "2026-04-07", "2026-06-05"),
        ([("2026-03-10", "2026-03-10")], "2026-04-07", "2026-06-05"),
        ([("2026-03-10", "2026-03-12")], "2026-04-07", "2026-06-08"),
        ([("2026-03-10", "2026-03-15")], "2026-04-10", "2026-06-10"),
        ([("2026-03-10", "2026-03-15"), ("2026-03-12", "2026-03-15")], "2026-04-10", "2026-06-10"),
        ([("2026-03-10", None)], None, None),
        ([("2026-03-10", None), ("2026-03-12", "2026-03-15")], None, None),
        ([("2026-04-07", "2026-04-09")], "2026-04-09", "2026-06-08"),  # asked after the nominal due, before the rolled
        ([("2026-04-08", "2026-04-18")], "2026-04-07", "2026-06-15"),  # asked too late for the first due date
        ([("2026-04-08", None)], "2026-04-07", None),
        # The first wait moves the due date to 8 April: the second was still asked in time.
        ([("2026-03-10", "2026-03-13"), ("2026-04-08", "2026-04-10")], "2026-04-10", "2026-06-10"),
    ],
)
def test_a_pause_moves_only_the_paused_clock(
    pauses: list[tuple[str, str | None]], legal: str | None, extended: str | None
) -> None:
    assert due_with("2026-03-05", *pauses) == (legal, extended)


def test_the_strict_clock_stays_as_it_was() -> None:
    due = due_dates(date(2026, 3, 5), "BE", NUMBERS)
    assert paused(due, [Pause(date(2026, 3, 10), date(2026, 5, 10))], "BE", NUMBERS).strict == due


def test_a_pause_that_cannot_be_is_refused() -> None:
    with pytest.raises(ClockRefused, match="PAUSE_ENDS_BEFORE_IT_BEGINS"):
        Pause(date(2026, 3, 10), date(2026, 3, 9))
    with pytest.raises(ClockRefused, match="PAUSE_BEFORE_RECEIPT"):
        due_with("2026-03-05", ("2026-03-04", "2026-03-06"))


spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 30)), max_size=4)


def pauses_of(received: date, spans: list[tuple[int, int]]) -> list[Pause]:
    starts = [(received + timedelta(days=after), length) for after, length in spans]
    return [Pause(asked, asked + timedelta(days=length)) for asked, length in starts]


@few
@given(days, spans, st.randoms(use_true_random=False))
def test_pauses_never_shorten_and_their_order_and_repetition_change_nothing(received, spans, random) -> None:
    due = due_dates(received, "BE", NUMBERS)
    held = pauses_of(received, spans)
    clock = paused(due, held, "BE", NUMBERS)
    shuffled = held * 2
    random.shuffle(shuffled)

    assert clock == paused(due, shuffled, "BE", NUMBERS)
    assert clock.legal_due >= due.legal_due and clock.extended_due >= due.extended_due
    assert (clock.legal_due - due.nominal_due).days <= sum(length for _, length in spans) + 10


@few
@given(days, st.integers(0, 25), st.integers(0, 40), st.integers(0, 40))
def test_one_wait_told_in_two_parts_is_one_wait_and_moves_day_for_day(received, after, first, second) -> None:
    due = due_dates(received, "BE", NUMBERS)
    asked = received + timedelta(days=after)
    middle, proven = asked + timedelta(days=first), asked + timedelta(days=first + second)
    whole = paused(due, [Pause(asked, proven)], "BE", NUMBERS)

    assert whole == paused(due, [Pause(asked, middle), Pause(middle, proven)], "BE", NUMBERS)
    assert whole.legal_due == next_working_day(due.nominal_due + (proven - asked), "BE")
    assert whole.legal_due >= proven


# Hours


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


# The table


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


def test_a_statutory_day_holds_from_its_first_to_its_last_date() -> None:
    row = replace(statutory_days("BE")[0], valid_from=date(2027, 1, 1), valid_until=date(2028, 1, 1))
    days = ("2026-12-31", "2027-01-01", "2028-01-01", "2028-01-02")
    assert [row.is_in_force(date.fromisoformat(day)) for day in days] == [False, True, True, False]


def test_the_page_shows_the_table() -> None:
    page = PAGE.read_text(encoding="utf-8")
    rows = [f"| `{row.name}` | {row.value} {row.unit} | {row.valid_from} | {row.source} |" for row in parameters()]
    assert [row for row in rows if row not in page] == []
    assert page.count("| `") == len(rows)
    assert [vector for vector in VECTORS if f"| {' | '.join(vector)} |" not in page] == []
