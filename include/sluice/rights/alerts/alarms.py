"""Find the open cases that are near their last day or past it."""

from datetime import datetime

from sluice.db import Connection
from sluice.rights.case import store
from sluice.rights.case.clock import received_on
from sluice.rights.case.due import Alarm, raised_alarms
from sluice.rights.letters.had import without_answered


def find_alarms(conn: Connection, now: datetime) -> list[Alarm]:
    """Return the alarms raised at ``now``, nearest last day first."""
    today = received_on(now)
    cases = without_answered(conn, store.list_open_cases(conn), today)
    found = raised_alarms(cases, today)
    return sorted(found, key=lambda alarm: (alarm.last_day, alarm.case.case_id))
