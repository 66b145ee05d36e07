"""Handovers of answers that are killed at their n-th step; one line of stdin is the step (0 = never)."""

import sys
from datetime import UTC, datetime

from crash import Steps, answer, forked
from sluice.answers.handover_due import hand_owed
from sluice.exchange.house import open_house
from sluice.settings import get_settings

WATCHED = tuple(
    f"/sluice/{place}"
    for place in ("answers/handover", "exchange/hand_over", "exchange/effects", "exchange/catalogue", "exchange/close",
                  "lake/objects", "ledger/append", "db.py")
)  # fmt: skip


def once(line: str) -> str:
    """Hand over what is owed, as the DAG does, or die at the step; steps counted."""
    kill_at = int(line)

    def counted(_: int) -> str:
        steps = Steps(kill_at, WATCHED)
        with open_house(get_settings()) as house:
            sys.setprofile(steps)
            hand_owed(house, datetime.now(UTC))
            sys.setprofile(None)
        return str(steps.count)

    return forked(counted)


if __name__ == "__main__":
    answer(once)
