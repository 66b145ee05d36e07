"""Once a minute: register the papers of the checkout, finish what a dead worker left, anchor the ledger."""

import pendulum
from airflow.sdk import DAG

from sluice.orchestration.operators import ActivatePaper, AnchorLedger, FinishEffects

with DAG(
    "reconcile",
    schedule="* * * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Brussels"),
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "exchange-desk", "retries": 1, "retry_delay": pendulum.duration(seconds=5)},
    tags=["sluice"],
    doc_md=__doc__,
):
    ActivatePaper(task_id="activate")
    FinishEffects(task_id="finish")
    AnchorLedger(task_id="anchor")
