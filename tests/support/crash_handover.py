"""Handovers of answers that are killed at their n-th step; one line of stdin is the step (0 = never)."""

from datetime import UTC, datetime

from sluice.answers.handover_due import hand_owed
from support.crash import answer, dying_at

WATCHED = tuple(
    f"/sluice/{place}"
    for place in ("answers/handover", "exchange/effects/", "exchange/catalogue", "exchange/close",
                  "lake/s3/objects", "ledger/append", "locks.py", "db.py")
)  # fmt: skip


def once(line: str) -> str:
    """Hand over what is owed, as the DAG does, or die at the step; steps counted."""
    return dying_at(int(line), lambda house: hand_owed(house, datetime.now(UTC)), WATCHED)


if __name__ == "__main__":
    answer(once)
