"""Every night: verify the ledger against the copies outside the database, and call the desk when it does not hold.

That it could not be verified is told too, with its code. An Airflow DAG that mends nothing in the ledger: `sluice
ledger verify` shows every place, and what it can have been. Copies that are missing are told, then put there again.
"""

from sluice.orchestration.airflow_dag import sluice_dag
from sluice.orchestration.notifiers import VerifyNotifier
from sluice.orchestration.operators import VerifyLedger
from sluice.orchestration.schedules import every_night

with sluice_dag("verify", every_night(), __doc__, "evidence", retries=0):
    VerifyLedger(task_id="ledger", on_failure_callback=[VerifyNotifier()])
