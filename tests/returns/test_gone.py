"""What retention removed of a day: its list of held rows, a file of contacts, an input of a return that still waits."""

import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from sluice.errors import NotFound
from sluice.exchange.catalogue import find_copies, get_copy
from sluice.exchange.read import ExchangeLine
from sluice.exchange.sweeping import LeftUndone
from sluice.ledger.record import CopyLine
from sluice.retention.run import retain
from sluice.returns.due import open_due
from sluice.rights.copies import copy_store
from sluice.rights.copies.swap import remove
from sluice.sample.files import write_campaign
from sluice.terms import ExchangeId, Principal
from sluice.times import BRUSSELS
from support.copies import Copies
from support.desk import ENERGY
from support.night import AGREEMENT, AT_ONCE, CALLED_AT, HEAD, RESULTS, Call, Edit, Night, ago, copied_night

pytestmark = pytest.mark.stores
READY = f"""{HEAD}
course,agent02,{ago(90)},gdpr-2,yes,
exam,agent02,{ago(89)},gdpr-2,yes,95
signature,agent02,{ago(88)},coc-4,,
"""
"""agent02 was ready when the calls were made: what was held for them may go."""
DAY = timedelta(days=1)
LONG = Edit(AGREEMENT, "duration: P1M, statute", "duration: P3M, statute")
"""Recordings, and with them the file of results, stay longer than the list of what was held of it."""


@pytest.fixture
def night(copies: Copies, tmp_path: Path) -> Iterator[Night]:
    """An installation whose returns are delivered without a second person."""
    with copied_night(copies, tmp_path, AT_ONCE, LONG) as opened:
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

    with pytest.raises(LeftUndone, match="days with returns to open left undone 1"):
        night.make()

    newer, older = night.returns()
    assert (older.id, newer.decision) == (line.id, "accepted"), "the other day is made all the same"


def two_files(night: Night) -> tuple[ExchangeLine, ExchangeLine]:
    """One call of each of two files of contacts; the files."""
    [first] = night.desk.lines()
    path = night.desk.folder / "second.csv"
    write_campaign(path, 30, 77)
    dropped = night.desk.drop(path, "second.csv")
    night.desk.work()
    with path.open(encoding="utf-8", newline="") as file:
        new = next(csv.DictReader(file, delimiter=";"))
    night.called(Call("c1", *night.people(1)[0]), Call("c2", new["customer_number"], new["phone"]))
    return first, night.desk.line(dropped)


def gone(night: Night, line: ExchangeLine) -> None:
    """Remove the rows of a file as retention does."""
    found = copy_store.find_copies(night.desk.house.conn, Principal(ENERGY[0]), among=[ExchangeId(line.id)])
    [lake] = [copy for copy in found if copy.kind == "lake"]
    remove(night.desk.house, lake)


def test_a_delivered_return_is_not_made_again_with_less_when_contacts_are_gone(night: Night) -> None:
    _, second = two_files(night)
    night.make()
    [line] = night.returns()
    assert (line.decision, line.rows_accepted) == ("accepted", 2)

    gone(night, second)
    night.make()
    assert [each.id for each in night.returns()] == [line.id]

    night.called(Call("c3", *night.people(2)[1]), name="late.csv")
    night.make()
    newer, _ = night.returns()
    assert night.record(newer).what.supersedes == line.id, "the control: a late result is news"


@pytest.mark.parametrize("is_gone", [True, False])
def test_later_contacts_replace_no_return_one_of_whose_files_is_gone(night: Night, is_gone: bool) -> None:
    _, second = two_files(night)
    night.called(Call("c9", "E99999999", "+32470999999"), name="unknown.csv")
    night.make()
    [line] = night.returns()
    assert night.record(line).right_treatment.held_back == {"RESULT_UNKNOWN_RECORD": 1}

    if is_gone:
        gone(night, second)
    night.desk.drop(night.contacts.read_bytes() + b"\n", "tomorrow.csv")
    night.desk.work()
    night.make()

    assert len(night.returns()) == (1 if is_gone else 2), "the control: contacts that come later are looked at"
    assert night.returns()[-1].rows_accepted == 2


def test_a_waiting_return_goes_whole_when_contacts_are_gone(copies: Copies, tmp_path: Path) -> None:
    with copied_night(copies, tmp_path) as night:
        _, second = two_files(night)
        night.make()
        [line] = night.returns()
        gone(night, second)
        night.make()
        assert [(each.id, each.decision) for each in night.returns()] == [(line.id, "open")]
        night.release(line)
        assert [(each.id, each.rows_accepted) for each in night.returns()] == [(line.id, 2)]


def test_results_without_any_contacts_are_held_until_there_are_some(night: Night) -> None:
    [contacts] = night.desk.lines()
    night.called(*(Call(f"c{n}", *person) for n, person in enumerate(night.people(2))))
    gone(night, contacts)

    night.make()
    [line] = night.returns()
    assert (line.decision, line.reason_code) == ("refused", "SHAPE_ROW_COUNT")
    assert night.record(line).right_treatment.held_back == {"RESULT_UNKNOWN_RECORD": 2}
    assert [row.reason for row in night.held(line)] == ["RESULT_UNKNOWN_RECORD"] * 2
    night.make()
    assert len(night.returns()) == 1

    night.desk.drop(night.contacts.read_bytes() + b"\n", "again.csv")
    night.desk.work()
    night.make()
    assert (night.returns()[0].decision, night.returns()[0].rows_accepted) == ("accepted", 2)
    night.make()
    assert len(night.returns()) == 2


def test_a_return_whose_input_is_gone_before_it_was_made_is_refused_and_the_next_says_what_it_lacks(
    night: Night,
) -> None:
    first, second = two_files(night)
    open_due(night.desk.house, Principal(ENERGY[0]), RESULTS, datetime.now(UTC))
    gone(night, second)

    night.make()
    [line] = night.returns()
    assert (line.decision, line.reason_code, night.delivered()) == ("refused", "STALE_INPUT_GONE", {})
    night.make()
    night.make()
    newer, _ = night.returns()
    record = night.record(newer)
    assert (record.right_treatment.held_back, record.what.rows_accepted) == ({"RESULT_UNKNOWN_RECORD": 1}, 1)
    assert [each.exchange_id for each in record.what.inputs if each.kind == "contacts"] == [first.id]
