"""The legal clock of a request: pure rules on dates (GDPR Art. 12(3), Regulation (EEC, Euratom) 1182/71).

Every date is a Europe/Brussels calendar date, every moment is aware. Time, country and numbers are
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
    """The strict clock: each is the last day on which the answer is in time, the extended one if extended."""

    received: date
    nominal_due: date
    legal_due: date
    extended_due: date


@dataclass(frozen=True, slots=True)
class Pause:
    """From the day the person was asked to prove who they are to the day they did; None: still waiting."""

    asked_on: date
    proven_on: date | None = None

    def __post_init__(self) -> None:
        if self.proven_on is not None and self.proven_on < self.asked_on:
            raise ClockRefused(Ref("rule", "PAUSE_ENDS_BEFORE_IT_BEGINS"))


@dataclass(frozen=True, slots=True)
class PausedClock:
    """The clock beside the strict one, which stays the one that alarms. A due date is None while it stands still."""

    strict: DueDates
    legal_due: date | None
    extended_due: date | None


def received_on(moment: datetime) -> date:
    """The Brussels calendar date of a moment (t0). Raises ClockRefused for a moment without zone."""
    try:
        return _aware(moment).astimezone(BRUSSELS).date()
    except OverflowError:
        pass
    raise ClockRefused(Ref("rule", "DATE_OUT_OF_RANGE"))


def due_dates(received: date, country: str, parameters: ClockParameters) -> DueDates:
    """The last days to answer, inclusive: one month, and three if extended, both counted from receipt.

    country: the controller's, ISO 3166 alpha-2. Raises ClockRefused for a country outside the EEA and
    for a year without calendar. (Art. 12(3); Reg. 1182/71 Art. 3(2)(c) and (4).)
    """
    nominal = months_later(received, parameters.answer_months)
    extended = months_later(received, parameters.extended_months)
    return DueDates(received, nominal, next_working_day(nominal, country), next_working_day(extended, country))


def extension_latest(due: DueDates) -> date:
    """The last calendar day on which the notice of an extension, or a refusal, is in time: before the legal due."""
    return due.legal_due - ONE_DAY


def alarms(due_on: date, country: str, parameters: ClockParameters) -> tuple[date, ...]:
    """The working days on which a due date (legal or extended) raises its alarms, first alarm first."""
    return tuple(working_days_before(due_on, days, country) for days in parameters.alarm_days)


def paused(due: DueDates, pauses: Sequence[Pause], country: str, parameters: ClockParameters) -> PausedClock:
    """The clock that stood still while identity was not proven (Art. 12(6)); the strict one is untouched.

    Each calendar day of waiting counts once, however pauses overlap; then the end rolls to a working
    day. A question asked after the clock ran out moves nothing. Raises ClockRefused for a question
    before receipt.
    """
    if any(pause.asked_on < due.received for pause in pauses):
        raise ClockRefused(Ref("rule", "PAUSE_BEFORE_RECEIPT"))
    waits = _merged(pauses)
    extended = months_later(due.received, parameters.extended_months)
    return PausedClock(due, _moved(due.nominal_due, waits, country), _moved(extended, waits, country))


def breach_due(aware_at: datetime, parameters: ClockParameters) -> datetime:
    """When the authority must have been told of a breach, UTC: elapsed hours, no rolling (Art. 33(1))."""
    return elapsed_due(aware_at, parameters.breach_hours)


def elapsed_due(since: datetime, hours: int) -> datetime:
    """The moment, UTC, when so many hours have elapsed: the agreement's hours to forward a request, too."""
    return _aware(since).astimezone(UTC) + timedelta(hours=hours)


def months_later(day: date, months: int) -> date:
    """The same day number, or the last of a shorter month."""
    if isinstance(day, datetime):
        # A datetime is a date to Python, and would silently give the day in its own zone.
        raise TypeError("a date of receipt comes from received_on")
    years, month = divmod(day.month - 1 + months, 12)
    if day.year + years > date.max.year:
        raise ClockRefused(Ref("rule", "DATE_OUT_OF_RANGE"))
    return date(day.year + years, month + 1, min(day.day, monthrange(day.year + years, month + 1)[1]))


def _merged(pauses: Sequence[Pause]) -> Sequence[Pause]:
    """The same days as pauses in order that do not overlap."""
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
    """A due date after the waits that began before it; None if one has no end yet."""
    for wait in waits:
        if wait.asked_on > next_working_day(nominal, country):
            break
        if wait.proven_on is None:
            return None
        # Asked between the nominal and the rolled day, nothing of the period is left: due when proven.
        nominal = max(nominal, wait.asked_on) + (wait.proven_on - wait.asked_on)
    return next_working_day(nominal, country)


def _aware(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise ClockRefused(Ref("rule", "MOMENT_WITHOUT_ZONE"))
    return moment
