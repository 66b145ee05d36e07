"""A run of an exchange hangs below that of its task, by the ids that the OpenLineage provider of Airflow gives."""

import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from airflow.sdk import DAG, Context
from airflow.sdk.api.datamodels._generated import DagRun, TIRunContext
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

from returns.commands import at_terminal
from sluice.lineage.check import check_event
from sluice.orchestration.operators import DrainFlow
from sluice.settings import Settings
from support.desk import ENERGY, open_desk
from support.official import validator

pytestmark = [
    pytest.mark.slow,  # importing Airflow's operators takes seconds
    pytest.mark.filterwarnings("ignore:GitWildMatchPattern:DeprecationWarning"),  # of the task runner
]
DAG_ID = "inbound_energy01_renewal_campaign"
BEGUN = datetime(2026, 11, 25, 4, 12, 1, 102_000, tzinfo=UTC)
TASK_RUN, DAG_RUN = "01a210e7-42ce-7aa7-a855-adf61ddd4fa2", "01a210e7-42ce-7e1e-b568-d5cd6982941c"
"""What build_task_instance_ol_run_id and build_dag_run_ol_run_id of apache-airflow-providers-openlineage 2.20.3 answer
for this DAG and task, try 2, map index 3, clear number 1, begun then, in the namespace ``default``."""


def drain() -> DrainFlow:
    with DAG(DAG_ID):
        return DrainFlow(task_id="drain", direction="inbound", principal=ENERGY[0], flow=ENERGY[1], slot=3)


def running(task: DrainFlow, logical_date: datetime | None, run_after: datetime) -> Context:
    """The context in which Airflow's task runner executes it."""
    dag_run = DagRun.model_validate(
        {
            "dag_id": DAG_ID,
            "run_id": "asset_triggered__1",
            "logical_date": logical_date,
            "data_interval_start": None,
            "data_interval_end": None,
            "run_after": run_after,
            "start_date": BEGUN,
            "end_date": None,
            "clear_number": 1,
            "run_type": "asset_triggered",
            "state": "running",
            "consumed_asset_events": [],
            "partition_key": None,
        }
    )
    ti = RuntimeTaskInstance.model_construct(
        id=uuid4(),
        task_id=task.task_id,
        dag_id=DAG_ID,
        run_id=dag_run.run_id,
        try_number=2,
        map_index=3,
        task=task,
        start_date=BEGUN,
    )
    ti._ti_context_from_server = TIRunContext(dag_run=dag_run, max_tries=2)
    return ti.get_template_context()


@pytest.mark.parametrize("is_scheduled", [True, False], ids=["by its logical date", "by the moment it was due"])
def test_the_event_of_an_exchange_names_the_task_run_and_the_dag_run_above_it(
    store_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, schemas: Path, is_scheduled: bool
) -> None:
    settings = store_settings.model_copy(update={"lineage_url": f"file://{tmp_path}/lineage.ndjson"})
    task, other = drain(), datetime(2026, 11, 26, tzinfo=UTC)
    with open_desk(settings, tmp_path) as desk, at_terminal(desk, monkeypatch):
        dropped = desk.drop(desk.campaign(20)[0])
        desk.open_new()
        task.execute(running(task, *((BEGUN, other) if is_scheduled else (None, BEGUN))))
        desk.work()
        exchange_id = desk.line(dropped).id

    [event] = [
        line for line in (tmp_path / "lineage.ndjson").read_text().splitlines() if '"eventType":"COMPLETE"' in line
    ]
    validator(schemas)(event)
    check_event(event)
    told = json.loads(event)["run"]
    parent = told["facets"]["parent"]
    assert told["runId"] == exchange_id
    assert (parent["run"]["runId"], parent["job"]) == (TASK_RUN, {"namespace": "default", "name": f"{DAG_ID}.drain"})
    root = parent["root"]
    assert (root["run"]["runId"], root["job"]) == (DAG_RUN, {"namespace": "default", "name": DAG_ID})


def test_the_namespace_is_the_one_that_the_provider_would_take(monkeypatch: pytest.MonkeyPatch) -> None:
    from sluice.orchestration.operators import run_of

    task = drain()
    context = running(task, None, BEGUN)
    default = run_of(context)
    monkeypatch.setenv("OPENLINEAGE_NAMESPACE", "of-the-client")
    by_client = run_of(context)
    monkeypatch.setenv("AIRFLOW__OPENLINEAGE__NAMESPACE", "of-airflow")
    by_airflow = run_of(context)

    told = [each["lineage_namespace"] for each in (default, by_client, by_airflow)]
    assert told == ["default", "of-the-client", "of-airflow"]
    assert len({each["lineage_run_id"] for each in (default, by_client, by_airflow)}) == 3
