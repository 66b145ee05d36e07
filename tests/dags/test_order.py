"""What goes first where slots are few: Airflow takes the heaviest task, and the oldest run among equals."""

import pytest
from airflow.dag_processing.dagbag import DagBag

from installation import CHECKOUT

pytestmark = pytest.mark.slow  # Airflow reads every DAG


def test_files_that_wait_go_before_all_else() -> None:
    bag = DagBag(CHECKOUT / "dags")
    weights = {f"{dag.dag_id}.{task.task_id}": task.priority_weight for dag in bag.dags.values() for task in dag.tasks}
    drains = {name for name in weights if name.endswith(".drain") and "strays" not in name}

    assert bag.import_errors == {} and len(drains) >= 4
    assert min(weights[name] for name in drains) > max(weights[name] for name in weights.keys() - drains)
