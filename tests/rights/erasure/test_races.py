"""An erasure beside whoever else writes: nobody else loses a row, and the erased person is nowhere afterwards.

Every race has a person of its own, and a second worker that begins at a moment drawn between just before the
request and the end of the erasure. What said that it was busy, or that something is under way, is run again.
"""

import contextlib
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from rights.asking import asked
from rights.ground import ENERGY, Ground, Person, ground_of
from rights.town import night_fixture, now
from sluice.errors import SluiceError
from sluice.exchange.house import House
from sluice.exchange.locks import hold_object
from sluice.exchange.naming import merged_prefix
from sluice.exchange.persons.merged_store import find_months, find_runs
from sluice.ledger.copy_kinds import INDEX
from sluice.returns.model import NotReleasable
from sluice.rights.case.model import CaseId
from sluice.rights.erasure.erase import run
from sluice.rights.erasure.model import ErasureReport
from support.desk import environment
from support.effort import chosen, effort
from support.forks import Fork, forked
from support.night import RESULTS, Call, Night, call_log

RACES = effort(1, 25)
"""Of each of the seven writers."""
SEED, MOST_RERUNS = 20_261_126, 6
STAYING = 8
"""Contacts who are in every file and stay."""
WHAT = 7
COUNT = 2 * RACES * WHAT + STAYING + 4
"""Two for each race, those who stay, and four for the controls."""
Writer = Callable[["Arena", int, Person], dict[str, object]]
"""What the second worker does in one race; prepares what it needs."""


@dataclass
class Arena:
    """The night, a second worker, and what became of the races so far."""

    ground: Ground
    worker: Fork
    people: list[Person]
    """Contacts that a race may erase, two per race."""
    with_returns: bool = False
    said: Counter[str] = field(default_factory=Counter)

    @property
    def night(self) -> Night:
        return self.ground.night

    def staying(self) -> list[str]:
        return [record for record, _ in self.people[-STAYING:]]

    def begin(self, work: dict[str, object], at: float) -> None:
        """The second worker begins at a moment of the monotonic clock."""
        self.worker.write(json.dumps({**work, "at": at}))

    def end(self) -> str:
        """The outcome of the second worker."""
        return self.worker.read()


night = night_fixture(lambda opened: None, contacts=4 * COUNT)


@pytest.fixture(scope="module")
def arena(night: Night) -> Iterator[Arena]:
    """All persons are in a file, and nobody was called yet; a second worker is there."""
    plain = [(record, phone) for record, phone in night.people(4 * COUNT) if len(phone) >= 9]
    with forked(Path(__file__).with_name("race.py"), environment(night.desk.settings)) as worker:
        yield Arena(ground_of(night, plain), worker, plain[:COUNT])


def contacts_come(arena: Arena, number: int, person: Person) -> dict[str, object]:
    """A file of the same principal with the person in it."""
    key, records = f"energy01/inbound/renewal_campaign/race-{number}.csv", [person[0], *arena.staying()]
    arena.ground.expect(key, records)
    bucket = arena.night.desk.settings.bucket_exchange
    return {"what": "arrive", "bucket": bucket, "key": key, "content": arena.ground.contacts(records)}


def older_comes(arena: Arena, number: int, person: Person) -> dict[str, object]:
    """A file with the person in it that is late: its name says a day before that of every file there is."""
    day = f"{now() - timedelta(days=30 + number):%Y-%m-%d}"
    key, records = f"energy01/inbound/renewal_campaign/late_{day}.csv", [person[0], *arena.staying()]
    arena.ground.expect(key, records)
    bucket = arena.night.desk.settings.bucket_exchange
    return {"what": "arrive", "bucket": bucket, "key": key, "content": arena.ground.contacts(records)}


def results_come(arena: Arena, number: int, person: Person) -> dict[str, object]:
    """What an agent noted of the person, and of others."""
    key, content = results(arena, number, person)
    return {"what": "arrive", "bucket": arena.night.desk.settings.bucket_internal, "key": key, "content": content}


def results(arena: Arena, number: int, person: Person) -> tuple[str, str]:
    """An export with the person and three who stay."""
    called = [person, *arena.people[-3:]]
    key = f"energy01/internal/{RESULTS}/race-{number}.csv"
    arena.ground.expect(key, [record for record, _ in called])
    calls = [Call(f"r{number}-{place}", *each) for place, each in enumerate(called)]
    return key, call_log(calls).decode()


def return_goes(arena: Arena, number: int, person: Person) -> dict[str, object]:
    """A return with the person in it is made, released and delivered."""
    key, content = results(arena, number, person)
    bucket = arena.night.desk.settings.bucket_internal
    arena.night.desk.house.objects.put(bucket, key, content.encode(), "text/csv")
    arena.night.desk.work()
    return {"what": "give", "principal": ENERGY, "flow": RESULTS}


