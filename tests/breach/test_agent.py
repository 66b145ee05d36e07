"""A breach by agent: what one wrote is counted by hand in the exports themselves, whatever became of the rows since."""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from sluice.breach.make import LATEST, slice_agent
from sluice.breach.model import Counted, PrincipalPart, SliceEmpty
from sluice.exchange.open import Arrivals
from sluice.exchange.read import ExchangeLine
from sluice.rights.copies.copy_store import find_copies
from sluice.rights.copies.swap import remove
from sluice.staff.refs import agent_ref
from sluice.terms import ExchangeId, Flow, Principal
from sluice.times import BRUSSELS, brussels_today
from support.copies import Copies
from support.night import AT_ONCE, COLUMNS, DUE_DAY, RESULTS, STAFF, Call, Night, call_log, copied_night

pytestmark = pytest.mark.stores
HELD, PLAIN = "Klant is moslim, liever na vrijdag bellen", "wil een offerte"
NEVER = "not a time"
DAY_BEFORE = DUE_DAY - timedelta(days=1)


@pytest.fixture
def night(copies: Copies, tmp_path: Path) -> Iterator[Night]:
    with copied_night(copies, tmp_path, AT_ONCE) as opened:
        yield opened


def at(day: date, hour: int = 10) -> datetime:
    return datetime.combine(day, time(hour))


def export(calls: Sequence[Call], *unread: str) -> bytes:
    """A call log in which the calls of these ids have a moment that is none."""
    rows = list(csv.reader(io.StringIO(call_log(calls).decode())))
    id_, moment = COLUMNS.index("CALL ID"), COLUMNS.index("TIMESTAMP")
    for row in rows[1:]:
        row[moment] = NEVER if row[id_] in unread else row[moment]
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def in_export(content: bytes, agent: str) -> set[str]:
    """Whom an agent called by an export: record ids of the rows that say when, read without the rooms under test."""
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    return {row["record_id"] for row in rows if row["AGENT"] == agent and row["TIMESTAMP"] != NEVER}


def part_of(night: Night, agent: str, first: date = DUE_DAY, last: date = DUE_DAY) -> PrincipalPart:
    """The slice of what an agent wrote on these Brussels days."""
    ref = agent_ref(night.desk.house.keyring.staff_key(), agent)
    since, until = (datetime.combine(day, time(), BRUSSELS) for day in (first, last + timedelta(days=1)))
    [part] = slice_agent(night.desk.house, ref, since, until, datetime.now(UTC)).parts
    return part


def found_by(night: Night, agent: str, first: date = DUE_DAY, last: date = DUE_DAY) -> Counted | None:
    try:
        return part_of(night, agent, first, last).counted
    except SliceEmpty:
        return None


def let_go(night: Night, line: ExchangeLine, *kinds: str) -> None:
    there = find_copies(night.desk.house.conn, Principal("energy01"), among=[ExchangeId(line.id)])
    going = [copy for copy in there if copy.kind in kinds]
    assert len(going) == len(kinds), [copy.kind for copy in there]
    for copy in going:
        remove(night.desk.house, copy)


def test_what_an_agent_wrote_is_counted_in_held_and_in_refused_rows_too(night: Night) -> None:
    """agent01: 10 accepted, 2 held, 2 refused, and one that does not say when; agent02: 6, 1, 1, and one."""
    notes = [*[PLAIN] * 10, HELD, HELD, *[PLAIN] * 3, *[PLAIN] * 6, HELD, PLAIN, PLAIN]
    refused = {12, 13, 22}
    calls = [
        Call(
            f"c{n}",
            *person,
            agent="agent01" if n < 15 else "agent02",
            note=notes[n],
            disposition="" if n in refused else "Sale",
        )
        for n, person in enumerate(night.people(24))
    ]
    content = export(calls, "c14", "c23")
    line = night.desk.line(night.results(content))
    assert (line.decision, line.rows_in, line.rows_accepted) == ("partly_accepted", 24, 16), "control"

    for agent, by_hand in (("agent01", 14), ("agent02", 8)):
        part = part_of(night, agent)
        assert len(in_export(content, agent)) == by_hand, "control"
        assert (part.counted.persons, part.counted.rows) == (by_hand, by_hand)
        assert (part.counted.unread, part.counted.at_most) == ((f"quarantine.rows {line.id}",), 1), "one without time"
    assert found_by(night, "agent03") is None, "who wrote none of them is not asked about the rows without time"


def test_of_files_that_were_refused_whole_the_rows_of_the_agent_are_counted(night: Night) -> None:
    people = night.people(8)
    calls = [
        Call(f"c{n}", *person, agent="agent02" if n == 7 else "agent01", disposition="")
        for n, person in enumerate(people)
    ]
    content = export(calls, "c6")
    line = night.desk.line(night.results(content))
    assert (line.decision, line.rows_accepted) == ("refused", 0), "control"

    one, two = part_of(night, "agent01"), part_of(night, "agent02")

    assert (one.counted.persons, two.counted.persons) == (len(in_export(content, "agent01")), 1) == (6, 1)
    assert (one.counted.unread, one.counted.at_most) == ((f"quarantine.file {line.id}",), 1)
    assert (two.counted.unread, two.counted.at_most) == ((), 0)
    assert found_by(night, "agent01", DAY_BEFORE, DAY_BEFORE) is not None, "the row without time may be of any day"
    assert found_by(night, "agent02", DAY_BEFORE, DAY_BEFORE) is None


