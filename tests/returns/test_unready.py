"""An exam is withdrawn after its agent's rows went out: the same bytes do not go again, and the day is made anew."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from returns.test_staff_news import WITHDRAWN, gets, ready
from sluice.exchange.read import ExchangeLine
from sluice.returns.model import NotDelivered
from sluice.returns.release import deliver_again
from support.copies import Copies
from support.night import AGREEMENT, AT_ONCE, HEAD, Call, Edit, Night, ago, copied_night

pytestmark = pytest.mark.stores
LATER = Edit(AGREEMENT, "releaseWhenReadyLater: false", "releaseWhenReadyLater: true")
UNREADY = "AGENT_WAS_NOT_READY"


def withdrawn(agent: str) -> str:
    """A staff file that withdraws the exam of an agent who counted as ready."""
    return f"{HEAD},withdrawn\nexam,{agent},{ago(109)},gdpr-2,yes,95,yes\n"


def again(night: Night, line: ExchangeLine) -> None:
    deliver_again(night.desk.house, line.id, "an.peeters", datetime.now(UTC))


@contextmanager
def delivered(copies: Copies, folder: Path, *edits: Edit) -> Iterator[tuple[Night, ExchangeLine]]:
    """A delivered return with a row of agent01 and one of agent03."""
    with copied_night(copies, folder, AT_ONCE, *edits) as night:
        night.admit(ready("agent03"))
        first, second = night.people(2)
        night.called(Call("c1", *first), Call("c2", *second, agent="agent03"))
        night.make()
        [line] = night.returns()
        assert night.record(line).what.rows_accepted == 2
        yield night, line


def test_an_exam_that_is_withdrawn_after_the_delivery_makes_the_day_anew(copies: Copies, tmp_path: Path) -> None:
    with delivered(copies, tmp_path) as (night, line):
        again(night, line)
        versions = len(night.delivered())
        night.admit(WITHDRAWN)
        with pytest.raises(NotDelivered, match=UNREADY):
            again(night, line)
        assert len(night.delivered()) == versions

        night.make()
        newer, older = night.returns()
        assert older.id == line.id
        record = night.record(newer)
        assert record.what.supersedes == line.id
        assert (record.what.rows_accepted, record.right_treatment.held_back) == (1, {"STAFF_NO_EXAM": 1})
        again(night, newer)
        with pytest.raises(NotDelivered, match=UNREADY):
            again(night, line)
        night.make()
        assert len(night.returns()) == 2


@pytest.mark.parametrize(
    ("news", "looks"),
    [
        (ready("agent09"), 0),
        (f"{HEAD}\nexam,agent02,{ago(100)},gdpr-2,yes,20\n", 0),
        (f"{HEAD},withdrawn\nexam,agent02,{ago(119)},gdpr-2,yes,89.99,yes\n", 0),
        (f"{HEAD}\ncode_version,,{ago(0, hour=12)},coc-5,,\n", 2),
    ],
    ids=["somebody else is ready", "who failed fails again", "who failed never tried", "a new code after the call"],
)
def test_other_news_of_staff_leaves_what_was_delivered_alone(
    copies: Copies, tmp_path: Path, news: str, looks: int
) -> None:
    with delivered(copies, tmp_path) as (night, line):
        night.admit(news)
        with gets(night, "part-0.parquet") as made:
            night.make()
            again(night, line)
        assert [each.id for each in night.returns()] == [line.id]
        assert len(made) == looks, "rows are looked at only if readiness on their day is concerned"

        night.admit(WITHDRAWN)
        night.make()
        assert len(night.returns()) == 2, "the control"


def test_withdrawals_of_who_made_no_row_are_looked_at_once(copies: Copies, tmp_path: Path) -> None:
    with delivered(copies, tmp_path) as (night, line):
        night.admit(ready("agent09"))
        night.make()
        night.called(Call("c9", *night.people(3)[2]), name="late.csv")
        night.make()
        newer = night.returns()[0]
        assert newer.id != line.id
        night.admit(withdrawn("agent09"))
        with gets(night, "part-0.parquet") as made:
            for _ in range(3):
                night.make()
        assert len(made) == 2, "each file of results, once"
        assert night.returns()[0].id == newer.id
        again(night, newer)


def test_no_row_is_left(copies: Copies, tmp_path: Path) -> None:
    with delivered(copies, tmp_path) as (night, line):
        night.admit(WITHDRAWN + withdrawn("agent03").partition("\n")[2])
        night.make()
        newer = night.returns()[0]
        assert (newer.decision, night.record(newer).what.rows_accepted) == ("refused", 0)
        assert night.record(newer).what.supersedes == line.id
        with pytest.raises(NotDelivered, match=UNREADY):
            again(night, line)


def test_a_late_report_that_changed_nothing_hides_no_withdrawal(copies: Copies, tmp_path: Path) -> None:
    with delivered(copies, tmp_path) as (night, line):
        first, second = night.people(2)
        night.called(Call("c2", *second, agent="agent03"), Call("c1", *first), name="late.csv")
        night.make()
        assert night.returns()[0].reason_code == "DUPLICATE_CONTENT"
        night.admit(WITHDRAWN)
        night.make()
        assert night.record(night.returns()[0]).what.supersedes == line.id


def test_who_was_let_go_when_ready_later_is_taken_back_too(copies: Copies, tmp_path: Path) -> None:
    with copied_night(copies, tmp_path, AT_ONCE, LATER) as night:
        first, second = night.people(2)
        night.called(Call("c1", *first), Call("c2", *second, agent="agent03"))
        night.make()
        assert night.record(night.returns()[0]).what.rows_accepted == 1
        passed = ready("agent03")
        for days, hour in ((110, 12), (109, 13), (108, 14)):
            passed = passed.replace(ago(days), ago(0, hour))
        night.admit(passed)
        night.make()
        assert night.record(night.returns()[0]).what.rows_accepted == 2
        night.admit(withdrawn("agent03").replace(ago(109), ago(0, 13)))
        with pytest.raises(NotDelivered, match=UNREADY):
            again(night, night.returns()[0])
        night.make()
        assert night.record(night.returns()[0]).what.rows_accepted == 1


def test_where_results_are_gone_any_agent_of_the_day_counts_and_nothing_is_made_anew(
    copies: Copies, tmp_path: Path
) -> None:
    with delivered(copies, tmp_path) as (night, line):
        night.called(Call("c9", *night.people(3)[2]), name="late.csv")
        night.make()
        newer = night.returns()[0]
        assert newer.id != line.id
        night.admit(ready("agent09"))
        night.desk.house.conn.execute(
            """update copy set gone_at = now() where kind = 'lake' and exchange_id = (
                   select exchange_id from exchange where direction = 'internal' order by opened_at limit 1)"""
        )
        again(night, newer)
        night.admit(withdrawn("agent09"))
        again(night, newer)
        night.admit(WITHDRAWN)
        with pytest.raises(NotDelivered, match=UNREADY):
            again(night, newer)
        night.make()
        assert [each.id for each in night.returns()] == [newer.id, line.id]
