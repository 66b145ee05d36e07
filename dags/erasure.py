"""Erase what was decided: one mapped Airflow task per case, each with its second scan and certificate.

Safe to run again: a case that was killed half-way is found again and finished. A case that leaves a
residue, or meets a file under way, fails its task and is tried again; nothing is certified meanwhile.
"""

import pendulum
from airflow.sdk import DAG

from sluice.orchestration.persons import EraseCase, FindDecided

with DAG(
    "erasure",
    schedule="*/5 * * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Brussels"),
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "privacy-desk", "retries": 2, "retry_delay": pendulum.duration(seconds=20)},
    tags=["sluice", "persons"],
    doc_md=__doc__,
):
    decided = FindDecided(task_id="decided")
    EraseCase.partial(task_id="erase").expand(case_id=decided.output)
