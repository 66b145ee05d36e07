"""Every five minutes: read what persons and principals asked, forward it within the agreed hours, remind, escalate.

An Airflow DAG that decides nothing: `sluice case list` shows where every request stands and when it is due.
"""

import pendulum
from airflow.sdk import DAG

from sluice.orchestration.persons import FollowCases

with DAG(
    "case_clock",
    schedule="*/5 * * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Brussels"),
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "privacy-desk", "retries": 1, "retry_delay": pendulum.duration(seconds=5)},
    tags=["sluice", "persons"],
    doc_md=__doc__,
):
    FollowCases(task_id="follow")
