"""Every five minutes: tell recipients of what was decided, read what they say, remind, escalate, end ready cases.

An Airflow DAG for Art. 19. Sent is not done: a notice stays open until its recipient says that it did
what it asks. `sluice notices list` shows how far each one is.
"""

from sluice.orchestration.airflow_dag import PERSONS, sluice_dag
from sluice.orchestration.persons import FollowNotices
from sluice.orchestration.schedules import every_five_minutes

with sluice_dag("notices", every_five_minutes(4), __doc__, "persons", owner=PERSONS, retries=1):
    FollowNotices(task_id="follow")
