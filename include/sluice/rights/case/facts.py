"""Numbers and statutory days of the legal clock: dated rows of ``rights/facts/``, each with its source."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import ClassVar

from sluice.errors import Exit, Ref, SluiceError


class ClockRefused(SluiceError):
    """The clock cannot be computed. Words of ``Ref("rule", ...)``:

    COUNTRY_OUTSIDE_EEA, BEFORE_FIRST_RULE (of a parameter), CALENDAR_ENDS, HOLIDAY_NOT_IN_CALENDAR,
    MOMENT_WITHOUT_ZONE, DATE_OUT_OF_RANGE, PAUSE_ENDS_BEFORE_IT_BEGINS, PAUSE_BEFORE_RECEIPT,
    AWARE_IN_THE_FUTURE.
    """

    code: ClassVar[str] = "SLU-531"
    summary: ClassVar[str] = "the legal clock cannot be computed"
    cure: ClassVar[str] = (
        "give a date from 2018-05-25 on, or a moment with its zone, and a country of the EEA; "
        "of awareness one that is past"
    )
    exit: ClassVar[Exit] = Exit.USAGE


@dataclass(frozen=True, slots=True)
class Parameter:
    """One number, valid from a Brussels date until the next row of the same name.

    Units: year, month, day, working day, hour.
    """

    name: str
    value: int
    unit: str
    valid_from: date
    source: str


@dataclass(frozen=True, slots=True)
class StatutoryDay:
    """A public holiday by law, under its English name in the library ``holidays``. Both dates are inclusive."""

    country: str
    day: str
    valid_from: date
    valid_until: date
    source: str

    def is_in_force(self, on: date) -> bool:
        """Whether this was a holiday by law on a date."""
        return self.valid_from <= on <= self.valid_until


@dataclass(frozen=True, slots=True)
class ClockParameters:
    """All numbers of the clock as they stood on one date. ``alarm_days``: in working days, first alarm first."""

    answer_months: int
    extended_months: int
    alarm_days: tuple[int, ...]
    breach_hours: int
    forward_hours: int


@cache
def clock_parameters(on: date) -> ClockParameters:
    """The numbers in force on a Brussels date: the day of receipt, or of awareness of a breach.

    Raises ClockRefused before the GDPR applied.
    """
    alarms = ("first_alarm", "second_alarm", "last_alarm")
    return ClockParameters(
        answer_months=_value("answer", "month", on),
        extended_months=_value("extended_answer", "month", on),
        alarm_days=tuple(_value(name, "working day", on) for name in alarms),
        breach_hours=_value("breach_notice", "hour", on),
        forward_hours=_value("forward", "hour", on),
    )


@cache
def sealed_days(on: date) -> int:
    """How many days the sealed material of a case is kept after the Brussels date on which the case was closed."""
    return _value("sealed_case_material", "day", on)


def consent_days(on: date) -> int:
    """How many days a consent record is kept after the Brussels date on which it ended."""
    return _value("consent_record", "day", on)


@cache
def fewest_sealed_days() -> int:
    """The smallest number of days that :func:`sealed_days` returns for any date."""
    return min(row.value for row in parameters() if row.name == "sealed_case_material")


def exception_review_months(on: date) -> int:
    """After how many months an exception to an erasure, decided on a Brussels date, is reviewed."""
    return _value("exception_review", "month", on)


def answer_days(on: date) -> int:
    """How many days a package for a person is kept in the vault, by the number in force on a Brussels date."""
    return _value("answer_package", "day", on)


def link_days(on: date) -> int:
    """For how many days a link opens a package, by the number in force on a Brussels date."""
    return _value("answer_link", "day", on)


def register_years(on: date) -> int:
    """How many years a register keeps a row after its processing ended, by the number in force on a Brussels date."""
    return _value("register_row", "year", on)


def value_on(rows: Sequence[Parameter], name: str, unit: str, on: date) -> int:
    """The number in force on a date: that of its latest row until then. Raises ClockRefused if there is none."""
    held = [row for row in rows if (row.name, row.unit) == (name, unit) and row.valid_from <= on]
    if not held:
        raise ClockRefused(Ref("rule", "BEFORE_FIRST_RULE"), Ref("parameter", name))
    return max(held, key=lambda row: row.valid_from).value


def _value(name: str, unit: str, on: date) -> int:
    return value_on(parameters(), name, unit, on)


@cache
def parameters() -> tuple[Parameter, ...]:
    """Every row of the table of numbers, with its source."""
    return tuple(
        Parameter(row["name"], int(row["value"]), row["unit"], date.fromisoformat(row["valid_from"]), row["source"])
        for row in _rows("parameters")
    )


@cache
def statutory_days(country: str) -> tuple[StatutoryDay, ...]:
    """The holidays that the law of a country lists; empty for countries that use the library's own list."""
    return tuple(
        StatutoryDay(
            row["country"],
            row["day"],
            date.fromisoformat(row["valid_from"]),
            date.fromisoformat(row["valid_until"]) if row["valid_until"] else date.max,
            row["source"],
        )
        for row in _rows("statutory_days")
        if row["country"] == country
    )


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = (files("sluice.rights") / "facts" / f"{name}.csv").read_text(encoding="utf-8")
    return csv.DictReader(text.splitlines())
