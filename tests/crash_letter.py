"""Letters that are killed at their n-th step; one line of stdin is ``case step`` (0 = never)."""

import sys
from datetime import UTC, datetime

from crash import Steps, answer, forked
from sluice.exchange.house import open_house
from sluice.rights.letters import write_letter
from sluice.rights.model import CaseId, LetterKind
from sluice.settings import get_settings

WATCHED = tuple(f"/sluice/{place}" for place in ("rights/letter", "rights/book", "lake/objects", "ledger/", "db.py"))


def once(line: str) -> str:
    """Write the receipt, or die at the step; steps counted."""
    case_id, kill_at = line.split()

    def counted(_: int) -> str:
        steps = Steps(int(kill_at), WATCHED)
        with open_house(get_settings()) as house:
            sys.setprofile(steps)
            write_letter(house, CaseId(case_id), LetterKind.RECEIPT, datetime.now(UTC))
            sys.setprofile(None)
        return str(steps.count)

    return forked(counted)


if __name__ == "__main__":
    answer(once)
