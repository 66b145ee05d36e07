"""What retention removed of a day: its list of held rows."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from copies import Copies
from night import AT_ONCE, CALLED_AT, HEAD, Call, Night, ago, copied_night
from sluice.errors import NotFound, StoreError
from sluice.exchange.catalogue import find_copies, get_copy
from sluice.exchange.naming import BRUSSELS
from sluice.exchange.read import ExchangeLine
from sluice.ledger.record import CopyLine
from sluice.retention.run import retain
from sluice.terms import ExchangeId

pytestmark = pytest.mark.stores
READY = f"""{HEAD}
course,agent02,{ago(90)},gdpr-2,yes,
exam,agent02,{ago(89)},gdpr-2,yes,95
signature,agent02,{ago(88)},coc-4,,
"""
"""agent02 was ready when the calls were made: what was held for them may go."""
DAY = timedelta(days=1)


@pytest.fixture
def night(copies: Copies, tmp_path: Path) -> Iterator[Night]:
    """Returns go at once."""
    with copied_night(copies, tmp_path, AT_ONCE) as opened:
        yield opened


def after(copy: CopyLine) -> datetime:
    """When retention runs on the first day on which a copy may be gone."""
    assert copy.delete_after is not None
    return datetime.combine(date.fromisoformat(copy.delete_after) + DAY, time(1, 20), BRUSSELS).astimezone(UTC)


def held_of(night: Night, line: ExchangeLine) -> CopyLine:
    return get_copy(night.desk.house.conn, ExchangeId(line.id), "held")


def one_held(night: Night) -> ExchangeLine:
    """The return of two calls, of which one waits for its agent."""
    first, second = night.people(2)
    night.called(Call("c1", *first), Call("c2", *second, agent="agent02"))
    night.make()
    [line] = night.returns()
    assert night.record(line).right_treatment.held_back == {"STAFF_EXAM_BELOW_MINIMUM": 1}
    return line


def called_before(night: Night, days: int) -> None:
    """Calls of an earlier day, whose return is due too."""
    person = night.people(3)[2]
    night.called(Call(f"d{days}", *person, at=CALLED_AT - days * DAY), name=f"log{days}.csv")


def test_held_rows_whose_list_is_gone_are_no_news_and_keep_no_other_day_from_its_return(night: Night) -> None:
    line = one_held(night)
    retain(night.desk.house, after(held_of(night, line)))
    assert "held" not in {copy.kind for copy in find_copies(night.desk.house.conn, ExchangeId(line.id))}
    assert night.desk.sql("select count(*) as n from accepted_data")[0]["n"] == 2, "its inputs are there"
    night.admit(READY)
    called_before(night, 1)

    night.make()

    newer, older = night.returns()
    assert (older.id, newer.decision) == (line.id, "accepted")
    with pytest.raises(NotFound, match="held rows of exchange"):
        night.held(line)


def test_held_rows_whose_list_is_there_are_lifted_by_the_same_news(night: Night) -> None:
    """The control."""
    line = one_held(night)
    assert [row.reason for row in night.held(line)] == ["STAFF_EXAM_BELOW_MINIMUM"]
    night.admit(READY)
    night.make()
    newer, older = night.returns()
    assert (older.id, night.record(newer).what.supersedes) == (line.id, line.id)
    assert night.record(newer).what.rows_accepted == 2


def test_a_day_that_cannot_be_opened_keeps_no_other_waiting_and_is_heard_of(night: Night) -> None:
    """The list of held rows is lost in the store, and nobody deleted it."""
    line = one_held(night)
    lost = held_of(night, line)
    night.desk.house.objects.delete_version(lost.bucket, lost.key, lost.version_id)
    night.admit(READY)
    called_before(night, 1)

    with pytest.raises(StoreError, match="days with returns not opened 1"):
        night.make()

    newer, older = night.returns()
    assert (older.id, newer.decision) == (line.id, "accepted"), "the other day is made all the same"
