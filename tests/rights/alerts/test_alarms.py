"""Cases near their last day are said, 10, 5 and 1 working days ahead, and said as late when it is past."""

from datetime import UTC, datetime, timedelta

import pytest

from returns.commands import at_terminal, sluice
from rights.asking import DESK
from sluice.rights.alerts.alarms import find_alarms
from sluice.rights.case.clock import alarms
from sluice.rights.case.facts import clock_parameters
from sluice.rights.case.model import Case, Right
from sluice.rights.opening import NewRequest, open_case
from sluice.terms import SubjectKind
from support.desk import Desk


def opened(desk: Desk, received: datetime) -> Case:
    """A request of somebody nobody knows, received at a moment that is past."""
    person = [(SubjectKind.PHONE, "+32470000000")]
    return open_case(
        desk.house, NewRequest(Right.ACCESS, person, None, received, "letter", "nl", DESK), datetime.now(UTC)
    )


def test_an_alarm_stands_from_its_working_day_on_and_the_next_one_takes_its_place(desk: Desk) -> None:
    case = opened(desk, datetime.now(UTC))
    last = case.due.legal_due
    days = alarms(last, "BE", clock_parameters(case.due.received))
    assert len(days) == 3

    def raised(day: object) -> list[tuple[object, bool]]:
        at = datetime.fromisoformat(f"{day}T12:00:00+00:00")
        return [(each.raised_on, each.is_late) for each in find_alarms(desk.house.conn, at)]

    assert raised(days[0] - timedelta(days=1)) == []
    assert [raised(day) for day in days] == [[(day, False)] for day in days]
    assert raised(days[1] - timedelta(days=1)) == [(days[0], False)]
    assert raised(last) == [(days[2], False)]
    assert raised(last + timedelta(days=1)) == [(last, True)]


def test_the_command_names_the_nearest_first(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    late = opened(desk, datetime.now(UTC) - timedelta(days=60))
    near = opened(desk, datetime.now(UTC) - timedelta(days=25))
    opened(desk, datetime.now(UTC))

    with at_terminal(desk, monkeypatch):
        found = sluice("clock", "alarms").document["alarms"]

    assert [(each["case"], each["is_late"]) for each in found] == [(late.case_id, True), (near.case_id, False)]
