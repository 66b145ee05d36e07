"""Every five minutes: take back the dial lists that name somebody who must stay out since they were made.

An Airflow DAG of its own, because no file and no return may keep it waiting: who withdrew a consent is called no
more within those minutes. Lists that a dead worker left open are finished here too.
"""

from sluice.orchestration.airflow_dag import sluice_dag
from sluice.orchestration.dial import FinishDialLists
from sluice.orchestration.schedules import every_five_minutes

with sluice_dag("recall", every_five_minutes(1), __doc__, "dial", retries=1):
    FinishDialLists(task_id="dial_lists")
