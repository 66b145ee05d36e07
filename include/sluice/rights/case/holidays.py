"""Working days of a country under Regulation (EEC, Euratom) 1182/71 Art. 2: no Saturday, Sunday or holiday.

The days come from the library ``holidays`` (offline). For a country in ``facts/statutory_days.csv`` only the
days listed there count; for the others, all nation-wide public holidays of the library.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import cache

from sluice.agreement.clauses.facts import EEA_COUNTRIES
from sluice.errors import Ref
from sluice.rights.case.facts import ClockRefused, StatutoryDay, statutory_days

SATURDAY = 5
ONE_DAY = timedelta(days=1)


def check_country(country: str) -> None:
    """Raise ClockRefused unless the country has a calendar: ISO 3166 alpha-2, upper case, in the EEA."""
    if country not in EEA_COUNTRIES:
        raise ClockRefused(Ref("rule", "COUNTRY_OUTSIDE_EEA"))


def is_working_day(day: date, country: str) -> bool:
    """Whether a period may end on this day. Raises ClockRefused for a country or year without calendar."""
    return day not in public_holidays(country, day.year) and day.weekday() < SATURDAY


def next_working_day(day: date, country: str) -> date:
    """The day itself if it is a working day, else the first one after it (Reg. 1182/71 Art. 3(4))."""
    while not is_working_day(day, country):
        day += ONE_DAY
    return day


def working_days_before(day: date, count: int, country: str) -> date:
    """The working day that lies ``count`` working days before ``day``."""
    for _ in range(count):
        day -= ONE_DAY
        while not is_working_day(day, country):
            day -= ONE_DAY
    return day


@cache
def public_holidays(country: str, year: int) -> frozenset[date]:
    """The public holidays of one year. country: ISO 3166 alpha-2, upper case, in the EEA.

    Raises ClockRefused for another country, for a year that the library does not cover, and when the library no
    longer knows a statutory day: without it, the clock would be wrong and nobody would notice.
    """
    named = library_days(country, year)
    listed = statutory_days(country)
    return restricted(named, listed, year) if listed else frozenset(named)


def restricted(named: Mapping[date, Sequence[str]], listed: Sequence[StatutoryDay], year: int) -> frozenset[date]:
    """The days of a year that the law lists. Raises ClockRefused if the library does not know one of them."""
    known = {name for names in named.values() for name in names}
    for row in listed:
        if row.valid_from.year <= year <= row.valid_until.year and row.day not in known:
            raise ClockRefused(Ref("rule", "HOLIDAY_NOT_IN_CALENDAR"), Ref("country", row.country), Ref("day", row.day))
    return frozenset(
        day for day, names in named.items() if any(row.day in names and row.is_in_force(day) for row in listed)
    )


def library_days(country: str, year: int) -> Mapping[date, tuple[str, ...]]:
    """The library's holidays of a year with their English names; two may fall on one day. Raises ClockRefused."""
    check_country(country)
    import holidays  # takes half a second, so only when a clock is needed

    calendar = holidays.country_holidays(country, years=year, language="en_US")
    if not calendar.start_year <= year <= calendar.end_year:
        raise ClockRefused(Ref("rule", "CALENDAR_ENDS"), Ref("country", country), Ref("year", year))
    return {day: tuple(calendar.get_list(day)) for day in calendar}
