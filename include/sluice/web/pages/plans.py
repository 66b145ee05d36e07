"""Show a plan of an erasure to the second person: what goes in each store, what stays, and who may release it.

Shows only numbers and codes of the plan, and nothing of the person.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sluice.db import Connection
from sluice.ledger.erased import ExceptionKept
from sluice.rights.case.history import Step
from sluice.rights.case.model import Case
from sluice.rights.erasure.control_store import find_plans
from sluice.rights.erasure.exceptions import exceptions_of
from sluice.rights.erasure.model import StoreLine
from sluice.rights.erasure.plan import PlannedCopy, Refusal, StoredPlan, barred


@dataclass(frozen=True, slots=True)
class Shown:
    """A plan that waits. ``going``: one line per store; ``waiting``: copies on which another controller decides.

    ``barred``: why the reader cannot release it; None if they can.
    """

    stored: StoredPlan
    going: tuple[StoreLine, ...]
    waiting: int
    exceptions: tuple[ExceptionKept, ...]
    barred: Refusal | None


def waiting_plans(conn: Connection, case: Case, steps: Sequence[Step], name: str) -> list[Shown]:
    """Return the plans of a case that wait for their release. ``name``: that of the reader."""
    plans = [each for each in find_plans(conn, case.case_id) if each.released_at is None]
    return [_shown(case, steps, each, name) for each in plans]


def _shown(case: Case, steps: Sequence[Step], stored: StoredPlan, name: str) -> Shown:
    plan = stored.plan
    return Shown(
        stored=stored,
        going=_added(plan.going),
        waiting=len(plan.copies) - len(plan.going),
        exceptions=exceptions_of(case, steps, plan.principal),
        barred=barred(case, steps, [stored], name),
    )


def _added(copies: Iterable[PlannedCopy]) -> tuple[StoreLine, ...]:
    """Return one line per store, outcome and ground."""
    groups: dict[tuple[str, str, str], list[PlannedCopy]] = defaultdict(list)
    for copy in copies:
        groups[copy.store, copy.outcome.value, copy.ground or ""].append(copy)
    return tuple(
        StoreLine(
            store=store,
            objects=len(found),
            rows_before=sum(copy.rows_before for copy in found),
            rows_after=sum(copy.rows_after for copy in found),
            outcome=outcome,
            ground=ground or None,
        )
        for (store, outcome, ground), found in sorted(groups.items())
    )
