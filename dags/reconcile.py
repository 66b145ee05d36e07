"""Once a minute: register the papers of the checkout, finish what a dead worker left, anchor the ledger.

The Airflow DAG that everything else counts on.
"""

from sluice.orchestration.airflow_dag import sluice_dag
from sluice.orchestration.operators import ActivatePaper, AnchorLedger, FinishEffects
from sluice.orchestration.schedules import every_minute

with sluice_dag("reconcile", every_minute(), __doc__, retries=1):
    ActivatePaper(task_id="activate")
    FinishEffects(task_id="finish")
    AnchorLedger(task_id="anchor")
