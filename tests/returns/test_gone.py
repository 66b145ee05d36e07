"""What retention removed of a day: its list of held rows, a file of contacts, an input of a return that still waits."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from returns.evenings import Evening
from returns.test_staff_news import ready
from sluice.errors import NotFound
from sluice.exchange.catalogue import find_copies, get_copy
from sluice.exchange.read import ExchangeLine
from sluice.exchange.sweeping import LeftUndone
from sluice.ledger.record import CopyLine
from sluice.retention.run import retain
from sluice.returns.due import open_due
from sluice.rights.copies import copy_store
from sluice.rights.copies.swap import remove
from sluice.settings import Settings
from sluice.terms import ExchangeId, Principal
from sluice.times import BRUSSELS
from support.desk import ENERGY
from support.night import AGREEMENT, AT_ONCE, CALLED_AT, RESULTS, Call, Edit, Night, open_night, with_papers

pytestmark = pytest.mark.stores
DAY = timedelta(days=1)
LONG = Edit(AGREEMENT, "duration: P1M, statute", "duration: P3M, statute")
"""Recordings, and with them the file of results, stay longer than the list of what was held of it."""


def after(copy: CopyLine) -> datetime:
    """When retention runs on the first day on which a copy may be gone."""
    assert copy.delete_after is not None
    return datetime.combine(date.fromisoformat(copy.delete_after) + DAY, time(1, 20), BRUSSELS).astimezone(UTC)


def held_of(night: Night, line: ExchangeLine) -> CopyLine:
    return get_copy(night.desk.house.conn, ExchangeId(line.id), "held")


def one_held(night: Night, agent: str, at: datetime) -> ExchangeLine:
    """The return of two calls, of which one waits for its agent."""
    first, second = night.people(2)
    night.called(Call(f"{at}1", *first, at=at), Call(f"{at}2", *second, agent=agent, at=at), name=f"{agent}.csv")
    night.make()
    line = night.returns()[0]
    assert sum(night.record(line).right_treatment.held_back.values()) == 1
    return line


def called_before(night: Night, days: int) -> None:
    """Calls of an earlier day, whose return is due too."""
    person = night.people(3)[2]
    night.called(Call(f"d{days}", *person, at=CALLED_AT - days * DAY), name=f"log{days}.csv")


def test_a_list_of_held_rows_that_is_gone_or_lost_keeps_no_other_day_from_its_return(
    store_settings: Settings, tmp_path: Path
) -> None:
    with open_night(with_papers(store_settings, tmp_path, AT_ONCE, LONG), tmp_path, 5) as night:
        line = one_held(night, "agent02", CALLED_AT)
        retain(night.desk.house, after(held_of(night, line)))
        assert "held" not in {copy.kind for copy in find_copies(night.desk.house.conn, ExchangeId(line.id))}
        assert night.desk.sql("select count(*) as n from accepted_data")[0]["n"] == 2, "its inputs are there"
        night.admit(ready("agent02"))
        called_before(night, 1)

        night.make()

        newer, older = night.returns()
        assert (older.id, newer.decision) == (line.id, "accepted"), "they are no news"
        with pytest.raises(NotFound, match="held rows of exchange"):
            night.held(line)

        line = one_held(night, "agent04", CALLED_AT - 2 * DAY)
        lost = held_of(night, line)
        night.desk.house.objects.delete_version(lost.bucket, lost.key, lost.version_id)  # and nobody deleted it
        night.admit(ready("agent04"))
        called_before(night, 3)
        with pytest.raises(LeftUndone, match="days with returns to open left undone 1"):
            night.make()
        newer, older, *_ = night.returns()
        assert (older.id, newer.decision) == (line.id, "accepted"), "the other day is made all the same"


def two_files(night: Evening) -> tuple[ExchangeLine, ExchangeLine]:
    """One call of each of two files of contacts; the files."""
    later, new = night.other_contacts()
    dropped = night.arrive(later)
    night.called(Call("c1", *night.people(1)[0]), Call("c2", *new))
    return night.desk.lines()[-1], night.desk.line(dropped)


def gone(night: Night, line: ExchangeLine) -> None:
    """Remove the rows of a file as retention does."""
    found = copy_store.find_copies(night.desk.house.conn, Principal(ENERGY[0]), among=[ExchangeId(line.id)])
    [lake] = [copy for copy in found if copy.kind == "lake"]
    remove(night.desk.house, lake)


def test_a_delivered_return_is_not_made_again_with_less_when_contacts_are_gone(at_once: Evening) -> None:
    night = at_once
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


def test_later_contacts_replace_no_return_one_of_whose_files_is_gone(at_once: Evening) -> None:
    night = at_once
    _, second = two_files(night)
    night.called(Call("c9", "E99999999", "+32470999999"), name="unknown.csv")
    night.make()
    assert night.record(night.returns()[0]).right_treatment.held_back == {"RESULT_UNKNOWN_RECORD": 1}
    night.same_contacts()
    night.make()
    assert len(night.returns()) == 2, "the control: contacts that come later are looked at"

    gone(night, second)
    night.arrive(night.contacts.read_bytes() + b"\n" * 99, "tomorrow.csv")
    night.make()
    assert len(night.returns()) == 2
    assert night.returns()[-1].rows_accepted == 2


def test_a_waiting_return_goes_whole_when_contacts_are_gone(night: Evening) -> None:
    _, second = two_files(night)
    night.make()
    [line] = night.returns()
    gone(night, second)
    night.make()
    assert [(each.id, each.decision) for each in night.returns()] == [(line.id, "open")]
    night.release(line)
    assert [(each.id, each.rows_accepted) for each in night.returns()] == [(line.id, 2)]


def test_results_without_any_contacts_are_held_until_there_are_some(store_settings: Settings, tmp_path: Path) -> None:
    with open_night(with_papers(store_settings, tmp_path, AT_ONCE), tmp_path, 5) as night:
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
    at_once: Evening,
) -> None:
    night = at_once
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
    inputs = {each.exchange_id for each in record.what.inputs if each.kind == "contacts"}
    assert first.id in inputs and second.id not in inputs
