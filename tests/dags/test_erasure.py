"""The tasks of the erasure, in processes of their own as Airflow runs them: side by side, and nobody comes back."""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest
import time_machine
from airflow.configuration import conf
from airflow.sdk.exceptions import AirflowSkipException
from airflow.sdk.timezone import coerce_datetime
from airflow.serialization.encoders import coerce_to_core_timetable
from airflow.timetables.base import DataInterval, TimeRestriction

from returns.commands import at_terminal
from rights.asking import DESK, asked
from rights.town import SHA
from sluice.db import connect
from sluice.exchange.read import list_exchanges
from sluice.orchestration import erasure
from sluice.orchestration.schedules import every_five_minutes
from sluice.rights.case.model import Case, CaseId, Order, State
from sluice.rights.case.steps import withdraw
from sluice.rights.case.store import get_case
from sluice.rights.copies import copy_store
from sluice.rights.copies.bench import open_bench
from sluice.rights.copies.find import open_request, targets_of
from sluice.rights.copies.model import Copy, Target
from sluice.rights.copies.stores import carry_out, store_of
from sluice.rights.erasure import control_store
from sluice.rights.erasure.batches import MOST_BATCHES, MOST_CASES, Batch, CopyName, cut, read_batch
from sluice.rights.erasure.erase import begin
from sluice.rights.erasure.model import RequestTakenBack
from sluice.rights.erasure.scan_store import find_last_scans
from sluice.settings import Settings
from sluice.terms import Direction, ExchangeId, Principal
from support.copies import Copies
from support.desk import environment
from support.night import Night, copied_night, three_returned

BATCHES = """
import json, sys
from sluice.orchestration.erasure import EraseBatch
for batch in json.loads(sys.argv[1]):
    print(EraseBatch(task_id="task", batch=batch).work({}))
"""
WORKERS = 2
ENERGY = Principal("energy01")
ARRIVED = "energy01/inbound/renewal_campaign/file.csv"


@pytest.fixture
def night(copies: Copies, tmp_path: Path) -> Iterator[Night]:
    with copied_night(copies, tmp_path, fill=three_returned) as opened:
        yield opened


def erase(settings: Settings, batches: list[dict[str, Any]]) -> list[str]:
    """What the tasks of these batches say, one after the other in a process of its own."""
    command = [sys.executable, "-W", "ignore", "-c", BATCHES, json.dumps(batches)]
    done = subprocess.run(command, env=environment(settings), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-len(batches) :]


def end(case_id: str) -> str:
    """What the last two tasks of a case say."""
    erasure.FinishErasure(task_id="finish", case_id=case_id).work({})
    return str(erasure.ProveErasure(task_id="prove", case_id=case_id).work({}))


