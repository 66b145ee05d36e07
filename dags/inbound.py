"""Files that principals drop: one DAG per principal and flow, made from their agreements.

A file put under `<principal>/inbound/<flow>/` is opened as an exchange by the watcher, which only
wakes the DAG. Its slots claim, judge, keep and close one exchange after the other. What has no flow
here goes through `inbound__strays` and gets a refusal with its reason.
Per-file truth is the exchange (`sluice exchange list`), not the task grid.
"""

import pendulum
from airflow.sdk import DAG, AssetOrTimeSchedule

from sluice.orchestration.flows import arrivals, inbound_flows, slots, stray_arrivals
from sluice.orchestration.operators import DrainFlow, DrainStrays


def desk(dag_id: str, schedule: AssetOrTimeSchedule, *tags: str) -> DAG:
    """A DAG of the exchange desk: one run at a time, tried again soon, never for the past."""
    return DAG(
        dag_id,
        schedule=schedule,
        start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Brussels"),
        catchup=False,
        max_active_runs=1,
        default_args={"owner": "exchange-desk", "retries": 2, "retry_delay": pendulum.duration(seconds=5)},
        tags=["sluice", "inbound", *tags],
        doc_md=__doc__,
    )


for paper in inbound_flows():
    name = f"{paper.principal}__{paper.flow}"
    with desk(f"inbound__{name}", arrivals(paper.principal, paper.flow), paper.principal):
        DrainFlow.partial(task_id="drain", principal=paper.principal, flow=paper.flow).expand(slot=slots())

with desk("inbound__strays", stray_arrivals()):
    DrainStrays(task_id="drain")