def delivered_again(arena: Arena, number: int, person: Person) -> dict[str, object]:
    """What was delivered with the person in it is put there again, and effects are finished."""
    return_goes(arena, number, person)
    give(arena.night)
    return {"what": "again", "line": arena.night.returns()[0].id, "times": 8}


def another_goes(arena: Arena, number: int, person: Person) -> dict[str, object]:
    """Another person of the same files is erased."""
    other = arena.people[2 * number + 1]
    case = asked(arena.night, other[1], other[0])
    arena.ground.erased.add(other[0])
    return {"what": "erase", "case": case.case_id}


def index_merged(arena: Arena, number: int, person: Person) -> dict[str, object]:
    """Runs that name the person are merged, again and again."""
    return {"what": "merge", "principal": ENERGY, "times": 12}


WRITERS: dict[str, tuple[Writer, float]] = {
    "a file of contacts": (contacts_come, 0.9),
    "a late older file": (older_comes, 0.9),
    "results of agents": (results_come, 0.9),
    "a return": (return_goes, 1.2),
    "deliveries again": (delivered_again, 1.2),
    "another erasure": (another_goes, 0.5),
    "the index merged": (index_merged, 0.9),
}
"""What the second worker does, and how long after the start of a race it begins at the latest, in seconds."""


def give(night: Night) -> None:
    """Whatever return is due is made, released by a second person, delivered; not one that is to be judged again."""
    night.make()
    for line in night.returns():
        if line.decision == "open":
            with contextlib.suppress(NotReleasable):
                night.release(line, "an")
    night.make()


def once(arena: Arena, number: int, write: Writer, within: float) -> ErasureReport:
    """One race: the second worker's work, and the erasure of a person from the request on; the first report."""
    person, draw = arena.people[2 * number], random.Random(SEED + number)
    work = write(arena, number, person)
    start = time.monotonic() + 0.05
    arena.begin(work, start + draw.uniform(0, within))
    time.sleep(0.05)
    case = asked(arena.night, person[1], person[0])
    arena.ground.erased.add(person[0])
    report = until_done(arena, case.case_id, 1)
    arena.said[arena.end()] += 1
    if work["what"] == "erase":
        settled(arena, CaseId(str(work["case"])))
    if (report.residual, report.doubts, report.waiting) == (0, 0, 0):
        settle(arena)
        assert arena.ground.back(person, but_arrived=True) == [], "what was proven stays true"
    settled(arena, case.case_id)
    assert arena.ground.back(person) == []
    return report


def until_done(arena: Arena, case_id: CaseId, most: int) -> ErasureReport:
    """Run it; again when it said that it was busy."""
    for _ in range(MOST_RERUNS):
        try:
            return run(arena.night.desk.house, case_id, now())
        except SluiceError as error:
            arena.said[error.code] += 1
            settle(arena)
    raise AssertionError("a rerun does not finish it")


def settle(arena: Arena) -> None:
    """Everything that waits for a while is taken up at once, and comes to its end."""
    for _ in range(MOST_RERUNS):
        arena.night.desk.work()
        if arena.with_returns:
            give(arena.night)
        waiting = arena.night.desk.house.conn.execute(
            """update exchange set next_attempt_at = now() where decision = 'open' and prepared_at is null
               returning 1"""
        ).fetchall()
        if not waiting:
            return


def settled(arena: Arena, case_id: CaseId) -> None:
    """Check that no work is left to do and no residue is found."""
    for _ in range(MOST_RERUNS):
        settle(arena)
        report = until_done(arena, case_id, 1)
        if (report.residual, report.doubts, report.waiting) == (0, 0, 0):
            return
    raise AssertionError(f"a rerun leaves {report}")