def test_results_that_nobody_can_read_are_said_of_every_agent_of_these_days(night: Night) -> None:
    stray = night.desk.line(night.results(call_log([Call("c0", *night.people(1)[0])]), flow=Flow("unknown")))
    assert stray.decision == "refused", "control: no contract says what its columns are"
    torn = night.desk.line(night.results(b"PK\x03\x04\x00\x00", "torn.csv"))

    for agent in ("agent01", "agent02"):
        counted = found_by(night, agent)
        assert counted is not None and (counted.persons, counted.at_most) == (0, None)
        assert set(counted.unread) == {f"arrived {stray.id}", f"quarantine.file {torn.id}"}
        assert counted.concerned == {stray.id, torn.id}
    came = brussels_today()
    early = came - LATEST - timedelta(days=2)
    assert found_by(night, "agent01", early, early) is None, "what came so long after is of other days"
    assert found_by(night, "agent01", came + timedelta(days=1), came + timedelta(days=1)) is None, "nor of days to come"


def test_results_that_nobody_has_judged_yet_are_said(night: Night) -> None:
    bucket = night.desk.settings.bucket_internal
    content = call_log([Call("c0", *night.people(1)[0])])
    night.desk.house.objects.put(bucket, f"energy01/internal/{RESULTS}/open.csv", content, "text/csv")
    Arrivals.of(night.desk.house.settings).open_new(night.desk.house.conn, night.desk.house.objects)
    [line] = [each for each in night.desk.lines() if each.decision == "open"]

    counted = found_by(night, "agent01")

    assert counted is not None and (counted.unread, counted.at_most) == ((f"not decided {line.id}",), None)
    night.desk.work()
    counted = found_by(night, "agent01")
    assert counted is not None and (counted.persons, counted.unread, counted.at_most) == (1, (), 0)


def test_sealed_rows_that_went_are_said_and_the_file_that_arrived_is_read_for_them(night: Night) -> None:
    notes = [PLAIN, PLAIN, HELD, HELD]
    calls = [Call(f"c{n}", *person, note=notes[n]) for n, person in enumerate(night.people(4))]
    line = night.desk.line(night.called(*calls))
    let_go(night, line, "quarantine.held")
    counted = found_by(night, "agent01")
    assert counted is not None and (counted.persons, counted.unread) == (4, ()), "the file as it came has every row"

    let_go(night, line, "arrived")

    counted = found_by(night, "agent01")
    assert counted is not None
    assert (counted.persons, counted.unread, counted.at_most) == (2, (f"gone {line.id}",), 2)


def test_a_file_with_accepted_rows_of_other_days_is_asked_for_its_sealed_ones(night: Night) -> None:
    first, second, third = night.people(3)
    calls = [
        Call("c0", *first, at=at(DAY_BEFORE), note=PLAIN),
        Call("c1", *second, note=HELD),
        Call("c2", *third, at=at(DAY_BEFORE), note=HELD),
    ]
    line = night.desk.line(night.called(*calls))

    due, before = part_of(night, "agent01"), part_of(night, "agent01", DAY_BEFORE, DAY_BEFORE)

    assert (due.counted.persons, due.exchanges) == (1, (line.id,))
    assert (before.counted.persons, before.exchanges) == (2, (line.id,))


def test_two_agents_have_their_own_files_returns_and_papers_only(night: Night) -> None:
    night.admit(STAFF.replace("89.99", "95"))
    people = night.people(4)
    one = night.desk.line(night.called(*(Call(f"a{n}", *each) for n, each in enumerate(people[:2])), name="one.csv"))
    made = [Call(f"b{n}", *each, agent="agent02", at=at(DAY_BEFORE)) for n, each in enumerate(people[2:])]
    two = night.desk.line(night.called(*made, name="two.csv"))
    night.make()
    returns = {line.id for line in night.returns()}
    assert len(returns) == 2, "control: one a day"

    first, second = (part_of(night, agent, DAY_BEFORE, DUE_DAY) for agent in ("agent01", "agent02"))

    assert (first.exchanges, second.exchanges) == ((one.id,), (two.id,))
    assert len(first.went_into) == len(second.went_into) == 1
    assert {*first.went_into, *second.went_into} == returns
    assert (first.counted.persons, second.counted.persons) == (2, 2)
    let_go(night, two, "lake", "arrived")
    both = part_of(night, "agent01", DAY_BEFORE, DUE_DAY)
    assert both.exchanges == tuple(sorted((one.id, two.id))), "of what is gone nobody can tell whose it was"
    assert (both.counted.persons, both.counted.at_most) == (2, None)
