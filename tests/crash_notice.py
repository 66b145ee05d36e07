"""Sweeps of notices that are killed at their n-th step; a line of stdin is ``moment step where`` (step 0 = never).

``where``: the rooms and files whose calls count as steps, joined by commas.
"""

import sys
from datetime import datetime

from crash import Steps, answer, forked
from sluice.exchange.house import open_house
from sluice.rights.finish import sweep
from sluice.settings import get_settings


def once(line: str) -> str:
    """Tell, follow and finish, or die at the step; steps counted."""
    moment, kill_at, where = line.split()

    def counted(_: int) -> str:
        steps = Steps(int(kill_at), tuple(f"/sluice/{place}" for place in where.split(",")))
        with open_house(get_settings()) as house:
            sys.setprofile(steps)
            sweep(house, datetime.fromisoformat(moment))
            sys.setprofile(None)
        return str(steps.count)

    return forked(counted)


if __name__ == "__main__":
    answer(once)
