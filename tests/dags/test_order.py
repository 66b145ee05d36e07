"""What goes first where slots are few, how many runs a DAG has, what makes one red: as Airflow reads every DAG."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG, TriggerRule

from sluice.orchestration.operators import AllWell
from sluice.orchestration.schedules import slots
from support.installation import CHECKOUT

pytestmark = pytest.mark.slow  # Airflow reads every DAG


def test_files_that_wait_go_before_all_else() -> None:
    bag = DagBag(CHECKOUT / "dags")
    weights = {f"{dag.dag_id}.{task.task_id}": task.priority_weight for dag in bag.dags.values() for task in dag.tasks}
    drains = {name for name in weights if name.endswith(".drain") and "strays" not in name}

    assert bag.import_errors == {} and len(drains) >= 4
    assert min(weights[name] for name in drains) > max(weights[name] for name in weights.keys() - drains)


def test_a_task_that_hangs_ends_one_day() -> None:
    bag = DagBag(CHECKOUT / "dags")
    longest = {
        f"{dag.dag_id}.{task.task_id}": task.execution_timeout for dag in bag.dags.values() for task in dag.tasks
    }

    assert len(longest) > 20 and set(longest.values()) == {timedelta(hours=6)}


def test_a_run_that_ends_while_its_file_is_parsed_does_not_keep_the_next_file_waiting() -> None:
    """Two runs where assets wake a DAG: with one, Airflow 3.3 goes on taking it for being at its limit."""
    bag = DagBag(CHECKOUT / "dags")
    runs = {dag.dag_id: (dag.max_active_runs, bool(dag.timetable.asset_condition)) for dag in bag.dags.values()}

    assert {most for most, is_woken in runs.values() if is_woken} == {2}
    assert {most for most, is_woken in runs.values() if not is_woken} == {1}
    tasks = {
        t.task_id: t.max_active_tis_per_dag for d in bag.dags.values() for t in d.tasks if "strays" not in d.dag_id
    }
    assert (tasks["drain"], tasks["return"]) == (len(slots()), 1), "a second run shares the slots of the first"


def test_nothing_in_a_sweep_waits_for_files_and_what_takes_lists_back_waits_for_no_sweep() -> None:
    """Recall within five minutes is promised to persons: a backlog of one principal must not keep it."""
    bag = DagBag(CHECKOUT / "dags")

    assert [task.task_id for task in bag.dags["sweep"].tasks if task.upstream_task_ids] == []
    homes = {dag.dag_id: len(dag.tasks) for dag in bag.dags.values() if dag.has_task("dial_lists")}
    assert homes == {"recall": 1}


FAILS_WITH_IT = {TriggerRule.ALL_SUCCESS, TriggerRule.NONE_FAILED, TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS}
"""Rules of a task that does not run, and counts as failed, when one before it failed."""


def hidden(dag: Any) -> Iterator[str]:
    """Tasks whose failure no last task of the run fails with: the run is green all the same."""

    def is_told(task: Any) -> bool:
        after = task.downstream_list
        return not after or any(each.trigger_rule in FAILS_WITH_IT and is_told(each) for each in after)

    yield from (f"{dag.dag_id}.{task.task_id}" for task in dag.tasks if not is_told(task))


def test_no_run_is_green_while_one_of_its_tasks_failed() -> None:
    bag = DagBag(CHECKOUT / "dags")

    assert len(bag.dags) > 10
    assert [name for dag in bag.dags.values() for name in hidden(dag)] == []


def test_a_task_that_fails_unseen_is_found() -> None:
    with DAG("control", schedule=None) as dag:
        first, last = AllWell(task_id="first"), AllWell(task_id="last", trigger_rule="all_done")
        first >> last
    assert list(hidden(dag)) == ["control.first"]
    with DAG("told", schedule=None) as dag:
        first, last = AllWell(task_id="first"), AllWell(task_id="last", trigger_rule="all_done")
        first >> last
        [first, last] >> AllWell(task_id="all_well")
    assert list(hidden(dag)) == []
