"""Which days are no working days: the calendars of the EEA, from their first to their last year."""

from dataclasses import replace
from datetime import date

import pytest

from rights.case.days import DAYS, NUMBERS, closed_days, of
from sluice.agreement.clauses.facts import EEA_COUNTRIES
from sluice.rights.case.clock import due_dates
from sluice.rights.case.facts import ClockRefused, StatutoryDay, statutory_days
from sluice.rights.case.holidays import is_working_day, library_days, public_holidays, restricted


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


def test_a_statutory_day_holds_from_its_first_to_its_last_date() -> None:
    row = replace(statutory_days("BE")[0], valid_from=date(2027, 1, 1), valid_until=date(2028, 1, 1))
    days = ("2026-12-31", "2027-01-01", "2028-01-01", "2028-01-02")
    assert [row.is_in_force(date.fromisoformat(day)) for day in days] == [False, True, True, False]
