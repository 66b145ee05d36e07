"""Every five minutes: take up what nobody was woken for, and make the returns whose cut-off has passed.

Arrivals wake their own DAG within seconds. This one is for a file that waited two minutes, whatever
was away meanwhile; and for returns, because no arrival tells that a cut-off came.
"""

from sluice.orchestration.desk import desk
from sluice.orchestration.flows import every_five_minutes
from sluice.orchestration.operators import DrainForgotten, ReturnsDue

with desk("sweep", every_five_minutes(0), __doc__, retries=1):
    DrainForgotten(task_id="arrivals") >> ReturnsDue(task_id="returns")
