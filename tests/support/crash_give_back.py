"""Giving back an ended agreement's data, killed at its n-th step; one line of stdin is ``moment step`` (0 = never)."""

from datetime import datetime

from sluice.retention.give_back import give_back
from sluice.terms import Principal
from support.crash import WATCHED, answer, dying_at

ALL = (*WATCHED, "/sluice/returns/", "/sluice/retention/", "/sluice/documents/statement", "/sluice/lake/write/table")


def once(line: str) -> str:
    """Give back what energy01's agreement wants back, or die at the step; steps counted."""
    moment, kill_at = line.split()
    day = datetime.fromisoformat(moment)
    return dying_at(int(kill_at), lambda house: give_back(house, Principal("energy01"), day, "an"), ALL)


if __name__ == "__main__":
    answer(once)
