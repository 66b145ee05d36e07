"""Every five minutes: make the answers that were decided to be given, remove those whose last day is over.

An Airflow DAG for Art. 15 and 20. It decides nothing and hands nothing out to persons: a package lies sealed in the
vault until its person opens the link that the desk made, or the desk takes it out (`sluice export links`). What a
person asked to send to a next controller goes there once it was decided, and a principal gets what it decided and
answers itself; each with record and receipt (`sluice exchange list --direction portability_access`).
"""

from sluice.orchestration.airflow_dag import PERSONS, sluice_dag
from sluice.orchestration.answers import HandAnswers, MakeAnswers, RemoveAnswers
from sluice.orchestration.schedules import every_five_minutes

with sluice_dag("answers", every_five_minutes(3), __doc__, "persons", owner=PERSONS, retries=1) as dag:
    MakeAnswers(task_id="make")
    HandAnswers(task_id="hand")
    RemoveAnswers(task_id="remove")  # never after the other: what cannot be made keeps nothing in the vault
