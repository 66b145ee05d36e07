"""Every five minutes: read what principals put under `acks/`, remind of what is due, tell the desk what is late.

Nothing closes by itself: a return stays open until its principal acknowledges it by a file, or somebody
by `sluice recipients ack`. `sluice recipients list` shows where each one stands.
"""

import pendulum
from airflow.sdk import DAG

from sluice.orchestration.follow import FollowAcknowledgements

with DAG(
    "acknowledgements",
    schedule="*/5 * * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Brussels"),
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "exchange-desk", "retries": 1, "retry_delay": pendulum.duration(seconds=5)},
    tags=["sluice", "outbound"],
    doc_md=__doc__,
):
    FollowAcknowledgements(task_id="follow")
