"""What is heard of staff while a return lies prepared: it is made anew before anybody can let it go."""

import csv
from datetime import UTC, datetime

import pytest

from night import HEAD, Call, Night, ago
from sluice.exchange.read import ExchangeLine
from sluice.returns.release import release
from sluice.sample.files import write_campaign

pytestmark = pytest.mark.stores
WITHDRAWN = f"{HEAD},withdrawn\nexam,agent01,{ago(119)},gdpr-2,yes,95,yes\n"
"""The exam of agent01 never was."""


def ready(agent: str) -> str:
    return (
        f"{HEAD}\ncourse,{agent},{ago(110)},gdpr-2,yes,\nexam,{agent},{ago(109)},gdpr-2,yes,95\n"
        f"signature,{agent},{ago(108)},coc-4,,\n"
    )


@pytest.fixture
def prepared(night: Night) -> ExchangeLine:
    """One row would go, one waits for agent02, who failed the exam."""
    first, second = night.people(2)
    night.called(Call("c1", *first), Call("c2", *second, agent="agent02"))
    night.make()
    [line] = night.returns()
    return line


def test_an_exam_that_is_withdrawn_after_a_return_was_prepared_keeps_its_rows_here(
    night: Night, prepared: ExchangeLine
) -> None:
    night.admit(WITHDRAWN)
    release(night.desk.house, prepared.id, "an.peeters", datetime.now(UTC))
    night.make()

    newer, older = night.returns()
    assert (older.id, older.reason_code) == (prepared.id, "STALE_NEWER_RETURN")
    assert night.delivered() == {}
    assert night.record(newer).right_treatment.held_back == {"STAFF_NO_EXAM": 1, "STAFF_EXAM_BELOW_MINIMUM": 1}


def test_an_agent_who_becomes_ready_while_a_return_lies_prepared_goes_with_it(
    night: Night, prepared: ExchangeLine
) -> None:
    night.admit(ready("agent02"))
    night.make()

    newer, older = night.returns()
    assert (older.id, older.reason_code) == (prepared.id, "STALE_NEWER_RETURN")
    night.release(newer)
    assert night.record(newer).what.rows_accepted == 2
    assert len(night.returns()) == 2


def test_contacts_that_came_later_stay_in_what_staff_news_makes_anew(night: Night) -> None:
    later = night.desk.folder / "later.csv"
    write_campaign(later, 30, 77)
    with later.open(encoding="utf-8", newline="") as file:
        new = next(csv.DictReader(file, delimiter=";"))
    first, second = night.people(2)
    night.called(
        Call("c1", *first), Call("c2", *second, agent="agent02"), Call("c3", new["customer_number"], new["phone"])
    )
    night.make()
    night.desk.drop(later, "later.csv")
    night.desk.work()
    night.make()
    assert [line.decision for line in night.returns()] == ["open", "refused"], "it lifts what lies prepared, too"

    night.admit(ready("agent02"))
    night.make()

    newest = night.returns()[0]
    night.release(newest)
    assert (night.record(newest).what.rows_accepted, night.record(newest).right_treatment.held_back) == (3, {})


def test_news_of_somebody_else_leaves_what_lies_prepared_alone(night: Night, prepared: ExchangeLine) -> None:
    night.admit(ready("agent09"))
    night.make()
    assert [(line.id, line.decision) for line in night.returns()] == [(prepared.id, "open")]