def test_who_edits_a_run_waits_for_a_merge_of_its_month_and_for_no_other(arena: Arena) -> None:
    """Else who was erased from the run would be in what is made of it as it was."""
    house, lake, person = arena.night.desk.house, arena.night.desk.settings.bucket_lake, arena.people[-STAYING - 1]
    [month] = find_months(house.conn, ENERGY, {INDEX})
    merge = {"what": "merge", "principal": ENERGY, "times": 1}

    def lies_there() -> list[int]:
        """Objects of merges, and versions of the one run."""
        [run] = find_runs(house.conn, ENERGY, {INDEX})
        return [len(list(house.objects.list_versions(lake, each))) for each in (merged_prefix(ENERGY), run.key)]

    with hold_object(house.conn, lake, merged_prefix(ENERGY, f"{month}/")):
        arena.begin(merge, time.monotonic())
        until_waiting(house)
        assert lies_there() == [0, 1]
    assert arena.end() == "ok" and lies_there() == [1, 1]
    arena.ground.erased.add(person[0])
    case = asked(arena.night, person[1], person[0])
    with hold_object(house.conn, lake, merged_prefix(ENERGY, f"{month}/")):
        arena.begin({"what": "erase", "case": case.case_id}, time.monotonic())
        until_waiting(house)
        assert lies_there() == [1, 2], "as long as the merge is there, so is the run that it was made of"
    assert arena.end() == "ok" and lies_there() == [0, 1]
    with hold_object(house.conn, lake, merged_prefix(ENERGY, "2020-01/")):
        arena.begin(merge, time.monotonic())
        assert arena.end() == "ok" and lies_there() == [1, 1]


@pytest.mark.parametrize("writer", chosen(list(WRITERS)))
@pytest.mark.timeout(3600)
@pytest.mark.evidence
@pytest.mark.slow
def test_beside_any_writer_nobody_loses_a_row_and_nobody_comes_back(
    arena: Arena, writer: str, record_property: Callable[[str, object], None]
) -> None:
    write, within = WRITERS[writer]
    arena.with_returns = write in (return_goes, delivered_again)
    clean = 0
    first = list(WRITERS).index(writer) * RACES
    for number in range(first, first + RACES):
        report = once(arena, number, write, within)
        clean += (report.residual, report.doubts, report.waiting) == (0, 0, 0)
        assert arena.ground.lost() == [], number
    called = frozenset().union(*(each for key, each in arena.ground.arrived.items() if "/internal/" in key))
    if called:
        give(arena.night)
        assert arena.ground.last_return() == called - arena.ground.erased
    record_property(
        f"an erasure beside {writer}: races, rows lost, persons back",
        f"{RACES}, 0, 0 (done by the first run {clean}, by a rerun {RACES - clean})",
    )


def test_while_another_edits_an_object_its_versions_are_left_alone(arena: Arena) -> None:
    """Else the version that it has just put, and not yet named, would go with the old ones."""
    (person, other), house = arena.people[-STAYING - 3 : -STAYING - 1], arena.night.desk.house
    arena.ground.erased |= {person[0], other[0]}
    settled(arena, asked(arena.night, person[1], person[0]).case_id)
    case = asked(arena.night, other[1], other[0])
    bucket, key = arena.night.desk.settings.bucket_exchange, "energy01/inbound/renewal_campaign/file.csv"
    with hold_object(house.conn, bucket, key):
        arena.begin({"what": "erase", "case": case.case_id}, time.monotonic())
        until_waiting(house)
        assert house.conn.execute("select 1 from erasure_run where ended_at is null").fetchone(), "it waits"
    assert arena.end() == "ok"
    assert arena.ground.back(other) == []


@pytest.mark.long
def test_control_a_row_that_is_lost_or_that_came_back_is_seen(arena: Arena) -> None:
    ground, house, desk = arena.ground, arena.night.desk.house, arena.night.desk
    person = arena.people[-STAYING - 4]
    settled(arena, asked(arena.night, person[1], person[0]).case_id)
    ground.erased.add(person[0])
    assert ground.lost() == [] and ground.back(person) == []
    [line] = [each for each in desk.lines() if each.file == "file.csv"]
    [part] = [item for item in desk.objects(desk.settings.bucket_lake) if f"{line.id}/part" in item.key]
    rows = pl.read_parquet(house.objects.read(part.bucket, part.key, part.version_id))
    rows[1:].write_parquet(desk.folder / "less.parquet")
    less = house.objects.put(part.bucket, part.key, desk.folder / "less.parquet", "x/y")
    house.conn.execute(
        "update copy set version_id = %s where kind = 'lake' and exchange_id = %s", (less.version_id, line.id)
    )
    assert len(ground.lost()) == 1
    came = ground.contacts([person[0]]).encode()
    house.objects.put(desk.settings.bucket_exchange, "energy01/outbound/x.csv", came, "text/csv")
    assert ground.back(person, but_arrived=True) == ["exchange/energy01/outbound/x.csv"]


def until_waiting(house: House) -> None:
    """Wait until the second worker waits for a lock."""
    for _ in range(600):
        waiting = """select from pg_locks join pg_database d on d.oid = database
                     where locktype = 'advisory' and not granted and datname = current_database()"""
        if house.conn.execute(waiting).fetchone() is not None:
            return
        time.sleep(0.1)
    raise AssertionError("nobody waits")
