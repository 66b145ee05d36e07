"""Stop and resume erasures, report where each stands, and let none begin while another is in error."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

from sluice.db import Connection, transaction
from sluice.errors import UNFORESEEN, NotFound, Ref, SluiceError, as_typed
from sluice.exchange.house import House
from sluice.exchange.persons import suppressed_store
from sluice.exchange.sweeping import Faults
from sluice.ledger.append import append
from sluice.ledger.erased import ErasureResumed, ErasureStopped
from sluice.ledger.model import EntryKind
from sluice.ledger.names import check_name
from sluice.ledger.reason import check_reason
from sluice.rights.case import store
from sluice.rights.case.model import CASES_CHAIN, Case, CaseId, State
from sluice.rights.copies import copy_store
from sluice.rights.copies.find import open_request, targets_of
from sluice.rights.copies.model import Target
from sluice.rights.copies.needed import find_needed
from sluice.rights.copies.own_rows import SeveralCustomers, find_causes
from sluice.rights.copies.scope import decision_of, is_to_do
from sluice.rights.erasure import control_store
from sluice.rights.erasure.batches import MOST_CASES
from sluice.rights.erasure.blocking import find_in_the_way
from sluice.rights.erasure.control_store import Run, Stop
from sluice.rights.erasure.model import (
    AnotherInError,
    DecidedThen,
    ErasureBusy,
    ErasureIsStopped,
    ErasureReport,
    EverybodyNeeded,
    PlanOutdated,
    RequestTakenBack,
    RunEnd,
)
from sluice.rights.erasure.plan import StoredPlan
from sluice.rights.erasure.release import cleared, draft, waits_for_plan
from sluice.rights.erasure.restricted import RestrictedSince, check_not_restricted
from sluice.rights.person.envelope import Envelope
from sluice.subject.suppression import Suppression
from sluice.terms import Principal
from sluice.times import utc_text

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of one case: its plans, its last run and its stops."""

    case_id: CaseId
    plans: tuple[StoredPlan, ...]
    run: Run | None
    is_stopped: bool
    is_at_work: bool
    """Whether another process is working on it now."""

    @property
    def is_in_error(self) -> bool:
        """Whether its last run failed, so that no other erasure may begin."""
        return self.run is not None and self.run.is_in_error and not self.is_at_work


@dataclass(frozen=True, slots=True)
class Status:
    """Every erasure that is not over, and every stop in effect."""

    cases: tuple[Standing, ...]
    stops: tuple[Stop, ...]


def stop(conn: Connection, case_id: CaseId | None, reason: str, by: str, now: datetime) -> bool:
    """Stop the erasure of one case, or all erasures, from the next object on. False if it was stopped already.

    reason: a code or an IRI, not a sentence about a person. Raises UsageError, NotFound.
    """
    check_reason(reason)
    name = check_name(by)
    with transaction(conn):
        if case_id is not None:
            store.lock_case(conn, case_id)
        if not control_store.stop(conn, case_id, reason, name, now):
            return False
        body = ErasureStopped(case_id=case_id, reason=reason, stopped_by=name, stopped_at=utc_text(now))
        append(conn, chain=CASES_CHAIN, kind=EntryKind.ERASURE_STOPPED, exchange_id=None, body=body)
    return True


def resume(conn: Connection, case_id: CaseId | None, by: str, now: datetime) -> None:
    """End a stop, so that the next run continues. The stop of one case and the stop of all end separately.

    Raises NotFound.
    """
    name = check_name(by)
    with transaction(conn):
        if not control_store.resume(conn, case_id, name, now):
            raise NotFound(as_typed("stop of case", case_id) if case_id else Ref("stop of case", "all"))
        body = ErasureResumed(case_id=case_id, resumed_by=name, resumed_at=utc_text(now))
        append(conn, chain=CASES_CHAIN, kind=EntryKind.ERASURE_RESUMED, exchange_id=None, body=body)


def status(conn: Connection) -> Status:
    """Return the cases with a decision to carry out, a plan that waits, or a run that did not end clean."""
    runs = {run.case_id: run for run in control_store.find_runs(conn)}
    plans: dict[CaseId, list[StoredPlan]] = {}
    for plan in control_store.find_plans(conn):
        plans.setdefault(plan.plan.case_id, []).append(plan)
    unclean = [case_id for case_id, run in runs.items() if run.outcome not in (RunEnd.CLEAN, RunEnd.WITHDRAWN)]
    named = list(dict.fromkeys([*copy_store.find_decided(conn), *unclean]))
    stops = control_store.find_stops(conn)
    held = control_store.find_held(conn, named)
    return Status(
        tuple(
            Standing(
                case_id=case_id,
                plans=tuple(plans.get(case_id, ())),
                run=runs.get(case_id),
                is_stopped=any(each.case_id in (None, case_id) for each in stops),
                is_at_work=case_id in held,
            )
            for case_id in named
        ),
        tuple(stops),
    )


def take_up(house: House, by: str, now: datetime, most: int = MOST_CASES) -> list[CaseId]:
    """Return the cases that a run may take up now, in their turn, and make the plans that are missing.

    Returns at most ``most`` cases; the others are for the next run. A plan waits for its release. A case that cannot
    begin or end yet stays due; the case that was taken up longest ago comes first, so that no case keeps others from
    beginning. A case that cannot be planned is logged and does not delay the others. Raises ServiceMissing.
    """
    found, faults = list[CaseId](), Faults(house.conn)
    for case_id in copy_store.find_decided(house.conn):
        with faults.kept_apart(f"the erasure of case {case_id}"):
            case, envelope = open_request(house, case_id)
            if waits_for_plan(house.conn, case) or _is_planned_anew(house, case):
                draft(house, case_id, by, now)
            _note_if_restricted(house, case, envelope)
            if len(found) < most and is_due(house, case, envelope):
                check_may_begin(house, case_id)
                found.append(case_id)
    copy_store.note_taken_up(house.conn, found)
    return found


