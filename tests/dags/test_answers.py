"""The operators behind the DAG `answers`, in a real installation: made once, removed on the day."""

import runpy
from pathlib import Path

import pytest

from answers.giving import now
from returns.commands import at_terminal
from rights.town import open_town, papers_of
from sluice.answers import store
from sluice.orchestration.answers import HandAnswers, MakeAnswers, RemoveAnswers
from sluice.rights.case.model import Action, Right
from sluice.settings import Settings
from sluice.terms import Principal

pytestmark = pytest.mark.slow  # importing Airflow's operators takes seconds
ENERGY = Principal("energy01")


def test_what_was_decided_is_made_once_and_removed_on_its_day(
    store_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = papers_of(store_settings, tmp_path, [ENERGY])
    with open_town(settings, tmp_path, [ENERGY], 2) as town, at_terminal(town.desk, monkeypatch):
        town.arrive(ENERGY, town.people)
        town.ask(town.people[1], Right.ACCESS)
        assert MakeAnswers(task_id="make").work({}) == "answers made: 0", "nobody decided yet"
        case = town.decided(town.people[0], Right.ACCESS, Action.GIVE)

        assert MakeAnswers(task_id="make").work({}) == "answers made: 1"
        assert MakeAnswers(task_id="make").work({}) == "answers made: 0"
        assert HandAnswers(task_id="hand").work({}) == "answers handed over: 1", "what the principal answers itself"
        assert HandAnswers(task_id="hand").work({}) == "answers handed over: 0"
        assert RemoveAnswers(task_id="remove").work({}) == "answers removed: 0"

        [answer] = store.find_answers(town.house.conn, case.case_id)
        assert (answer.made_by, answer.gone_at) == ("airflow", None)
        assert (answer.delete_after - now().date()).days >= 89


def test_what_cannot_be_made_keeps_nothing_from_being_removed() -> None:
    tasks = runpy.run_path("dags/answers.py")["dag"].tasks
    assert {task.task_id: set(task.upstream_task_ids) for task in tasks} == {
        "make": set(),
        "hand": set(),
        "remove": set(),
    }
