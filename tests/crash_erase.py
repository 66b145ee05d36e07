"""Erasures that are killed at their n-th step; one line of stdin is ``case step`` (0 = never)."""

import sys
from datetime import UTC, datetime

from crash import Steps, answer, forked
from sluice.exchange.house import open_house
from sluice.rights.erase import run as erase
from sluice.rights.model import CaseId
from sluice.settings import get_settings

WATCHED = tuple(
    f"/sluice/{place}"
    for place in (
        "rights/erase", "exchange/suppressed", "exchange/catalogue", "exchange/workroom", "lake/objects", "db.py",
    )
)  # fmt: skip


def once(line: str) -> str:
    """Erase, or die at the step; steps counted."""
    case_id, kill_at = line.split()

    def counted(_: int) -> str:
        steps = Steps(int(kill_at), WATCHED)
        sys.setprofile(steps)
        with open_house(get_settings()) as house:
            erase(house, CaseId(case_id), datetime.now(UTC))
        sys.setprofile(None)
        return str(steps.count)

    return forked(counted)


if __name__ == "__main__":
    answer(once)
