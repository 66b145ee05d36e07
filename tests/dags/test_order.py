"""What goes first where slots are few, and how many runs a DAG has: as Airflow reads every DAG."""

from datetime import timedelta

import pytest
from airflow.dag_processing.dagbag import DagBag

from installation import CHECKOUT
from sluice.orchestration.flows import slots

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
