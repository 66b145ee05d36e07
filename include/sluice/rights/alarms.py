"""Which open cases are near their last day, or past it."""

from datetime import datetime

from sluice.db import Connection
from sluice.rights import store
from sluice.rights.clock import received_on
from sluice.rights.due import Alarm, raised_alarms


def find_alarms(conn: Connection, now: datetime) -> list[Alarm]:
    """Alarms that stand at ``now``, the nearest day first."""
    cases = store.list_cases(conn, only_open=True, limit=None)
    found = raised_alarms(cases, received_on(now))
    return sorted(found, key=lambda alarm: (alarm.last_day, alarm.case.case_id))
