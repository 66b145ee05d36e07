"""What is heard of staff while a return lies prepared: it is made anew before anybody can let it go."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from returns.test_roles import amend
from sluice.agreement.in_force.activate import activate_principal
from sluice.exchange.read import ExchangeLine
from sluice.returns.release import release
from sluice.returns.staffing import StaffNews
from sluice.sample.files import write_campaign
from sluice.times import brussels_today
from support.copies import Copies
from support.night import AGREEMENT, AT_ONCE, HEAD, Call, Night, ago, copied_night

pytestmark = pytest.mark.stores
WITHDRAWN = f"{HEAD},withdrawn\nexam,agent01,{ago(119)},gdpr-2,yes,95,yes\n"
"""The exam of agent01 never was."""


def ready(agent: str) -> str:
    return (
        f"{HEAD}\ncourse,{agent},{ago(110)},gdpr-2,yes,\nexam,{agent},{ago(109)},gdpr-2,yes,95\n"
        f"signature,{agent},{ago(108)},coc-4,,\n"
    )


@pytest.fixture
def night(copies: Copies, tmp_path: Path) -> Iterator[Night]:
    """An installation with papers, ready staff and empty stores: what is counted is asked for all of it."""
    with copied_night(copies, tmp_path) as opened:
        yield opened


@pytest.fixture
def prepared(night: Night) -> ExchangeLine:
    """A prepared return: one row goes, one waits for agent02, who failed the exam."""
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


def check_made_anew_with_both(night: Night, prepared: ExchangeLine) -> None:
    newer, older = night.returns()
    assert (older.id, older.reason_code) == (prepared.id, "STALE_NEWER_RETURN")
    night.release(newer)
    assert night.record(newer).what.rows_accepted == 2


def test_an_agent_who_becomes_ready_while_a_return_lies_prepared_goes_with_it(
    night: Night, prepared: ExchangeLine
) -> None:
    night.admit(ready("agent02"))
    night.make()

    check_made_anew_with_both(night, prepared)
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


@contextmanager
def gets(night: Night, ending: str) -> Iterator[list[str]]:
    """Requests to the store, made meanwhile, for the content of an object whose key ends so."""
    events, made = night.desk.house.objects._client.meta.events, list[str]()

    def seen(request: object, **_: object) -> None:
        path = str(getattr(request, "url", "")).partition("?")[0]
        if path.endswith(ending):
            made.append(path)

    events.register("before-send.s3.GetObject", seen)
    try:
        yield made
    finally:
        events.unregister("before-send.s3.GetObject", seen)


def test_the_same_news_is_looked_at_once_while_a_return_lies_prepared(night: Night, prepared: ExchangeLine) -> None:
    with gets(night, "part-0.parquet") as made:
        night.admit(ready("agent09"))
        for _ in range(3):
            night.make()
        assert len(made) == 1
        night.admit(ready("agent08"))
        for _ in range(2):
            night.make()
        assert len(made) == 2, "of later news nothing is known yet"

    night.admit(ready("agent02"))
    night.make()

    check_made_anew_with_both(night, prepared)


def test_the_same_news_is_looked_at_once_where_rows_of_a_delivered_return_wait(copies: Copies, tmp_path: Path) -> None:
    with copied_night(copies, tmp_path, AT_ONCE) as night:
        first, second = night.people(2)
        night.called(Call("c1", *first), Call("c2", *second, agent="agent02"))
        night.make()
        with gets(night, "held.csv") as made:
            night.admit(ready("agent09"))
            for _ in range(3):
                night.make()
            assert len(made) == 1

        night.admit(ready("agent02"))
        night.make()
        assert night.record(night.returns()[0]).what.rows_accepted == 2


def test_an_import_that_comes_while_days_are_looked_at_is_news_to_the_next_poll(night: Night) -> None:
    conn, minimum = night.desk.house.conn, Decimal(90)
    news = StaffNews(conn)
    named = news.name(minimum)
    night.admit(ready("agent09"))
    assert (news.name(minimum), StaffNews(conn).name(minimum) != named) == (named, True)


def test_news_that_was_looked_at_counts_again_under_another_minimum(night: Night) -> None:
    """The second exam of agent03 changed nothing while both were below the minimum."""
    night.admit(ready("agent03").replace("yes,95", "yes,70").replace(ago(108), ago(99)))
    first, second = night.people(2)
    night.called(Call("c1", *first), Call("c2", *second, agent="agent03"))
    night.make()
    [prepared] = night.returns()
    night.admit(f"{HEAD}\ncourse,agent03,{ago(101)},gdpr-2,yes,\nexam,agent03,{ago(100)},gdpr-2,yes,85\n")
    night.make()
    assert [line.id for line in night.returns()] == [prepared.id]

    papers = night.desk.settings.principals_dir / "energy01"
    duties = yaml.safe_load((papers / AGREEMENT).read_text("utf-8"))["duties"]
    duties["b_confidentiality"]["minimumExamScore"] = 80
    amend(night.desk.settings, "3.1.0", brussels_today(), duties=duties)
    assert not activate_principal(night.desk.house.conn, papers, datetime.now(UTC)).is_refused
    night.make()

    check_made_anew_with_both(night, prepared)
