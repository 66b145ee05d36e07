"""Giving back an ended agreement's data, killed at its n-th step; one line of stdin is ``moment step`` (0 = never)."""

import sys
from datetime import datetime

from crash import WATCHED, Steps, answer, forked
from sluice.exchange.house import open_house
from sluice.retention.give_back import give_back
from sluice.settings import get_settings
from sluice.terms import Principal

ALL = (*WATCHED, "/sluice/returns/", "/sluice/retention/", "/sluice/documents/statement", "/sluice/lake/write_table")


def once(line: str) -> str:
    """Give back what energy01's agreement wants back, or die at the step; steps counted."""
    moment, kill_at = line.split()

    def counted(_: int) -> str:
        steps = Steps(int(kill_at), ALL)
        with open_house(get_settings()) as house:
            sys.setprofile(steps)
            give_back(house, Principal("energy01"), datetime.fromisoformat(moment), "an")
            sys.setprofile(None)
        return str(steps.count)

    return forked(counted)


if __name__ == "__main__":
    answer(once)
