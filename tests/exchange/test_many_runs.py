"""Single requests make a run each, and an erased one holds for ever: what a file costs when there are many."""

import hashlib
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from sluice.db import transaction
from sluice.errors import NotFound
from sluice.exchange.persons import sealed_runs
from sluice.exchange.persons.sealed_runs import seal_runs
from sluice.exchange.persons.suppressed import find_suppressed, keep_out, lift
from sluice.exchange.persons.suppressed_store import find_runs
from sluice.subject.suppression import Suppression
from sluice.terms import Principal
from support.desk import Desk, requests

ENERGY = Principal("energy01")
RUNS = 20


def refs_of(number: int, count: int = 2) -> frozenset[str]:
    return frozenset(hashlib.sha256(f"{number}/{each}".encode()).hexdigest() for each in range(count))


def keep(desk: Desk, number: int, count: int = 2) -> str:
    refs, cause = refs_of(number, count), f"{uuid4()}"
    now = datetime.now(UTC)
    return keep_out(desk.house, ENERGY, refs, Suppression.SOFT_HOLD, cause=cause, case_id=None, now=now)


def found(desk: Desk) -> set[str]:
    frame = find_suppressed(desk.house, ENERGY)
    return set() if frame is None else set(frame["ref"])


def test_a_small_run_is_read_once_by_a_worker_and_one_that_ended_no_longer_counts(desk: Desk) -> None:
    with transaction(desk.house.conn):
        ids = [keep(desk, number) for number in range(RUNS)]
    everybody = frozenset().union(*(refs_of(number) for number in range(RUNS)))
    with requests(desk) as first:
        assert found(desk) == everybody
    with requests(desk) as second:
        assert found(desk) == everybody
    assert (first.count("GetObject"), second.count("GetObject")) == (RUNS, 0)
    lift(desk.house, ids[0], datetime.now(UTC))
    assert found(desk) == everybody - refs_of(0)
    keep(desk, RUNS)
    assert found(desk) == everybody - refs_of(0) | refs_of(RUNS)


def test_what_is_kept_of_runs_is_bounded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed_runs, "MOST_KEPT", 3)
    with transaction(desk.house.conn):
        large = keep(desk, 0, sealed_runs.SMALL + 1)
        for number in range(1, 6):
            keep(desk, number)
    for _ in range(2):
        assert len(found(desk)) == sealed_runs.SMALL + 1 + 10
    [place] = {(run.bucket, run.key, run.version_id) for run in find_runs(desk.house.conn, only=[large])}
    assert len(sealed_runs._KEPT) == 3 and place not in sealed_runs._KEPT


def test_a_run_of_a_whole_file_is_read_once_too_and_all_together_are_bounded(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch of `suppression check` asks for all of them line by line."""
    monkeypatch.setattr(sealed_runs, "_KEPT", {})
    with transaction(desk.house.conn):
        keep(desk, 0, 1_000)
    counted = []
    for _ in range(2):
        with requests(desk) as asked:
            assert len(found(desk)) == 1_000
        counted.append(asked.count("GetObject"))
    assert counted == [1, 0]
    monkeypatch.setattr(sealed_runs, "MOST_REFS", 1_000)
    with transaction(desk.house.conn):
        keep(desk, 1)
    assert len(found(desk)) == 1_002
    assert sum(frame.height for frame in sealed_runs._KEPT.values()) == 2, "the older one made room"


def test_a_run_that_cannot_be_read_lets_no_file_pass(desk: Desk) -> None:
    with transaction(desk.house.conn):
        ids = [keep(desk, number) for number in range(RUNS)]
    [gone] = find_runs(desk.house.conn, only=ids[7:8])
    desk.house.objects.delete_version(gone.bucket, gone.key, gone.version_id)
    with pytest.raises(NotFound):
        find_suppressed(desk.house, ENERGY)


def test_sealing_one_run_lists_none_of_the_others(desk: Desk) -> None:
    run_id = keep(desk, 1)
    with requests(desk) as again:
        assert seal_runs(desk.house, ENERGY, {run_id}) == 0
    assert again == ["HeadObject"]
    with transaction(desk.house.conn):
        other = keep(desk, 2)
        lift(desk.house, run_id, datetime.now(UTC))
    assert seal_runs(desk.house, ENERGY, {run_id}) == 1, "its end alone"
    assert seal_runs(desk.house) == 1, "the other, found by what is missing"
    bucket = desk.settings.bucket_evidence
    sealed = {item.key.rpartition("/")[2] for item in desk.objects(bucket) if "_suppressions/" in item.key}
    assert sealed == {f"{run_id}.age", f"{run_id}.lifted", f"{other}.age"}
