"""Every night: give back what ended agreements want back; delete the copies whose last day is over, with proof.

An Airflow DAG that decides nothing: `sluice retention due` says beforehand what will go, and what a legal hold keeps.
Neither task waits for the other: what was not given back yet is not deleted.
"""

from sluice.orchestration.desk import PERSONS, desk
from sluice.orchestration.flows import every_night
from sluice.orchestration.persons import GiveBack, Retain

with desk("retention", every_night(), __doc__, "persons", owner=PERSONS):
    GiveBack(task_id="give_back")
    Retain(task_id="delete")
