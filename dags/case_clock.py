"""Every five minutes: read what persons and principals asked, forward it in time, remind, escalate, write letters.

What is sealed of a case goes some time after it is closed (`facts/parameters.csv` says when).

An Airflow DAG that decides nothing: `sluice case list` shows where every request stands and when it is due.
"""

from sluice.orchestration.airflow_dag import PERSONS, sluice_dag
from sluice.orchestration.persons import FollowCases
from sluice.orchestration.schedules import every_five_minutes

with sluice_dag(
    "case_clock",
    every_five_minutes(2),
    __doc__,
    "persons",
    owner=PERSONS,
    retries=1,
    alert_kinds=("ALARM", "CONTRADICTED"),
):
    FollowCases(task_id="follow")
