"""Erase one case as its plan was released, then run a second scan that trusts none of the work.

Every step can be repeated: a copy is found again, edited to the same bytes and swapped in, and its old versions are
removed. Whatever waits or is left is counted, never assumed. ``run`` does in one process what the DAG does in tasks:
:func:`begin`, :func:`erase_copies` (any number in parallel), :func:`finish`, :func:`prove`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from sluice.db import transaction
from sluice.errors import EvidenceInvalid, Ref
from sluice.exchange.house import House
from sluice.exchange.locks import hold_object
from sluice.exchange.persons.consents import count_left as count_consents
from sluice.exchange.persons.consents import erase_consents
from sluice.exchange.persons.corrections import count_left, drop_corrections
from sluice.exchange.persons.merged import RUNS, sweep_merged
from sluice.exchange.persons.merged import count_left as count_merged
from sluice.exchange.persons.merged import find_objects as find_merges
from sluice.ledger.append import append
from sluice.ledger.erased import ErasureDone
from sluice.ledger.model import EntryKind
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
from sluice.rights.copies.needles import Needles, recall, remember, spellings
from sluice.rights.copies.own_rows import count_left_out, find_in_flight, keep_person_out, let_in_again
from sluice.rights.copies.scope import has_decided, is_decided, is_to_do
from sluice.rights.copies.stores import carry_out, store_of
from sluice.rights.copies.swap import drop_superseded, find_superseded
from sluice.rights.copies.uploads import abort_uploads
from sluice.rights.erasure import control_store
from sluice.rights.erasure.batches import CopyName
from sluice.rights.erasure.census import find_unknown
from sluice.rights.erasure.classify import Scanned
from sluice.rights.erasure.control import as_ran, beat_and_check, check_may_begin, outcome_of, recording_failure
from sluice.rights.erasure.exceptions import exceptions_of
from sluice.rights.erasure.model import (
    ErasureBusy,
    ErasureReport,
    NotDecided,
    NotFinished,
    NotReleased,
    PlanOutdated,
    RequestTakenBack,
    StoreLine,
)
from sluice.rights.erasure.preflight import check_preflight
from sluice.rights.erasure.release import (
    Clearance,
    chain_of,
    cleared,
    end_outdated_plan,
    own_clearances,
    whose_to_begin,
)
from sluice.rights.erasure.report import entry_lines, line_of, searched
from sluice.rights.erasure.restricted import check_not_restricted
from sluice.rights.erasure.scan import scan_stores
from sluice.rights.erasure.scan_store import find_last_scans
from sluice.rights.notices.over import drop_over, drop_request_file
from sluice.rights.notices.tell import note_places
from sluice.subject.model import IndexInvalid
from sluice.times import utc_text

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
        control_store.begin_run(house.conn, case_id)
        with recording_failure(house.conn, case_id):
            names = list[CopyName]()
            for each in whose_to_begin(house, case_id, clearances, now):
                names += _begin_at(house, case_id, each.target, now, known)
    return tuple(names)


def begin_if_due(house: House, case_id: CaseId, now: datetime) -> tuple[CopyName, ...] | None:
    """Call :func:`begin`. None only if another run is at work, or finished since the case was taken up."""
    try:
        with control_store.hold_case(house.conn, case_id):
            is_left = any(map(is_to_do, store.get_case(house.conn, case_id).sub_cases))
            return begin(house, case_id, now) if is_left else None
    except ErasureBusy:
        return None


def erase_copies(house: House, case_id: CaseId, names: Iterable[CopyName], known: Known | None = None) -> int:
    """Erase the person from these copies, and return how many the release does not cover and were left.

    May run in parallel with itself. Raises ErasureIsStopped between two objects.
    """
    wanted = {(name.principal, name.exchange_id, name.kind) for name in names}
    left = 0
    with control_store.hold_case(house.conn, case_id, shared=True), recording_failure(house.conn, case_id):
        _, clearances, _ = _cleared(house, case_id)
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
        case, clearances, _ = _cleared(house, case_id)
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
        case, clearances, unreleased = _cleared(house, case_id)
        with recording_failure(house.conn, case_id):
            for each in clearances:
                drop_over(house, each.target.principal)  # of requests that ended since the last passes
            own = [each.target for each in own_clearances(house, case_id, clearances)]
            report = replace(_scan_and_record(house, case, own, now, known), to_release=unreleased)
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
    return _scan_and_record(house, case, [each.target for each in own], now)


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


def _begin_at(house: House, case_id: CaseId, target: Target, now: datetime, known: Known | None) -> list[CopyName]:
    """Keep the person out at one principal from now on, remake its prepared returns, return the copies to erase."""
    keep_person_out(house, case_id, target, now)
    remake_prepared(house, target.principal, now)
    with open_bench(house, target, known) as bench:
        copies = copy_store.find_copies(house.conn, target.principal)
        lead_store.note_leads(house.conn, target, find_lead(bench, copies).named, "index")
        _look_up(bench, copies, case_id)
        copies = [place.copy for place in _to_erase(house, case_id, bench) if place.copy.kind not in RUNS]
    return [CopyName(target.principal, copy.exchange_id, copy.kind) for copy in copies]


def _look_up(bench: Bench, copies: Sequence[Copy], case_id: CaseId) -> Needles:
    """Remember what to scan for: all that was found so far, except what also stands in rows of other persons by now."""
    house, principal = bench.house, bench.target.principal
    known = recall(house, case_id, principal)
    return remember(house, case_id, principal, spellings(bench, copies, known.values))


def _looked_up_again(house: House, case_id: CaseId, target: Target, known: Known | None) -> Needles:
    """Call :func:`_look_up`. If an index is damaged, return what was known before: it looks for more, not for less."""
    try:
        with open_bench(house, target, known) as bench:
            return _look_up(bench, copy_store.find_copies(house.conn, target.principal), case_id)
    except (EvidenceInvalid, IndexInvalid):
        return recall(house, case_id, target.principal)


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
        for place in left:
            outcome_store.note_outcome(house.conn, case.case_id, target, kept(place))
    for part in case.sub_cases:
        if part.principal == target.principal and part.state not in UNDECIDED:
            drop_notices(house, part)
    drop_request_file(house, case.case_id, target.principal)
    drop_over(house, target.principal)
    if not left:
        drop_corrections(house, target.principal, target.refs, now)
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


def _scan_and_record(
    house: House, case: Case, targets: Sequence[Target], now: datetime, known: Known | None = None
) -> ErasureReport:
    outcomes = outcome_store.read_outcomes(house.conn, case.case_id)
    unknown = tuple(map(str, find_unknown(house.settings, house.conn, house.objects)))
    every = Scanned(doubts=len(unknown))
    ran = control_store.find_run(house.conn, case.case_id)
    for target in targets:
        in_flight = find_in_flight(house, case.case_id, target.principal, now)
        needles = _looked_up_again(house, case.case_id, target, known)
        begun_at, merges = ran.begun_at if ran else now, find_merges(house, target.principal)
        scanned = scan_stores(house, target, needles.values | set(target.values), begun_at, in_flight)
        found = replace(scanned, shared=len(needles.shared))
        found += _count_outside_objects(house, target, scanned.kept, merges)
        left_out = count_left_out(house, case, target)
        found += Scanned(waiting=len(in_flight), kept=left_out, undecided=left_out)
        every += found
        mine = [line_of(row) for row in outcomes if row.principal == target.principal]
        _append_entry(house, case, target, mine, found + Scanned(doubts=len(unknown)), now)
    return ErasureReport(
        case_id=case.case_id,
        lines=tuple(map(line_of, outcomes)),
        searched=searched(),
        residual=every.hits,
        doubts=every.doubts,
        objects_scanned=every.objects,
        sealed=every.sealed,
        shared=every.shared,
        short=every.short,
        kept=every.kept,
        undecided=every.undecided,
        unread=every.unread,
        waiting=every.waiting,
        principals=tuple(target.principal for target in targets),
        unknown=unknown,
    )


def _count_outside_objects(house: House, target: Target, kept: int, merges: frozenset[tuple[str, str]]) -> Scanned:
    """Count what names the person outside of objects. While a copy of the person's rows stays, it may stay as well.

    kept: how many objects name the person and stay. merges: those of the index that existed before the scan. A newer
    merge holds what came in meanwhile, which is for the next run.
    """
    corrections = count_left(house, target.principal, target.refs)
    merged = count_merged(house, target.principal, target.refs, merges)
    named = corrections.named + merged.named + count_consents(house, target.principal, target.refs)
    found = Scanned(doubts=corrections.unreadable + merged.unreadable, waiting=merged.newer)
    return found + (Scanned(kept=named) if kept else Scanned(hits=named))


def _append_entry(
    house: House, case: Case, target: Target, lines: Sequence[StoreLine], found: Scanned, now: datetime
) -> None:
    body = ErasureDone(
        case_id=case.case_id,
        principal=target.principal,
        done_at=utc_text(now),
        stores=entry_lines(lines),
        residual=found.hits,
        doubts=found.doubts,
        objects_scanned=found.objects,
        sealed=found.sealed,
        shared=found.shared,
        short=found.short,
        waiting=found.waiting,
        kept=found.kept,
        undecided=found.undecided,
        exceptions=exceptions_of(case, store.list_steps(house.conn, case.case_id), target.principal),
    )
    with transaction(house.conn):
        chain = chain_of(case, target.principal)
        append(house.conn, chain=chain, kind=EntryKind.ERASURE_DONE, exchange_id=None, body=body)
