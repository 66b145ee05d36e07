"""How every DAG of the exchange desk runs: one run at a time, tried again soon, never for the past."""

import pendulum
from airflow.sdk import DAG, AssetOrTimeSchedule


def desk(dag_id: str, schedule: AssetOrTimeSchedule, doc: str | None, *tags: str) -> DAG:
    """A DAG of the desk. ``doc``: Markdown, what people read beside the grid."""
    return DAG(
        dag_id,
        schedule=schedule,
        start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Brussels"),
        catchup=False,
        max_active_runs=1,
        default_args={"owner": "exchange-desk", "retries": 2, "retry_delay": pendulum.duration(seconds=5)},
        tags=["sluice", *tags],
        doc_md=doc,
    )
