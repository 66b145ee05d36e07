"""Every five minutes: take up what nobody was woken for, and make the returns whose cut-off has passed.

An Airflow DAG for what no event tells. Arrivals wake their own DAG within seconds; a file that waited
two minutes is taken up here, whatever was away meanwhile. That a cut-off came is no arrival either.
What waits for the database, a paper or a key makes the task `held_up` fail, which names flows and codes.
Dial lists that a dead worker left are finished here, and lists that name who must stay out since are taken back.
"""

from sluice.orchestration.desk import desk
from sluice.orchestration.dial import FinishDialLists
from sluice.orchestration.flows import every_five_minutes
from sluice.orchestration.operators import AllWell, DrainForgotten, HearOfHeld, ReturnsDue

with desk("sweep", every_five_minutes(0), __doc__, retries=1, tells="REFUSED"):
    arrivals = DrainForgotten(task_id="arrivals")
    returns = ReturnsDue(task_id="returns", trigger_rule="all_done")
    arrivals >> returns
    [arrivals, returns] >> AllWell(task_id="all_well")
    FinishDialLists(task_id="dial_lists")
    HearOfHeld(task_id="held_up", retries=0)
