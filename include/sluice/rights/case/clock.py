"""The legal clock of a request: pure rules on dates (GDPR Art. 12(3), Regulation (EEC, Euratom) 1182/71).

Every date is a Europe/Brussels calendar date, and every moment has a zone. Time, country and numbers are
arguments: a case computes its dates once, from the numbers in force on the day it was received.
"""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sluice.errors import Ref
from sluice.rights.case.facts import ClockParameters, ClockRefused
from sluice.rights.case.holidays import ONE_DAY, next_working_day, working_days_before
from sluice.times import BRUSSELS


@dataclass(frozen=True, slots=True)
class DueDates:
    """The strict clock. An answer is in time up to and including ``legal_due``, or ``extended_due`` if extended.

    ``nominal_due`` is the end of the period before it is moved to a working day.
    """

    received: date
    nominal_due: date
    legal_due: date
    extended_due: date


@dataclass(frozen=True, slots=True)
class Pause:
    """The days from the one on which the person was asked to prove who they are to the one on which they did.

    ``proven_on``: None while they have not. Raises ClockRefused if the pause ends before it begins.
    """

    asked_on: date
    proven_on: date | None = None

    def __post_init__(self) -> None:
        if self.proven_on is not None and self.proven_on < self.asked_on:
            raise ClockRefused(Ref("rule", "PAUSE_ENDS_BEFORE_IT_BEGINS"))


@dataclass(frozen=True, slots=True)
class PausedClock:
    """The paused clock, beside the strict one, which alone raises alarms. A due date is None while it stands still."""

    strict: DueDates
    legal_due: date | None
    extended_due: date | None


def received_on(moment: datetime) -> date:
    """The Brussels calendar date of a moment (t0). Raises ClockRefused for a moment without zone or out of range."""
    try:
        return _aware(moment).astimezone(BRUSSELS).date()
    except OverflowError:
        pass
    raise ClockRefused(Ref("rule", "DATE_OUT_OF_RANGE"))


def due_dates(received: date, country: str, parameters: ClockParameters) -> DueDates:
    """The last days to answer, inclusive: after one month, or three if extended, both counted from receipt.

    country: the controller's, ISO 3166 alpha-2. Raises ClockRefused for a country outside the EEA and for a year
    without calendar. (Art. 12(3); Reg. 1182/71 Art. 3(2)(c) and (4).)
    """
    nominal = months_later(received, parameters.answer_months)
    extended = months_later(received, parameters.extended_months)
    return DueDates(received, nominal, next_working_day(nominal, country), next_working_day(extended, country))


def extension_latest(due: DueDates) -> date:
    """The last calendar day for a notice of extension or a refusal: the day before the legal due date."""
    return due.legal_due - ONE_DAY


def alarms(due_on: date, country: str, parameters: ClockParameters) -> tuple[date, ...]:
    """The working days on which a due date (legal or extended) raises its alarms, first alarm first."""
    return tuple(working_days_before(due_on, days, country) for days in parameters.alarm_days)


def paused(due: DueDates, pauses: Sequence[Pause], country: str, parameters: ClockParameters) -> PausedClock:
    """Compute the clock that stands still while identity is not proven (Art. 12(6)); the strict one is untouched.

    Each calendar day of waiting counts once, even if pauses overlap; then the end is moved to a working day. A
    question asked after the clock ran out changes nothing. Raises ClockRefused for a question before receipt.
    """
    if any(pause.asked_on < due.received for pause in pauses):
        raise ClockRefused(Ref("rule", "PAUSE_BEFORE_RECEIPT"))
    waits = _merged(pauses)
    extended = months_later(due.received, parameters.extended_months)
    return PausedClock(due, _moved(due.nominal_due, waits, country), _moved(extended, waits, country))


def breach_due(aware_at: datetime, parameters: ClockParameters) -> datetime:
    """The moment (UTC) by which the authority must be told of a breach (Art. 33(1)).

    The hours simply elapse: the end is not moved to a working day. Raises ClockRefused for a moment without zone.
    """
    return elapsed_due(aware_at, parameters.breach_hours)


def elapsed_due(since: datetime, hours: int) -> datetime:
    """The moment (UTC) at which so many hours have elapsed. Raises ClockRefused for a moment without zone.

    Also used for the hours within which the center tells a principal of a breach, as its agreement says.
    """
    return _aware(since).astimezone(UTC) + timedelta(hours=hours)


def months_later(day: date, months: int) -> date:
    """The same day of a later month, or the last day of a shorter one. Raises ClockRefused after year 9999."""
    if isinstance(day, datetime):
        # A datetime is a date to Python, and would silently give the day in its own zone.
        raise TypeError("a date of receipt comes from received_on")
    years, month = divmod(day.month - 1 + months, 12)
    if day.year + years > date.max.year:
        raise ClockRefused(Ref("rule", "DATE_OUT_OF_RANGE"))
    return date(day.year + years, month + 1, min(day.day, monthrange(day.year + years, month + 1)[1]))


def _merged(pauses: Sequence[Pause]) -> Sequence[Pause]:
    """Merge pauses into ones that cover the same days, in order and without overlap."""
    merged: list[Pause] = []
    for pause in sorted(pauses, key=lambda each: each.asked_on):
        if merged and pause.asked_on <= (merged[-1].proven_on or date.max):
            merged[-1] = Pause(merged[-1].asked_on, _later(merged[-1].proven_on, pause.proven_on))
        else:
            merged.append(pause)
    return merged


def _later(one: date | None, other: date | None) -> date | None:
    return None if one is None or other is None else max(one, other)


def _moved(nominal: date, waits: Sequence[Pause], country: str) -> date | None:
    """Move a due date by the waits that began before it; None if one of them has no end yet."""
    for wait in waits:
        if wait.asked_on > next_working_day(nominal, country):
            break
        if wait.proven_on is None:
            return None
        # If the person was asked between the nominal and the rolled day, the period is used up: due when proven.
        nominal = max(nominal, wait.asked_on) + (wait.proven_on - wait.asked_on)
    return next_working_day(nominal, country)


def _aware(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise ClockRefused(Ref("rule", "MOMENT_WITHOUT_ZONE"))
    return moment
