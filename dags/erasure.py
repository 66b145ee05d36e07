"""Erase what was decided: an Airflow DAG with one mapped task per case, its second scan and its certificate.

Safe to run again: a case that was killed half-way is found again and finished. A case that leaves a
residue, or meets a file under way, fails its task and is tried again; nothing is certified meanwhile.
"""

from sluice.orchestration.desk import PERSONS, desk
from sluice.orchestration.flows import every_five_minutes
from sluice.orchestration.persons import EraseCase, FindDecided

with desk("erasure", every_five_minutes(3), __doc__, "persons", owner=PERSONS, retry_seconds=20):
    decided = FindDecided(task_id="decided")
    EraseCase.partial(task_id="erase").expand(case_id=decided.output)
