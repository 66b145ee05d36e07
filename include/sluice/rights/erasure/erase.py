"""Erase one case as its plan was released, then run a second scan that trusts none of the work.

Every step can be repeated: a copy is found again, edited to the same bytes and swapped in, and its old versions are
removed. Whatever waits or is left is counted, never assumed. ``run`` does in one process what the DAG does in tasks:
:func:`begin`, :func:`erase_copies` (any number in parallel), :func:`finish`, :func:`prove`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from sluice.errors import Ref
from sluice.exchange.house import House
from sluice.exchange.locks import hold_object
from sluice.exchange.persons.consents import erase_consents
from sluice.exchange.persons.corrections import drop_corrections
from sluice.exchange.persons.merged import RUNS, sweep_merged
from sluice.returns.drain import remake_prepared
from sluice.rights.case import store
from sluice.rights.case.model import SYSTEM, Case, CaseId, Order, State, SubCase, Track
from sluice.rights.case.states import TO_CARRY_OUT, UNDECIDED
from sluice.rights.case.steps import advance
from sluice.rights.copies import copy_store, lead_store, outcome_store
from sluice.rights.copies.bench import Bench, Known, open_bench
from sluice.rights.copies.find import find_places, is_pointing, kept, open_request, targets_of
from sluice.rights.copies.lead import find_lead
from sluice.rights.copies.model import Copy, Place, Target
from sluice.rights.copies.own_rows import find_in_flight, keep_person_out, let_in_again
from sluice.rights.copies.scope import are_consents_decided, has_decided, is_decided, is_to_do
from sluice.rights.copies.stores import carry_out, store_of
from sluice.rights.copies.swap import drop_superseded, find_superseded
from sluice.rights.copies.uploads import abort_uploads
from sluice.rights.erasure import control_store
from sluice.rights.erasure.batches import CopyName
from sluice.rights.erasure.control import (
    as_ran,
    beat_and_check,
    check_may_begin,
    note_restricted,
    outcome_of,
    recording_failure,
)
from sluice.rights.erasure.model import (
    ErasureBusy,
    ErasureReport,
    NotDecided,
    NotFinished,
    NotReleased,
    PlanOutdated,
    RequestTakenBack,
)
from sluice.rights.erasure.preflight import check_preflight
from sluice.rights.erasure.release import (
    Clearance,
    cleared,
    end_outdated_plan,
    only_begun,
    own_clearances,
    whose_to_begin,
)
from sluice.rights.erasure.restricted import RestrictedSince, check_not_restricted
from sluice.rights.erasure.scan_store import find_last_scans
from sluice.rights.erasure.second_scan import look_up, scan_and_record
from sluice.rights.notices.over import drop_over, drop_request_file
from sluice.rights.notices.tell import note_places

MOST_PASSES = 5


def run(house: House, case_id: CaseId, now: datetime) -> ErasureReport:
    """Erase what was decided and released. The person is suppressed first, so that nothing brings them back.

    Raises RequestTakenBack, NotDecided, RestrictedSince, NotReleased, AnotherInError, ErasureBusy, PreflightFailed,
    SeveralCustomers before anything is touched; ErasureIsStopped and PlanOutdated between two objects.
    """
    known = Known()
    with control_store.hold_case(house.conn, case_id):
        erase_copies(house, case_id, begin(house, case_id, now, known), known)
        finish(house, case_id, now, known)
        return prove(house, case_id, now, known)


def begin(house: House, case_id: CaseId, now: datetime, known: Known | None = None) -> tuple[CopyName, ...]:
    """Suppress the person from now on, remember what the second scan looks for, and return the copies to erase.

    The index is not among them: :func:`finish` erases it last. ``known``: versions that this run has already read; the
    second scan does not use it. Raises the same as :func:`run`.
    """
    with control_store.hold_case(house.conn, case_id):
        check_preflight(house, case_id)
        _, clearances, _ = _cleared(house, case_id)
        check_may_begin(house, case_id)
        control_store.begin_run(house.conn, case_id, anew=True)
        with recording_failure(house.conn, case_id):
            names = list[CopyName]()
            for each in whose_to_begin(house, case_id, clearances, now):
                names += _begin_at(house, case_id, each.target, now, known)
    return tuple(names)


def begin_if_due(house: House, case_id: CaseId, now: datetime) -> tuple[CopyName, ...] | None:
    """Call :func:`begin`. None if another run is at work, or finished since the case was taken up.

    None too if it waits for a restriction that came since then; the status says so.
    """
    try:
        with control_store.hold_case(house.conn, case_id):
            is_left = any(map(is_to_do, store.get_case(house.conn, case_id).sub_cases))
            return begin(house, case_id, now) if is_left else None
    except ErasureBusy:
        return None
    except RestrictedSince as waits:
        note_restricted(house.conn, case_id, waits)
        return None


def erase_copies(house: House, case_id: CaseId, names: Iterable[CopyName], known: Known | None = None) -> int:
    """Erase the person from these copies, and return how many the release does not cover and were left.

    May run in parallel with itself. Raises ErasureIsStopped between two objects.
    """
    wanted = {(name.principal, name.exchange_id, name.kind) for name in names}
    left = 0
    with control_store.hold_case(house.conn, case_id, shared=True), recording_failure(house.conn, case_id):
        _, clearances, _ = _begun(house, case_id)
        for each in own_clearances(house, case_id, clearances):
            principal = each.target.principal
            with open_bench(house, each.target, known) as bench:
                among = {exchange_id for name, exchange_id, _ in wanted if name == principal}
                for copy in copy_store.find_copies(house.conn, principal, among=among):
                    if (principal, copy.exchange_id, copy.kind) in wanted and is_decided(copy, each.target):
                        left += not _erase(house, case_id, bench, each, copy)
    return left


def finish(house: House, case_id: CaseId, now: datetime, known: Known | None = None) -> int:
    """Repeat until nothing is found, then remove old versions and other remains.

    Returns the number of exchanges under way. Raises NotFinished, ErasureIsStopped, PlanOutdated.
    """
    with control_store.hold_case(house.conn, case_id):
        case, clearances, _ = _begun(house, case_id)
        control_store.begin_run(house.conn, case_id)
        with recording_failure(house.conn, case_id):
            waiting = sum(len(find_in_flight(house, case_id, each.target.principal, now)) for each in clearances)
            control_store.note_waiting(house.conn, case_id, waiting)
            for each in own_clearances(house, case_id, clearances):
                _finish(house, case, each, now, known)
    return waiting


def prove(house: House, case_id: CaseId, now: datetime, known: Known | None = None) -> ErasureReport:
    """Run the second scan of what was released. Where it is clean, the parts take their next step."""
    with control_store.hold_case(house.conn, case_id):
        case, clearances, unreleased = _begun(house, case_id)
        with recording_failure(house.conn, case_id):
            for each in clearances:
                drop_over(house, each.target.principal)  # of requests that ended since the last passes
            own = [each.target for each in own_clearances(house, case_id, clearances)]
            report = replace(scan_and_record(house, case, own, now, known), to_release=unreleased)
            control_store.note_waiting(house.conn, case_id, report.waiting)
            idle = {name for name, scan in find_last_scans(house.conn, case_id).items() if scan.is_idle}
            for target in own:
                if target.principal in idle:
                    let_in_again(house, case_id, target, now)
            _advance_proven_parts(house, case, report.principals, now)
            decided = {each.principal: as_ran(house, case_id, each) for each in own if each.principal in idle}
        control_store.end_run(house.conn, case_id, outcome_of(report), decided=decided)
    return report


def verify(house: House, case_id: CaseId, now: datetime) -> ErasureReport:
    """Run the second scan, and record it: a separate reader reads every byte of every version in every store.

    Raises NotDecided: a scan that looks for nobody, nowhere, finds nothing and proves nothing.
    """
    case, targets = _decided(house, case_id)
    own = own_clearances(house, case_id, [Clearance(each, None) for each in targets])
    return scan_and_record(house, case, [each.target for each in own], now)


def _decided(house: House, case_id: CaseId) -> tuple[Case, list[Target]]:
    """Return the case, and whom to erase where that was decided. Raises NotDecided if it was decided nowhere."""
    case, envelope = open_request(house, case_id)
    targets = list(targets_of(house, case, envelope, decided_only=True))
    if not targets:
        raise NotDecided(Ref("case", case_id))
    return case, targets


def _cleared(house: House, case_id: CaseId) -> tuple[Case, list[Clearance], int]:
    """Return the case, what may be erased now, and at how many principals a decision is not released.

    Raises RequestTakenBack, NotDecided, RestrictedSince, NotReleased.
    """
    if store.get_case(house.conn, case_id).state is State.WITHDRAWN_BY_SUBJECT:
        raise RequestTakenBack(Ref("case", case_id))
    case, targets = _decided(house, case_id)
    clearances = cleared(house, case, targets)
    if not clearances:
        check_not_restricted(house, case, targets)
        raise NotReleased(Ref("case", case_id), Ref("principals", len(targets)))
    return case, clearances, len(targets) - len(clearances)


def _begun(house: House, case_id: CaseId) -> tuple[Case, list[Clearance], int]:
    """As :func:`_cleared`, of where the run has begun; what has not waits as a decision that is not released."""
    case, clearances, unreleased = _cleared(house, case_id)
    begun = only_begun(house, case_id, clearances)
    if not begun:
        raise NotReleased(Ref("case", case_id), Ref("principals", len(clearances) + unreleased))
    return case, begun, unreleased + len(clearances) - len(begun)


def _begin_at(house: House, case_id: CaseId, target: Target, now: datetime, known: Known | None) -> list[CopyName]:
    """Keep the person out at one principal from now on, remake its prepared returns, return the copies to erase."""
    keep_person_out(house, case_id, target, now)
    control_store.note_kept_out(house.conn, case_id, target.principal)
    remake_prepared(house, target.principal, now)
    with open_bench(house, target, known) as bench:
        copies = copy_store.find_copies(house.conn, target.principal)
        lead_store.note_leads(house.conn, target, find_lead(bench, copies).named, "index")
        look_up(bench, copies, case_id)
        copies = [place.copy for place in _to_erase(house, case_id, bench) if place.copy.kind not in RUNS]
    return [CopyName(target.principal, copy.exchange_id, copy.kind) for copy in copies]


def _to_erase(house: House, case_id: CaseId, bench: Bench) -> list[Place]:
    """Return the copies to erase: those that name the person or are unreadable and are decided to go, the index last.

    The copies with rows of the person are noted, because after the erasure nothing says who has to be told. An index
    stays as long as a copy that it points at.
    """
    found = list(find_places(bench, hidden=True))
    stay = {place.copy.exchange_id for place in found if not is_decided(place.copy, bench.target)}
    places = [place for place in found if is_decided(place.copy, bench.target) and not is_pointing(place.copy, stay)]
    note_places(house, case_id, bench.target.principal, [place for place in places if place.rows])
    return places


def _finish(house: House, case: Case, clearance: Clearance, now: datetime, known: Known | None) -> None:
    target = clearance.target
    with open_bench(house, target, known) as bench:
        _erase_all(house, case, bench, clearance, now)
        for copy in find_superseded(house, target.principal):
            with hold_object(house.conn, copy.bucket, copy.key):
                drop_superseded(house, copy)
        sweep_merged(house, target.principal)
        left = list(find_places(bench))
        note_places(house, case.case_id, target.principal, left)  # who has to be told got what stays here, too
        for place in left:
            outcome_store.note_outcome(house.conn, case.case_id, target, kept(place))
    for part in case.sub_cases:
        if part.principal == target.principal and part.state not in UNDECIDED:
            drop_notices(house, part)
    drop_request_file(house, case.case_id, target.principal)
    drop_over(house, target.principal)
    if not left:
        drop_corrections(house, target.principal, target.refs, now)
        if are_consents_decided(target):
            erase_consents(house, target.principal, target.refs)
    abort_uploads(house, target.principal)


def _erase_all(house: House, case: Case, bench: Bench, clearance: Clearance, now: datetime) -> None:
    """Erase in passes until nothing is found that may go: a file may have come in meanwhile."""
    left: set[tuple[str, str]] = set()
    for _ in range(MOST_PASSES):
        found = _to_erase(house, case.case_id, bench)
        places = [each for each in found if (each.copy.exchange_id, each.copy.kind) not in left]
        if not places:
            break
        for place in places:
            stays = is_pointing(place.copy, {one for one, _ in left})
            if stays or not _erase(house, case.case_id, bench, clearance, place.copy):
                left.add((place.copy.exchange_id, place.copy.kind))
    else:
        raise NotFinished(Ref("case", case.case_id), Ref("passes", MOST_PASSES))
    if left and clearance.plan is not None:
        end_outdated_plan(house, case, clearance.plan, len(left), now)
        raise PlanOutdated(Ref("case", case.case_id), Ref("copies not covered", len(left)))


def _erase(house: House, case_id: CaseId, bench: Bench, clearance: Clearance, copy: Copy) -> bool:
    """Erase the person from one copy, in the version it has once nobody else edits it.

    False if the release does not cover that. The outcome is noted before the change, so that the counts have no gap
    if a worker dies in between.
    """
    beat_and_check(house.conn, case_id)
    with hold_object(house.conn, copy.bucket, copy.key):
        current = copy_store.refreshed(house.conn, copy)
        if current is None:
            return True
        edit = store_of(current).erase(bench, current)
        if not edit.is_needed:
            return True
        if not clearance.permits(edit.done):
            return False
        outcome_store.note_outcome(house.conn, case_id, bench.target, edit.done)
        carry_out(house, edit)
    return True


def drop_notices(house: House, part: SubCase) -> None:
    """Remove the notices that told the principal whom to decide on, once it has decided: they name the person too."""
    bucket, prefix = house.settings.bucket_exchange, f"{part.principal}/notices/case-{part.sub_case_id}"
    for key in {item.key for item in house.objects.list_versions(bucket, prefix)}:
        house.objects.delete_others(bucket, key, frozenset())


def _advance_proven_parts(house: House, case: Case, principals: Sequence[str], now: datetime) -> None:
    """Let the parts whose erasure is proven take their next step, with the entry of the scan as evidence.

    Each principal was scanned separately, so the residue of one does not hold up another.
    """
    scans = find_last_scans(house.conn, case.case_id)
    proven = {name for name in principals if name in scans and scans[name].is_clean}
    for part in store.get_case(house.conn, case.case_id).sub_cases:  # a part may have been taken back during the scan
        if part.principal not in proven or not has_decided(part) or part.state not in TO_CARRY_OUT:
            continue
        order = Order(SYSTEM, now, "ERASED", scans[part.principal].entry_hash, residue=0)
        target = State.EXECUTED if part.track is Track.PROCESSOR else State.EXECUTING
        advance(house.conn, case.case_id, target, order, part.sub_case_id)
