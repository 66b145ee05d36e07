"""What the desk is told: cases near their last day, and refusals, once, whatever the clocks of workers say."""

from datetime import UTC, datetime, timedelta

import pytest

from returns.commands import at_terminal, sluice
from rights.asking import DESK
from sluice.rights.alerts.alarms import find_alarms
from sluice.rights.alerts.due import DUE
from sluice.rights.alerts.tell import tell_desk, ways
from sluice.rights.case.clock import alarms
from sluice.rights.case.facts import clock_parameters
from sluice.rights.case.model import Case, Right
from sluice.rights.mail.model import MailKind
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


def refuse(desk: Desk, count: int) -> set[str]:
    """So many files that are not accepted; their exchanges."""
    before = {line.id for line in desk.lines()}
    for number in range(count):
        desk.drop(b"no;contract\n1;%d\n" % number, f"bad-{count}-{number}.csv")
    desk.work()
    return {line.id for line in desk.lines()} - before


def tell(desk: Desk) -> set[str]:
    """One look for refusals; the exchanges in the message that it made."""
    told = {row["number"] for row in desk.sql("select number from desk_message")}
    conn, now, kind = desk.house.conn, datetime.now(UTC), MailKind.REFUSED
    tell_desk(conn, ways(desk.settings, now), kind, DUE[kind](conn, now), now)
    rows = desk.sql("select number, lines from desk_message")
    return {line.split()[0] for row in rows if row["number"] not in told for line in row["lines"]}


def set_closed(desk: Desk, exchanges: set[str], ahead: str) -> None:
    """As if a worker had closed them whose clock goes so much ahead."""
    desk.house.conn.execute(
        "update exchange set closed_at = now() + %s::interval where exchange_id = any(%s::uuid[])",
        (ahead, list(exchanges)),
    )


@pytest.mark.parametrize("ahead", ["9 years", "-5 days"])
def test_a_worker_with_a_wrong_clock_silences_nobody_and_loses_none_of_its_own(desk: Desk, ahead: str) -> None:
    first = refuse(desk, 1)
    assert tell(desk) == first
    wrong = refuse(desk, 2)
    set_closed(desk, wrong, ahead)
    assert tell(desk) == wrong
    later = refuse(desk, 3)
    assert tell(desk) == later
    assert tell(desk) == set()
    assert desk.sql("select from exchange where not is_told") == [], "none is read again"
