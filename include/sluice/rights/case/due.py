"""What is due because time has passed: forwarding, reminding, escalating, a missed deadline. Pure functions of state.

The intervals are the center's own (no law sets them); the legal dates come from the case.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from sluice.rights.case.clock import alarms, received_on
from sluice.rights.case.facts import clock_parameters
from sluice.rights.case.model import Case, State, SubCase, SubCaseId, Track


class Due(StrEnum):
    """What has to be done, most urgent first."""

    FORWARD = "FORWARD"
    REMIND = "REMIND"
    ESCALATE = "ESCALATE"
    BREACH = "BREACH"


@dataclass(frozen=True, slots=True)
class DueAction:
    """One thing to do now. ``is_late``: for FORWARD only, whether the agreement's hours have passed."""

    what: Due
    case: Case
    part: SubCase | None = None
    is_late: bool = False

    @property
    def sub_case_id(self) -> SubCaseId:
        """The part that the action is about; a breach has none."""
        assert self.part is not None
        return self.part.sub_case_id


@dataclass(frozen=True, slots=True)
class Alarm:
    """A case that comes near its last day (Art. 12(3)), or is past it.

    ``raised_on``: the working day of the alarm, or the last day once that has passed.
    """

    case: Case
    last_day: date
    raised_on: date
    is_late: bool


REMIND_AFTER = timedelta(days=3)
"""How long a controller that sends no instruction is left alone, since it was last told."""
ESCALATE_AFTER = timedelta(days=10)
"""When the desk takes over, counted from the moment the request was forwarded."""
ESCALATE_BEFORE = timedelta(days=10)
"""The same, counted back from the legal due date. Whichever of the two comes first counts."""
ONE_DAY = timedelta(days=1)


def due_actions(cases: Sequence[Case], now: datetime) -> tuple[DueAction, ...]:
    """Everything that is due at ``now``, the most urgent kind first. Once all of it is done, nothing is due.

    One exception: a breach is due again for as long as an answer that the person had in time is not booked. The
    caller looks for such an answer first.
    """
    found = [action for case in cases if not case.state.is_over for action in _of_case(case, now)]
    return tuple(sorted(found, key=lambda action: list(Due).index(action.what)))


def raised_alarms(cases: Iterable[Case], today: date) -> Iterator[Alarm]:
    """Yield the latest alarm that was raised for every open case without answer. ``today``: a Brussels date."""
    for case in cases:
        if case.state.is_over or is_answered(case):
            continue
        last = case.last_day
        days = [day for day in alarms(last, case.country, clock_parameters(case.due.received)) if day <= today]
        if today > last:
            yield Alarm(case, last, last, True)
        elif days:
            yield Alarm(case, last, max(days), False)


def _of_case(case: Case, now: datetime) -> Iterator[DueAction]:
    for part in case.sub_cases:
        if part.track is Track.PROCESSOR and (what := _of_part(case, part, now)):
            is_late = part.forward_due_at is not None and now > part.forward_due_at
            yield DueAction(what, case, part, is_late and what is Due.FORWARD)
    if not case.is_breached and received_on(now) > case.last_day and not is_answered(case):
        yield DueAction(Due.BREACH, case)


def _of_part(case: Case, part: SubCase, now: datetime) -> Due | None:
    if part.state is State.SCOPED:
        return Due.FORWARD
    if part.state not in (State.AWAITING_INSTRUCTION, State.REMINDED):
        return None
    if part.forwarded_at is None or part.told_at is None or now - part.told_at < ONE_DAY:
        return None
    close = received_on(now) >= case.due.legal_due - ESCALATE_BEFORE
    if close or now - part.forwarded_at >= ESCALATE_AFTER:
        return Due.ESCALATE
    return Due.REMIND if now - part.told_at >= REMIND_AFTER else None


def is_answered(case: Case) -> bool:
    """Whether every part has its answer, so that no deadline can be missed any more."""
    parts = case.sub_cases  # a case that waits for a candidate has none, and is not answered
    return bool(parts) and all(part.is_answered for part in parts)
