"""Every five minutes: read what principals put under `acks/`, remind of what is due, tell the desk what is late.

An Airflow DAG in which nothing closes by itself: a return stays open until its principal acknowledges it
by a file, or somebody by `sluice recipients ack`. `sluice recipients list` shows where each one stands.
"""

from sluice.orchestration.airflow_dag import sluice_dag
from sluice.orchestration.follow import FollowAcknowledgements
from sluice.orchestration.schedules import every_five_minutes

with sluice_dag(
    "acknowledgements", every_five_minutes(1), __doc__, "outbound", retries=1, alert_kinds=("UNACKNOWLEDGED",)
):
    FollowAcknowledgements(task_id="follow")
