"""Every night: give back what ended agreements want back; delete the copies whose last day is over, with proof; then
merge the runs of the index that are left, so that a person is found with few reads.

An Airflow DAG that decides nothing: `sluice retention due` says beforehand what will go, and what a legal hold keeps.
Giving back and deleting do not wait for each other: what was not given back yet is not deleted.
"""

from sluice.orchestration.airflow_dag import PERSONS, sluice_dag
from sluice.orchestration.operators import AllWell
from sluice.orchestration.persons import GiveBack, MergeIndex, Retain
from sluice.orchestration.schedules import every_night

with sluice_dag("retention", every_night(), __doc__, "persons", owner=PERSONS):
    GiveBack(task_id="give_back")
    delete = Retain(task_id="delete")
    merge = MergeIndex(task_id="merge_index", trigger_rule="all_done")
    delete >> merge
    [delete, merge] >> AllWell(task_id="all_well")
