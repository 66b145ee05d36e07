"""Plan before destroying: make the plan of an erasure, let a second person release it, say what a run may do.

Whoever made the plan or decided the case cannot release it; the attempt is refused and recorded. A principal that
instructed is the first person for its own part.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from sluice.agreement.in_force.store import find_version
from sluice.db import Connection, transaction
from sluice.errors import Ref
from sluice.exchange.house import House
from sluice.ledger.append import append
from sluice.ledger.erased import ErasurePlanned, ErasureRefused, ErasureReleased
from sluice.ledger.model import EntryKind
from sluice.ledger.names import check_name
from sluice.ledger.reason import check_reason
from sluice.rights.case import store
from sluice.rights.case.model import CASES_CHAIN, Case, CaseId
from sluice.rights.copies.find import foresee, open_request, targets_of
from sluice.rights.copies.model import Done, Outcome, Target, words_of
from sluice.rights.copies.own_rows import SeveralCustomers, own_target
from sluice.rights.copies.scope import decided_of, has_decided
from sluice.rights.erasure import control_store
from sluice.rights.erasure.blocking import find_in_the_way
from sluice.rights.erasure.model import ErasureReport, EverybodyNeeded, PlanOutdated, ReleaseRefused
from sluice.rights.erasure.notice_of_left_out import tell_who_waits
from sluice.rights.erasure.plan import (
    Plan,
    Refusal,
    StoredPlan,
    barred,
    make_plan,
)
from sluice.rights.erasure.planned import DecidedGround, PlannedObject, PlannedRecipient, grounds_of, objects_of
from sluice.rights.erasure.preflight import check_preflight
from sluice.rights.erasure.report import added, entry_lines, searched
from sluice.rights.erasure.restricted import find_restricted_since
from sluice.rights.notices.tell import foresee_recipients
from sluice.terms import Principal
from sluice.times import utc_text


@dataclass(frozen=True, slots=True)
class Drafted:
    """What a dry run foresaw at every principal, and the plans that wait or were released.

    ``grounds``: why the parts that were decided have to be erased. ``objects``: every copy, with its fields.
    ``recipients``: who would be told of these parts.
    """

    report: ErasureReport
    plans: tuple[StoredPlan, ...]
    grounds: tuple[DecidedGround, ...]
    objects: tuple[PlannedObject, ...]
    recipients: tuple[PlannedRecipient, ...]


@dataclass(frozen=True, slots=True)
class Clearance:
    """Whom a run may erase at one principal. ``plan`` None: the agreement requires no release."""

    target: Target
    plan: StoredPlan | None

    def permits(self, done: Done) -> bool:
        """Whether this change of a copy was released."""
        return self.plan is None or self.plan.permits(done)


def draft(house: House, case_id: CaseId, by: str, now: datetime) -> Drafted:
    """Try out what a run would do now. If a decision needs a release, store the result as the plan.

    A plan with the same content stays, and so does a released one that still covers everything. Raises PreflightFailed,
    SeveralCustomers, EverybodyNeeded.
    """
    check_preflight(house, case_id)
    case, envelope = open_request(house, case_id)
    steps, lines, objects = store.list_steps(house.conn, case_id), list[Done](), list[PlannedObject]()
    recipients = list[PlannedRecipient]()
    for each in targets_of(house, case, envelope, decided_only=False):
        target = own_target(house, case, envelope, each)
        tell_who_waits(house, case, target)
        foreseen = list(foresee(house, target))
        lines += foreseen
        objects += objects_of(case, steps, target, foreseen)
        recipients += _recipients(house, case, target, foreseen)
        if target.decided and needs_release(house.conn, case, target.principal):
            _keep(house.conn, case, planned(case_id, target, foreseen), foreseen, by, now)
    report = ErasureReport(case_id, added(lines), searched())
    plans = tuple(control_store.find_plans(house.conn, case_id))
    return Drafted(report, plans, grounds_of(case, steps), tuple(objects), tuple(recipients))


def _recipients(house: House, case: Case, target: Target, foreseen: Sequence[Done]) -> Iterator[PlannedRecipient]:
    """Yield who would be told of each part at one principal whose erasure was decided."""
    places = [done.place for done in foreseen if done.place.rows]  # of a copy that stays, too
    for part in case.sub_cases:
        if part.principal == target.principal and has_decided(part):
            for name, each in foresee_recipients(house, part, case, places).items():
                yield PlannedRecipient(
                    part.principal, part.sub_case_id, name, each.channel.value, each.field_groups, each.is_guess
                )


def planned(case_id: CaseId, target: Target, foreseen: Sequence[Done]) -> Plan:
    """Make the plan for a target from what a dry run foresaw."""
    return make_plan(case_id, target.principal, target.decided, foreseen, target.waits)


def release(
    house: House,
    case_id: CaseId,
    by: str,
    now: datetime,
    *,
    principal: str | None = None,
    pinned: str = "",
    reason: str | None = None,
) -> tuple[StoredPlan, ...]:
    """Release the waiting plans of a case, all or none. ``pinned``: the beginning of the hash of the plan.

    reason: a code or an IRI. Raises ReleaseRefused, and records the refusal; UsageError for a name that is none.
    """
    name = check_name(by)
    check_reason(reason)
    with transaction(house.conn):
        case = store.lock_case(house.conn, case_id)
        waiting = [
            plan
            for plan in control_store.find_plans(house.conn, case_id)
            if plan.released_at is None and principal in (None, plan.plan.principal)
        ]
        refusal = _refusal(house, case, waiting, name, pinned)
        if refusal is None:
            for plan in waiting:
                control_store.mark_released(house.conn, plan.plan_id, name, now)
            for plan in waiting:
                _record_release(house.conn, case, plan.plan, name, now, reason)
        else:
            whose = waiting[0].plan.principal if len(waiting) == 1 else None
            record_refusal(house.conn, case, whose, "release", name, now, refusal)
    if refusal is not None:
        raise ReleaseRefused(Ref("case", case_id), Ref("reason", refusal.value))
    return tuple(plan for plan in control_store.find_plans(house.conn, case_id) if plan.released_at is not None)


def cleared(house: House, case: Case, targets: Sequence[Target]) -> list[Clearance]:
    """Return what may be erased now: decided, and released as it was decided or in no need of a release.

    Left out is a principal where the person had their data restricted since, and no run began after the last decision.
    """
    found = []
    for target in targets:
        if find_restricted_since(house, case, target):
            continue
        plan = control_store.find_plan(house.conn, case.case_id, target.principal)
        if not needs_release(house.conn, case, target.principal):
            found.append(Clearance(target, None))
        elif plan and plan.released_at and plan.plan.decided == words_of(target.decided):
            found.append(Clearance(target, plan))
    return found


def own_clearances(
    house: House, case_id: CaseId, clearances: Sequence[Clearance], *, is_begun: bool = True
) -> list[Clearance]:
    """Narrow the clearances to rows that are only the person's. is_begun: use whom a run has suppressed.

    Raises SeveralCustomers.
    """
    case, envelope = open_request(house, case_id)
    own = [own_target(house, case, envelope, each.target, is_begun=is_begun) for each in clearances]
    return [replace(each, target=target) for each, target in zip(clearances, own, strict=True)]


def only_begun(house: House, case_id: CaseId, clearances: Sequence[Clearance]) -> list[Clearance]:
    """Return those where the run has kept the persons out: nothing is erased of whom a next file brings back.

    Any other was instructed, released or free of a restriction only after the run began, and waits for the next one.
    """
    ran = control_store.find_run(house.conn, case_id)
    return [each for each in clearances if ran is not None and each.target.principal in ran.kept_out_at]


def whose_to_begin(house: House, case_id: CaseId, clearances: Sequence[Clearance], now: datetime) -> list[Clearance]:
    """Return the clearances with which a run is about to begin. A refusal here does not hold up other erasures.

    Raises SeveralCustomers, which ends the plans; PlanOutdated if other persons are left out now than the plan says;
    EverybodyNeeded if nobody is left to erase.
    """
    case = store.get_case(house.conn, case_id)
    try:
        own = own_clearances(house, case_id, clearances, is_begun=False)
    except SeveralCustomers:
        for plan in (each.plan for each in clearances if each.plan is not None):
            end_outdated_plan(house, case, plan, 0, now)
        raise
    for each in own:
        if each.plan is not None and each.plan.plan.waits != each.target.waits:
            with suppress(EverybodyNeeded):
                tell_who_waits(house, case, each.target)
            end_outdated_plan(house, case, each.plan, 0, now)
            raise PlanOutdated(Ref("case", case_id), Ref("copies not covered", 0))
        tell_who_waits(house, case, each.target)
    return own


def waits_for_plan(conn: Connection, case: Case) -> bool:
    """Whether something was decided that needs a release and has no plan for that decision."""
    names = sorted({part.principal for part in case.sub_cases if has_decided(part)})
    return any(
        needs_release(conn, case, Principal(name))
        and (
            (plan := control_store.find_plan(conn, case.case_id, Principal(name))) is None
            or _is_changed(case, plan.plan)
        )
        for name in names
    )


def end_outdated_plan(house: House, case: Case, plan: StoredPlan, objects: int, now: datetime) -> None:
    """End a plan that does not cover what is there, and record it. ``objects``: how many copies it does not cover."""
    with transaction(house.conn):
        store.lock_case(house.conn, case.case_id)
        if control_store.end_plan(house.conn, plan.plan_id, "outdated", now):
            record_refusal(house.conn, case, plan.plan.principal, "run", "sluice", now, Refusal.PLAN_OUTDATED, objects)


def needs_release(conn: Connection, case: Case, principal: Principal) -> bool:
    """Whether an agreement of a decided part requires a second person. One that cannot be read does."""
    parts = [part for part in case.sub_cases if part.principal == principal and has_decided(part)]
    papers = [find_version(conn, part.agreement_id or "", part.agreement_version or "") for part in parts]
    return any(paper is None or paper.erasure.two_person_release for paper in papers)


def record_refusal(
    conn: Connection,
    case: Case,
    principal: str | None,
    wanted: str,
    by: str,
    at: datetime,
    reason: Refusal,
    objects: int = 0,
) -> None:
    """Record what was wanted and not done. Call at the end of a transaction."""
    body = ErasureRefused(
        case_id=case.case_id,
        principal=principal,
        wanted=wanted,
        asked_by=by,
        refused_at=utc_text(at),
        reason=reason.value,
        objects=objects,
    )
    append(conn, chain=chain_of(case, principal), kind=EntryKind.ERASURE_REFUSED, exchange_id=None, body=body)


def chain_of(case: Case, principal: str | None) -> str:
    """Return the chain for entries about a case: that of the principal's agreement, else the center's own cases."""
    return next((part.chain for part in case.sub_cases if part.principal == principal), CASES_CHAIN)


def _keep(conn: Connection, case: Case, plan: Plan, foreseen: Sequence[Done], by: str, now: datetime) -> StoredPlan:
    with transaction(conn):
        store.lock_case(conn, case.case_id)
        live = control_store.find_plan(conn, case.case_id, plan.principal)
        if live is not None:
            is_same = live.plan.sha256 == plan.sha256
            is_for = (live.plan.decided, live.plan.waits) == (plan.decided, plan.waits)
            covers = live.released_at is not None and is_for
            if is_same or (covers and all(done.outcome is Outcome.KEPT or live.permits(done) for done in foreseen)):
                return live
            control_store.end_plan(conn, live.plan_id, "superseded", now)
        stored = control_store.insert_plan(conn, plan, now, check_name(by))
        body = ErasurePlanned(
            case_id=case.case_id,
            principal=plan.principal,
            plan_sha256=plan.sha256,
            planned_by=stored.made_by,
            planned_at=utc_text(now),
            stores=entry_lines(added(foreseen)),
        )
        chain = chain_of(case, plan.principal)
        append(conn, chain=chain, kind=EntryKind.ERASURE_PLANNED, exchange_id=None, body=body)
    return stored


def _record_release(conn: Connection, case: Case, plan: Plan, by: str, at: datetime, reason: str | None) -> None:
    body = ErasureReleased(
        case_id=case.case_id,
        principal=plan.principal,
        plan_sha256=plan.sha256,
        released_by=by,
        released_at=utc_text(at),
        reason=reason,
    )
    append(conn, chain=chain_of(case, plan.principal), kind=EntryKind.ERASURE_RELEASED, exchange_id=None, body=body)


def _refusal(house: House, case: Case, waiting: Sequence[StoredPlan], by: str, pinned: str) -> Refusal | None:
    """Return why somebody cannot release these plans, or None. ``waiting``: plans of one case, which is locked."""
    if not waiting:
        return Refusal.NOTHING_TO_RELEASE
    if find_in_the_way(house, case.case_id):
        return Refusal.ANOTHER_CASE_IN_ERROR
    if refusal := barred(case, store.list_steps(house.conn, case.case_id), waiting, by):
        return refusal
    if any(_is_changed(case, plan.plan) for plan in waiting):
        return Refusal.DECISION_CHANGED
    if not all(plan.plan.sha256.startswith(pinned.lower()) for plan in waiting):
        return Refusal.ANOTHER_PLAN
    return None


def _is_changed(case: Case, plan: Plan) -> bool:
    """Whether the decision differs from the one that the plan was made for."""
    parts = [part for part in case.sub_cases if part.principal == plan.principal]
    return words_of({pair for part in parts for pair in decided_of(part)}) != plan.decided
