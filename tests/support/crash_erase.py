"""Erasures that are killed at their n-th step; one line of stdin is ``case step [what]`` (step 0 = never).

What: ``erase`` (by default), ``let_go`` (plan it and let a second person release it), ``stop`` (and resume),
``tidy`` (remove what is sealed of closed cases, a year on), ``destroy`` (the second person lets keys be destroyed),
``path`` (from the plan to the certificate and to those who are told), ``merge`` (the index of a principal).
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sluice.exchange.house import House
from sluice.exchange.persons.merged import merge_index
from sluice.rights.case.model import CaseId
from sluice.rights.destroy import confirm_destruction
from sluice.rights.erasure.certificate import issue
from sluice.rights.erasure.control import resume, stop
from sluice.rights.erasure.erase import run
from sluice.rights.erasure.release import draft, release
from sluice.rights.notices.tell import tell
from sluice.rights.tidy import tidy
from sluice.terms import Principal
from support.crash import answer, dying_at

WATCHED = tuple(
    f"/sluice/{place}"
    for place in (
        "rights/erasure/", "rights/copies/", "rights/notices/", "rights/tidy", "rights/destroy",
        "exchange/persons/", "exchange/own_writes", "exchange/catalogue", "exchange/workroom", "lake/s3/objects",
        "keys.py", "locks.py", "db.py",
    )
)  # fmt: skip


def erase(house: House, case_id: CaseId) -> None:
    """Erase a case as the DAG ``erasure`` does."""
    run(house, case_id, datetime.now(UTC))


def let_go(house: House, case_id: CaseId) -> None:
    """The machine plans, somebody releases; on a rerun only what is missing of it."""
    plans = draft(house, case_id, "airflow", datetime.now(UTC)).plans
    if any(plan.released_at is None for plan in plans):
        release(house, case_id, "bert", datetime.now(UTC))


def halt(house: House, case_id: CaseId) -> None:
    """Stop the erasure and resume it."""
    stop(house.conn, case_id, "AUDIT", "els", datetime.now(UTC))
    resume(house.conn, case_id, "els", datetime.now(UTC))


def remove_sealed(house: House, case_id: CaseId) -> None:
    """Remove sealed data as the case clock would a year from now."""
    tidy(house, datetime.now(UTC) + timedelta(days=366))


def destroy_keys(house: House, principal: str) -> None:
    """The second person confirms, or says so again after somebody died of it."""
    confirm_destruction(house, Principal(principal), "bert", datetime.now(UTC))


def path(house: House, case_id: CaseId) -> None:
    """Plan, release, run, second scan, certificate, and everybody who has to hear of it is told."""
    let_go(house, case_id)
    report = run(house, case_id, datetime.now(UTC))
    issue(house, case_id, report.principals)
    tell(house, datetime.now(UTC))


def merge(house: House, principal: str) -> None:
    """Merge index runs, as the nightly DAG does."""
    merge_index(house, Principal(principal), datetime.now(UTC), fewest=1)


WORK: dict[str, Callable[[House, Any], None]] = {
    "erase": erase,
    "let_go": let_go,
    "stop": halt,
    "tidy": remove_sealed,
    "destroy": destroy_keys,
    "path": path,
    "merge": merge,
}


def once(line: str) -> str:
    """Do what was asked; die at the step, or return the number of steps."""
    case_id, kill_at, *what = line.split()
    work = WORK[what[0] if what else "erase"]
    return dying_at(int(kill_at), lambda house: work(house, CaseId(case_id)), WATCHED)


if __name__ == "__main__":
    answer(once)
