"""Files that principals drop: one Airflow DAG per principal and flow, made from their agreements.

A file put under `<principal>/inbound/<flow>/` is opened as an exchange by the watcher, which only
wakes the DAG. Its slots claim, judge, keep and close one exchange after the other. What has no flow
goes through `inbound__strays` and gets a refusal with its reason.
Per-file truth is the exchange (`sluice exchange list`), not the task grid.
"""

from sluice.orchestration.airflow_dag import sluice_dag
from sluice.orchestration.flows import flows_of
from sluice.orchestration.operators import DrainStrays, drain_in_slots
from sluice.orchestration.schedules import arrivals, stray_arrivals

for paper in flows_of("inbound"):
    with sluice_dag(
        f"inbound__{paper.principal}__{paper.flow}",
        arrivals(paper),
        __doc__,
        "inbound",
        paper.principal,
        alert_kinds=("REFUSED",),
    ):
        drain_in_slots("inbound", paper.principal, paper.flow)

with sluice_dag("inbound__strays", stray_arrivals(), __doc__, "inbound", alert_kinds=("REFUSED",)):
    DrainStrays(task_id="drain")