def _note_if_restricted(house: House, case: Case, envelope: Envelope) -> None:
    try:
        check_not_restricted(house, case, list(targets_of(house, case, envelope, decided_only=True)))
    except RestrictedSince as waits:
        note_restricted(house.conn, case.case_id, waits)
    else:
        control_store.drop_error(house.conn, case.case_id, RestrictedSince.code)


def note_restricted(conn: Connection, case_id: CaseId, waits: RestrictedSince) -> None:
    """Let the status say that an erasure waits for a restriction of its person.

    A run at work, and one that ended in error, keep what they say; when the last run began, and what it left, stays.
    None begins between the look and the note, or it would count as ended while it works.
    """
    with suppress(ErasureBusy), control_store.hold_case(conn, case_id):
        ran = control_store.find_run(conn, case_id)
        if ran is not None and (ran.ended_at is None or ran.is_in_error or ran.error == waits.code):
            return
        log.warning("%s", waits)
        if ran is None:
            control_store.begin_run(conn, case_id)
        ended = RunEnd.CLEAN if ran is not None and ran.outcome is RunEnd.CLEAN else RunEnd.OUTDATED
        control_store.end_run(conn, case_id, ended, waits.code, ran.decided if ran else None)


def is_due(house: House, case: Case, envelope: Envelope) -> bool:
    """Whether something was decided and released that no run has carried out yet."""
    run = control_store.find_run(house.conn, case.case_id)
    done = run.decided if run else {}
    free = cleared(house, case, list(targets_of(house, case, envelope, decided_only=True)))
    due = {t.principal for t in (each.target for each in free) if not _is_as_ran(house, done.get(t.principal), t)}
    return any(is_to_do(part) for part in case.sub_cases if part.principal in due)


def as_ran(house: House, case_id: CaseId, target: Target) -> DecidedThen:
    """Return what a run that left nothing to do notes about a principal."""
    return DecidedThen(decision_of(target), frozenset(find_causes(house, *open_request(house, case_id), target)))


def _is_as_ran(house: House, then: DecidedThen | None, target: Target) -> bool:
    """Whether the decision is as it was when the run ended, and no cause for leaving somebody out has ended since."""
    if then is None or then.decision != decision_of(target):
        return False
    return not _has_ended(house, then, target.principal)


def _has_ended(house: House, then: DecidedThen, principal: Principal) -> bool:
    return bool(then.causes) and not then.causes <= {each.cause for each in find_needed(house, principal)}


def _is_planned_anew(house: House, case: Case) -> bool:
    """Whether a released plan leaves out somebody who may be erased now."""
    run = control_store.find_run(house.conn, case.case_id)
    released = {each.plan.principal for each in control_store.find_plans(house.conn, case.case_id) if each.released_at}
    return run is not None and any(
        _has_ended(house, then, name) for name, then in run.decided.items() if name in released
    )


def check_may_begin(house: House, case_id: CaseId) -> None:
    """Check that an erasure may begin. One that has begun may always run again; a new one waits for those in error.

    Raises ErasureIsStopped, AnotherInError.
    """
    if control_store.is_stopped(house.conn, case_id):
        raise ErasureIsStopped(Ref("case", case_id))
    if not _has_begun(house, case_id) and (erring := find_in_the_way(house, case_id)):
        raise AnotherInError(Ref("case", case_id), Ref("in error", erring[0]))


def _has_begun(house: House, case_id: CaseId) -> bool:
    """Whether a run of a case began: it kept somebody out, if the last one only waits, or waited, for a restriction."""
    ran = control_store.find_run(house.conn, case_id)
    if ran is None or ran.outcome is not RunEnd.OUTDATED or ran.error not in (None, RestrictedSince.code):
        return ran is not None
    return any(each.reason is Suppression.ERASED for each in suppressed_store.find_runs(house.conn, case_id=case_id))


def beat_and_check(conn: Connection, case_id: CaseId) -> None:
    """Note before every object that the run is alive, and check that it may go on.

    Raises RequestTakenBack, ErasureIsStopped.
    """
    if control_store.touch(conn, case_id):
        return
    if store.get_case(conn, case_id).state is State.WITHDRAWN_BY_SUBJECT:
        raise RequestTakenBack(Ref("case", case_id))
    raise ErasureIsStopped(Ref("case", case_id))


@contextmanager
def recording_failure(conn: Connection, case_id: CaseId) -> Iterator[None]:
    """Record how a step of a run fails, so that no other erasure begins before somebody looked into it."""
    outcome: RunEnd | None = RunEnd.FAILED
    error = UNFORESEEN
    try:
        yield
        outcome = None
    except (ErasureIsStopped, RequestTakenBack) as failure:
        outcome, error = RunEnd.STOPPED, failure.code
        raise
    except (PlanOutdated, SeveralCustomers, EverybodyNeeded, RestrictedSince) as failure:
        outcome, error = RunEnd.OUTDATED, failure.code
        raise
    except SluiceError as failure:
        error = failure.code
        raise
    finally:
        if outcome and not conn.broken:
            control_store.end_run(conn, case_id, outcome, error)


def outcome_of(report: ErasureReport) -> RunEnd:
    """Return how a run ended that reached its end. Pure."""
    if report.residual:
        return RunEnd.RESIDUE
    if report.doubts:
        return RunEnd.DOUBTS
    if report.waiting or report.to_release:
        return RunEnd.WAITING
    return RunEnd.UNDECIDED if report.undecided else RunEnd.CLEAN
