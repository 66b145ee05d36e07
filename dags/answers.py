"""Every five minutes: make the answers that were decided to be given, remove those whose last day is over.

An Airflow DAG for Art. 15 and 20. It decides nothing and hands nothing out: a package lies sealed in the vault until
its person opens the link that the desk made, or the desk takes it out. `sluice export links` shows how often.
"""

from sluice.orchestration.answers import MakeAnswers, RemoveAnswers
from sluice.orchestration.desk import PERSONS, desk
from sluice.orchestration.flows import every_five_minutes

with desk("answers", every_five_minutes(3), __doc__, "persons", owner=PERSONS, retries=1) as dag:
    MakeAnswers(task_id="make")
    RemoveAnswers(task_id="remove")  # never after the other: what cannot be made keeps nothing in the vault
