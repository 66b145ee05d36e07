"""The enriched return: one Airflow DAG per principal and return flow, from their contracts.

It wakes when contacts or results of the principal were accepted; the DAG `sweep` looks every five
minutes for a cut-off that has passed. A return is made once the agreement's cut-off after the day of
its contacts has passed, and again when late results change it; where the agreement asks, it then
waits for `sluice exchange release`.
"""

from sluice.orchestration.airflow_dag import sluice_dag
from sluice.orchestration.flows import flows_of
from sluice.orchestration.operators import ReturnResults
from sluice.orchestration.schedules import returns_wanted

for paper in flows_of("outbound_return"):
    with sluice_dag(
        f"outbound__{paper.principal}__{paper.flow}", returns_wanted(paper), __doc__, "return", paper.principal
    ):
        ReturnResults(task_id="return", principal=paper.principal, flow=paper.flow)
