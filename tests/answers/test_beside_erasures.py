"""Answers while an erasure is under way at the same principal: they wait, and nothing of them is lost."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from answers.giving import now
from answers.handing import ENERGY, GOING, SOLAR, asked, next_controllers, there
from rights.town import DESK, Town, open_town, papers_of
from sluice.answers.handover import ask_handover, handed_to
from sluice.answers.handover_due import hand_owed
from sluice.answers.sweep import make_decided
from sluice.db import connect, transaction
from sluice.rights.case.model import Action, Case, Right
from sluice.rights.copies.copy_store import find_copies
from sluice.rights.erasure import control_store
from sluice.rights.erasure.erase import begin, run
from sluice.rights.erasure.model import RunEnd
from sluice.settings import Settings
from support.meanwhile import Meanwhile


@pytest.fixture
def town(store_settings: Settings, tmp_path: Path) -> Iterator[Town]:
    settings = papers_of(store_settings, tmp_path, [ENERGY, SOLAR], *GOING)
    with open_town(next_controllers(settings, tmp_path), tmp_path, [ENERGY, SOLAR], 3) as opened:
        opened.arrive(ENERGY, opened.people)
        yield opened


def wished(town: Town) -> tuple[Case, Case]:
    """Somebody's data is to go to a controller; somebody else is to be erased there."""
    answer, erasure = asked(town, 0), asked(town, 1, Right.ERASURE, Action.ERASE)
    ask_handover(town.house, answer.case_id, "solar01", "LETTER-1", now(), DESK)
    return answer, erasure


def kept(town: Town) -> list[str]:
    """Packages that wait to go, and who is in them."""
    settings, store = town.desk.settings, town.house.objects
    index = [each.key for each in store.list_versions(settings.bucket_lake, "_subject_index/energy01/")]
    runs = {copy.key for copy in find_copies(town.house.conn, ENERGY)}
    return [each.key for each in store.list_versions(settings.bucket_vault, "_handed/")] + sorted({*index} - runs)


def handed_while(town: Town, then: Callable[[], object]) -> tuple[int, int]:
    """One run of the schedule, and what happens as soon as a package is kept."""
    objects: Any = Meanwhile(town.house.objects, lambda key: key.startswith("_handed/"), then)
    return hand_owed(replace(town.house, objects=objects), now())


def test_one_that_was_kept_while_an_erasure_began_goes_once_that_is_over(town: Town) -> None:
    answer, erasure = wished(town)

    assert handed_while(town, lambda: control_store.begin_run(town.house.conn, erasure.case_id)) == (0, 0)

    [waiting] = [line for line in town.desk.lines() if line.decision == "open"]
    assert kept(town) == []
    control_store.end_run(town.house.conn, erasure.case_id, RunEnd.CLEAN)
    assert hand_owed(town.house, now()) == (1, 0)
    [handed] = handed_to(town.house, answer.case_id, "solar01")
    assert handed.opened.exchange_id == waiting.id and handed.is_there
    assert [item.key for item in there(town, "solar01/outbound/") if item.key.endswith(".zip")] == [handed.opened.key]


def test_one_that_is_about_whom_is_erased_meanwhile_leaves_nothing_behind(town: Town) -> None:
    """Who is kept out is seen before the erasure is: it is made again, and that attempt stops."""
    answer = asked(town, 0)
    erasure = asked(town, 0, Right.ERASURE, Action.ERASE)
    ask_handover(town.house, answer.case_id, "solar01", "LETTER-1", now(), DESK)

    assert handed_while(town, lambda: begin(town.house, erasure.case_id, now())) == (0, 0)

    assert kept(town) == []
    done = run(town.house, erasure.case_id, now())
    assert (done.residual, done.doubts) == (0, 0)


def test_waiting_is_no_failure_until_that_erasure_is_in_error_and_nobody_at_it(town: Town) -> None:
    _, erasure = wished(town)
    control_store.begin_run(town.house.conn, erasure.case_id)
    assert (make_decided(town.house, "airflow", now()), hand_owed(town.house, now())) == ((0, 0), (0, 0))

    town.desk.sql("update erasure_run set seen_at = now() - interval '40 days' returning 1")
    with connect(town.desk.settings) as other, control_store.hold_case(other, erasure.case_id):
        assert (make_decided(town.house, "airflow", now()), hand_owed(town.house, now())) == ((0, 0), (0, 0))
    assert (make_decided(town.house, "airflow", now()), hand_owed(town.house, now())) == ((0, 1), (0, 1))


def test_an_erasure_begins_after_whoever_lets_none_begin(town: Town) -> None:
    """Or neither would see a package that is closed at that moment."""
    case, begun = asked(town, 0, Right.ERASURE, Action.ERASE), Event()

    def begin() -> None:
        with connect(town.desk.settings) as conn:
            control_store.begin_run(conn, case.case_id)
            begun.set()

    with ThreadPoolExecutor(1) as other:
        with transaction(town.house.conn):
            control_store.let_none_begin(town.house.conn)
            beginning = other.submit(begin)
            assert not begun.wait(1)
        beginning.result(timeout=30)
    assert begun.is_set()
