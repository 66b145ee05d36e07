"""The plan of an erasure at one principal: what a second person releases, and what the release covers. Pure.

A released plan covers the copies that it names, as it foresaw them, and the person's rows in copies that came later,
because the person must go from those too. It never covers the removal of a whole object that it does not name, nor a
copy that existed at the time and was not found. Both need a new plan.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

import rfc8785

from sluice.ledger.copy_kinds import DELIVERED, RETURN
from sluice.ledger.names import is_same_person
from sluice.rights.case.history import Step
from sluice.rights.case.model import Case, CaseId, SubCaseId
from sluice.rights.case.states import TO_CARRY_OUT
from sluice.rights.copies.model import ANSWER, Decided, Done, Outcome, words_of
from sluice.terms import ExchangeId, Principal

FORMAT = "sluice-erasure-plan-1"


class Refusal(StrEnum):
    """Why a release or a run was refused."""

    NOTHING_TO_RELEASE = "NOTHING_TO_RELEASE"
    MADE_THE_PLAN = "MADE_THE_PLAN"
    DECIDED_THE_CASE = "DECIDED_THE_CASE"
    DECISION_CHANGED = "DECISION_CHANGED"
    ANOTHER_PLAN = "ANOTHER_PLAN"
    ANOTHER_CASE_IN_ERROR = "ANOTHER_CASE_IN_ERROR"
    PLAN_OUTDATED = "PLAN_OUTDATED"


@dataclass(frozen=True, slots=True)
class PlannedCopy:
    """One copy and what would become of it. ``rows``: those of the person; the other counts are of the whole copy."""

    exchange_id: ExchangeId
    kind: str
    store: str
    outcome: Outcome
    ground: str | None
    rows: int
    rows_before: int
    rows_after: int


@dataclass(frozen=True)
class Plan:
    """What would be erased at a principal. ``decided``: controller and field group, as in ``principal:identity``.

    ``copies``: every copy with the person, also those that stay.
    """

    case_id: CaseId
    principal: Principal
    decided: tuple[str, ...]
    copies: tuple[PlannedCopy, ...]
    waits: tuple[tuple[str, int], ...] = ()
    """Number of persons of a principal's file left out, by what they need their data for. Nothing of them is erased."""

    @cached_property
    def content(self) -> bytes:
        """Return the canonical bytes, which are the same for the same copies and decisions."""
        said: dict[str, Any] = {
            "format": FORMAT,
            "case": self.case_id,
            "principal": self.principal,
            "decided": list(self.decided),
            "copies": [
                [c.exchange_id, c.kind, c.store, c.outcome.value, c.ground, c.rows, c.rows_before, c.rows_after]
                for c in self.copies
            ],
        }
        return rfc8785.dumps(said | ({"waits": dict(self.waits)} if self.waits else {}))

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def going(self) -> tuple[PlannedCopy, ...]:
        """Return the copies that would be changed or removed."""
        return tuple(copy for copy in self.copies if copy.outcome is not Outcome.KEPT)


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A plan as it was made and, perhaps, released. ``made_at``: a moment before the first copy was looked at."""

    plan_id: str
    plan: Plan
    made_at: datetime
    made_by: str
    released_at: datetime | None = None
    released_by: str | None = None

    def permits(self, done: Done) -> bool:
        """Whether the plan covers this change. An answer, made for the person alone, may go however late it came."""
        copy = done.place.copy
        if copy.kind == ANSWER:
            return True
        planned = _planned(self.plan, copy.exchange_id, copy.kind)
        if planned is not None:
            is_as_foreseen = done.outcome is Outcome.ERASED and done.place.rows <= planned.rows
            return planned.outcome is Outcome.REMOVED or is_as_foreseen
        came_later = copy.closed_at is not None and copy.closed_at >= self.made_at
        return came_later and done.outcome is Outcome.ERASED


def make_plan(
    case_id: CaseId,
    principal: Principal,
    decided: Iterable[Decided],
    foreseen: Sequence[Done],
    waits: tuple[tuple[str, int], ...] = (),
) -> Plan:
    """Make a plan of what a dry run foresaw, in an order that does not depend on the run."""
    copies = (
        PlannedCopy(
            exchange_id=done.place.copy.exchange_id,
            kind=done.place.copy.kind,
            store=done.place.store,
            outcome=done.outcome,
            ground=done.ground,
            rows=done.place.rows,
            rows_before=done.rows_before,
            rows_after=done.rows_after,
        )
        for done in foreseen
    )
    ordered = sorted(copies, key=lambda copy: (copy.exchange_id, copy.kind))
    return Plan(case_id, principal, words_of(decided), tuple(ordered), waits)


def read_plan(content: bytes) -> Plan:
    """Read a plan from its canonical bytes."""
    said = json.loads(content)
    copies = tuple(
        PlannedCopy(ExchangeId(exchange_id), kind, store, Outcome(outcome), *rest)
        for exchange_id, kind, store, outcome, *rest in said["copies"]
    )
    waits = tuple(sorted(said.get("waits", {}).items()))
    return Plan(CaseId(said["case"]), Principal(said["principal"]), tuple(said["decided"]), copies, waits)


def deciders_of(steps: Iterable[Step], parts: frozenset[SubCaseId]) -> frozenset[str]:
    """Return who decided these parts. A principal that instructed is the first person; the second is one of ours."""
    return frozenset(step.actor for step in steps if step.sub_case_id in parts and step.to_state in TO_CARRY_OUT)


def barred(case: Case, steps: Sequence[Step], plans: Sequence[StoredPlan], by: str) -> Refusal | None:
    """Return why somebody cannot be the second person of these plans, or None. ``steps``: those of the case."""
    if any(is_same_person(by, plan.made_by) for plan in plans):
        return Refusal.MADE_THE_PLAN
    principals = {plan.plan.principal for plan in plans}
    parts = frozenset(SubCaseId(part.sub_case_id) for part in case.sub_cases if part.principal in principals)
    has_decided_it = any(is_same_person(by, name) for name in deciders_of(steps, parts))
    return Refusal.DECIDED_THE_CASE if has_decided_it else None


def _planned(plan: Plan, exchange_id: ExchangeId, kind: str) -> PlannedCopy | None:
    """Return the line of a copy. A return that was delivered since then is the same file."""
    lines = {(copy.exchange_id, copy.kind): copy for copy in plan.going}
    return lines.get((exchange_id, kind)) or (lines.get((exchange_id, RETURN)) if kind == DELIVERED else None)
