"""Every night: delete the copies whose last day is over, look that nothing of them is left, record it.

An Airflow DAG that decides nothing: `sluice retention due` says beforehand what will go, and what a legal hold keeps.
"""

from sluice.orchestration.desk import PERSONS, desk
from sluice.orchestration.flows import every_night
from sluice.orchestration.persons import Retain

with desk("retention", every_night(), __doc__, "persons", owner=PERSONS):
    Retain(task_id="delete")
