"""Sweeps of acknowledgements that are killed at their n-th step; a line of stdin is ``step moment`` (0 = never)."""

from datetime import datetime

from sluice.returns.reminders import follow
from support.crash import answer, dying_at


def once(line: str) -> str:
    """Read acknowledgements and remind; die at the step, or return the number of steps."""
    kill_at, moment = line.split()
    return dying_at(int(kill_at), lambda house: follow(house, datetime.fromisoformat(moment)))


if __name__ == "__main__":
    answer(once)
