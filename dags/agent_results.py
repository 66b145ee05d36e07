"""Exports of the agents' platforms: one Airflow DAG per principal and flow, made from their contracts.

A file put under `<principal>/internal/<flow>/` of the internal bucket, which no principal can reach,
goes through the same gate as any file; its rows become the canonical results that returns are made of.
"""

from sluice.orchestration.airflow_dag import sluice_dag
from sluice.orchestration.flows import flows_of
from sluice.orchestration.operators import drain_in_slots
from sluice.orchestration.schedules import arrivals

for paper in flows_of("internal"):
    with sluice_dag(
        f"agent_results__{paper.principal}__{paper.flow}",
        arrivals(paper),
        __doc__,
        "results",
        paper.principal,
        alert_kinds=("REFUSED",),
    ):
        drain_in_slots("internal", paper.principal, paper.flow)
