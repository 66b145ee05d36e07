"""Exports of the agents' platforms: one Airflow DAG per principal and flow, made from their contracts.

A file put under `<principal>/internal/<flow>/` of the internal bucket, which no principal can reach,
goes through the same gate as any file; its rows become the canonical results that returns are made of.
"""

from sluice.orchestration.desk import desk
from sluice.orchestration.flows import accepted, arrivals, flows_of, slots
from sluice.orchestration.operators import DrainFlow

for paper in flows_of("internal"):
    whose = {"direction": "internal", "principal": paper.principal, "flow": paper.flow}
    with desk(
        f"agent_results__{paper.principal}__{paper.flow}",
        arrivals(paper),
        __doc__,
        "results",
        paper.principal,
        tells="REFUSED",
    ):
        DrainFlow.partial(task_id="drain", outlets=[accepted(**whose)], **whose).expand(slot=slots())