@pytest.mark.timeout(900)
def test_two_cases_are_erased_copy_by_copy_side_by_side(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    settings, house = night.desk.settings, night.desk.house
    people = night.people(3)
    cases = [asked(night, phone, record) for record, phone in people[:2]]

    with at_terminal(night.desk, monkeypatch):
        released = erasure.FindReleased(task_id="released").execute({})
        with (
            connect(settings) as other,
            control_store.hold_case(other, released[0]),
            pytest.raises(AirflowSkipException),
        ):
            erasure.BeginErasure(task_id="begin", case_id=released[0]).execute({})
        assert erasure.FindReleased(task_id="released").execute({}) == released, "the next run finds it again"
        begun = [erasure.BeginErasure(task_id="begin", case_id=each).execute({}) for each in released]
        batches = erasure.CutBatches(task_id="cut", begun=begun).execute({})
        with ThreadPoolExecutor(max_workers=WORKERS) as pool:
            shares = [batches[place::WORKERS] for place in range(WORKERS)]
            said = [line for lines in pool.map(lambda share: erase(settings, share), shares) for line in lines]
        for case_id in erasure.ListBegun(task_id="begun", begun=begun).execute({}):
            assert end(case_id).endswith("1 certificates")
        left = erasure.FindReleased(task_id="released").execute({})
        with pytest.raises(AirflowSkipException):  # found by a run of the DAG, then carried out by another
            erasure.BeginErasure(task_id="begin", case_id=released[0]).execute({})
        told = erasure.TellErasures(task_id="tell").work({})

    assert released == [case.case_id for case in cases]
    assert len(batches) == len(said) == sum(len(each["copies"]) for each in begun) > 6
    assert all(line.endswith("1 copies, 0 not covered by the release") for line in said)
    passed = json.dumps([released, begun, batches])
    assert not any(value in passed for person in people for value in person), "ids and kinds only"
    for case in cases:
        assert find_last_scans(house.conn, case.case_id)["energy01"].done.residual == 0
        assert {part.state for part in get_case(house.conn, case.case_id).sub_cases} == {
            State.EXECUTED,
            State.EXECUTING,
        }
    sent = next(content for name, content in night.delivered().items() if name.endswith(".csv"))
    for content in (sent, house.objects.read(settings.bucket_exchange, ARRIVED)):
        assert [record.encode() in content for record, _ in people] == [False, False, True]
    assert (left, told) == ([], "not over: 0, in error: 0")


def test_of_two_erasures_that_read_one_version_each_puts_back_what_the_other_took_unless_they_wait(
    night: Night,
) -> None:
    """What the lock of an object is for: without it, somebody who was taken out is in the file again."""
    house, people = night.desk.house, night.people(3)
    targets = [target_of(night, asked(night, phone, record)) for record, phone in people[:2]]
    copy = arrived(night)
    with open_bench(house, targets[0]) as one, open_bench(house, targets[1]) as two:
        edits = [store_of(copy).erase(bench, copy) for bench in (one, two)]
        for edit in edits:
            carry_out(house, edit)

    content = house.objects.read(copy.bucket, copy.key)

    assert people[0][0].encode() in content and people[1][0].encode() not in content


def target_of(night: Night, case: Case) -> Target:
    _, envelope = open_request(night.desk.house, case.case_id)
    return next(targets_of(night.desk.house, case, envelope, decided_only=True))


def arrived(night: Night) -> Copy:
    exchange = list_exchanges(night.desk.house.conn, direction=Direction.INBOUND)[-1].id
    copies = copy_store.find_copies(night.desk.house.conn, ENERGY, among=[ExchangeId(exchange)])
    return next(copy for copy in copies if copy.kind == "arrived")


def test_a_case_without_copies_is_begun_and_ended_too(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    record, phone = night.people(3)[1]
    case = asked(night, phone, record)
    assert begin(night.desk.house, case.case_id, datetime.now(UTC))
    none = Batch(case.case_id, ()).document()
    with at_terminal(night.desk, monkeypatch):
        assert erasure.CutBatches(task_id="cut", begun=[none]).execute({}) == [none]
        erasure.EraseBatch(task_id="erase", batch=none).work({})
        assert end(case.case_id).endswith("1 certificates")


def test_of_a_case_that_is_taken_back_at_work_no_task_fails_and_none_is_skipped(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A skipped batch would keep every case of the same run from its end."""
    record, phone = night.people(3)[1]
    case = asked(night, phone, record)
    copies = begin(night.desk.house, case.case_id, datetime.now(UTC))
    withdraw(night.desk.house.conn, case.case_id, Order(DESK, datetime.now(UTC), "SUBJECT_ASKED", SHA))
    with at_terminal(night.desk, monkeypatch):
        said = erasure.EraseBatch(task_id="erase", batch=Batch(case.case_id, copies).document()).work({})
        assert RequestTakenBack.code in said and RequestTakenBack.code in end(case.case_id)
        assert erasure.FindReleased(task_id="released").execute({}) == []


@pytest.mark.parametrize(("counts", "sizes"), [([5, 0, 1], [1] * 5 + [0, 1]), ([700, 300], [4] * 175 + [4] * 75)])
def test_batches_hold_every_copy_once_and_are_few(counts: list[int], sizes: list[int]) -> None:
    begun = [
        Batch(CaseId(f"case{n}"), tuple(CopyName(ENERGY, ExchangeId(f"{n}-{i}"), "lake") for i in range(count)))
        for n, count in enumerate(counts)
    ]
    made = cut(begun)
    assert [len(each.copies) for each in made] == sizes
    assert [copy for each in made for copy in each.copies] == [copy for each in begun for copy in each.copies]
    assert read_batch(made[0].document()) == made[0]


@pytest.mark.parametrize("copies", [[], [0, 3, 7], [2000, 0], [60_000], [30_000, 30_000]])
def test_of_as_many_cases_as_a_run_takes_up_airflow_maps_every_task(copies: list[int]) -> None:
    """Over more than its limit it fails the task that says so, in every run anew: nobody would be erased any more."""
    limit = conf.getint("core", "max_map_length")
    begun = [
        Batch(CaseId(f"case{n}"), tuple(CopyName(ENERGY, ExchangeId(f"{n}-{i}"), "lake") for i in range(count)))
        for n, count in zip(range(MOST_CASES), chain(copies, repeat(1)), strict=False)
    ]
    assert (len(begun), limit) == (MOST_CASES, 1024)
    assert max(len(begun), len(cut(begun))) <= min(limit, MOST_BATCHES + MOST_CASES)


def test_a_tick_that_passes_while_a_run_is_at_work_starts_the_next_as_soon_as_it_ends() -> None:
    """What is left over is no matter of the night: a run that takes up all it may lasts longer than five minutes."""
    three, ended = datetime(2026, 11, 29, 12, 3, tzinfo=UTC), datetime(2026, 11, 29, 12, 40, tzinfo=UTC)
    clock = coerce_to_core_timetable(every_five_minutes(3))
    last = DataInterval.exact(coerce_datetime(three))
    with time_machine.travel(ended, tick=False):
        following = clock.next_dagrun_info(
            last_automated_data_interval=last, restriction=TimeRestriction(earliest=None, latest=None, catchup=False)
        )
    assert following is not None and three < following.run_after <= ended
