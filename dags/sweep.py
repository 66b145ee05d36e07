"""Every five minutes: take up what nobody was woken for, and make the returns whose cut-off has passed.

An Airflow DAG for what no event tells. Arrivals wake their own DAG within seconds; a file that waited
two minutes is taken up here, whatever was away meanwhile; a backlog is left to the next sweep after four
minutes, each flow with its share. What the trigger did not open is opened here, and the task `arrivals` fails
while a file cannot be. That a cut-off came is no arrival either: no return waits for a file.
What waits for the database, a paper or a key makes the task `held_up` fail, which names flows and codes; so do
lineage events that do not go out.
"""

from sluice.orchestration.airflow_dag import sluice_dag
from sluice.orchestration.operators import CheckHeldUp, DrainForgotten, ReturnsDue
from sluice.orchestration.schedules import every_five_minutes

with sluice_dag("sweep", every_five_minutes(0), __doc__, retries=1, alert_kinds=("REFUSED",)):
    DrainForgotten(task_id="arrivals")
    ReturnsDue(task_id="returns")
    CheckHeldUp(task_id="held_up", retries=0)
