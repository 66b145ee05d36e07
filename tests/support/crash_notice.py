"""Sweeps of notices that are killed at their n-th step; a line of stdin is ``moment step where`` (step 0 = never).

``where``: the rooms and files whose calls count as steps, joined by commas.
"""

from datetime import datetime

from sluice.rights.schedule import sweep
from support.crash import answer, dying_at


def once(line: str) -> str:
    """Tell, follow and finish, or die at the step; steps counted."""
    moment, kill_at, where = line.split()
    watched = tuple(f"/sluice/{place}" for place in where.split(","))
    return dying_at(int(kill_at), lambda house: sweep(house, datetime.fromisoformat(moment)), watched)


if __name__ == "__main__":
    answer(once)
