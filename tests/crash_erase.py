"""Erasures that are killed at their n-th step; one line of stdin is ``case step [what]`` (step 0 = never).

What: ``erase`` (by default), ``let_go`` (plan it and let a second person release it), ``stop`` (and resume),
``path`` (from the plan to the certificate and to those who are told).
"""

import sys
from collections.abc import Callable
from datetime import UTC, datetime

from crash import Steps, answer, forked
from sluice.exchange.house import House, open_house
from sluice.rights.certificate import issue
from sluice.rights.erase import run
from sluice.rights.erase_control import resume, stop
from sluice.rights.erase_release import draft, release
from sluice.rights.model import CaseId
from sluice.rights.tell import tell
from sluice.settings import get_settings

WATCHED = tuple(
    f"/sluice/{place}"
    for place in (
        "rights/erase", "rights/certificate", "rights/tell", "rights/notice_", "exchange/suppressed",
        "exchange/catalogue", "exchange/workroom", "lake/objects", "db.py",
    )
)  # fmt: skip


def erase(house: House, case_id: CaseId) -> None:
    """What the erasure's DAG does."""
    run(house, case_id, datetime.now(UTC))


def let_go(house: House, case_id: CaseId) -> None:
    """The machine plans, somebody releases; on a rerun only what is missing of it."""
    plans = draft(house, case_id, "airflow", datetime.now(UTC)).plans
    if any(plan.released_at is None for plan in plans):
        release(house, case_id, "bert", datetime.now(UTC))


def halt(house: House, case_id: CaseId) -> None:
    """Somebody stops it, and lets it go on."""
    stop(house.conn, case_id, "AUDIT", "els", datetime.now(UTC))
    resume(house.conn, case_id, "els", datetime.now(UTC))


def path(house: House, case_id: CaseId) -> None:
    """Plan, release, run, second scan, certificate, and everybody who has to hear of it is told."""
    let_go(house, case_id)
    report = run(house, case_id, datetime.now(UTC))
    issue(house, case_id, report.principals)
    tell(house, datetime.now(UTC))


WORK: dict[str, Callable[[House, CaseId], None]] = {"erase": erase, "let_go": let_go, "stop": halt, "path": path}


def once(line: str) -> str:
    """Do it, or die at the step; steps counted."""
    case_id, kill_at, *what = line.split()

    def counted(_: int) -> str:
        steps = Steps(int(kill_at), WATCHED)
        sys.setprofile(steps)
        with open_house(get_settings()) as house:
            WORK[what[0] if what else "erase"](house, CaseId(case_id))
        sys.setprofile(None)
        return str(steps.count)

    return forked(counted)


if __name__ == "__main__":
    answer(once)
