"""Letters that are killed at their n-th step; one line of stdin is ``case step`` (0 = never)."""

from datetime import UTC, datetime

from sluice.rights.case.model import CaseId, LetterKind
from sluice.rights.letters.write import write_letter
from support.crash import answer, dying_at

WATCHED = tuple(
    f"/sluice/{place}"
    for place in ("rights/letters/", "rights/case/letter", "rights/case/book", "lake/s3/objects", "ledger/", "db.py")
)


def once(line: str) -> str:
    """Write the receipt; die at the step, or return the number of steps."""
    case_id, kill_at = line.split()
    return dying_at(
        int(kill_at),
        lambda house: write_letter(house, CaseId(case_id), LetterKind.RECEIPT, datetime.now(UTC)),
        WATCHED,
    )


if __name__ == "__main__":
    answer(once)
