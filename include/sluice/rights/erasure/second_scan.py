"""Run the second scan of an erasure, after looking up what to search for, and record its result in the ledger."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sluice.db import transaction
from sluice.errors import EvidenceInvalid
from sluice.exchange.house import House
from sluice.exchange.persons.consents import count_left as count_consents
from sluice.exchange.persons.corrections import count_left
from sluice.exchange.persons.merged import count_left as count_merged
from sluice.exchange.persons.merged import find_objects as find_merges
from sluice.ledger.append import append
from sluice.ledger.erased import ErasureDone, GroundDecided
from sluice.ledger.model import EntryKind
from sluice.rights.case import store
from sluice.rights.case.model import Case, CaseId
from sluice.rights.copies import copy_store, outcome_store
from sluice.rights.copies.bench import Bench, Known, open_bench
from sluice.rights.copies.model import Copy, Target
from sluice.rights.copies.needles import Needles, recall, remember, spellings
from sluice.rights.copies.own_rows import count_left_out, find_in_flight
from sluice.rights.copies.scope import are_consents_decided
from sluice.rights.erasure import control_store
from sluice.rights.erasure.census import find_unknown
from sluice.rights.erasure.classify import Scanned
from sluice.rights.erasure.exceptions import exceptions_of
from sluice.rights.erasure.model import ErasureReport, StoreLine
from sluice.rights.erasure.planned import grounds_of
from sluice.rights.erasure.release import chain_of
from sluice.rights.erasure.report import entry_lines, line_of, searched
from sluice.rights.erasure.scan import scan_stores
from sluice.subject.model import IndexInvalid
from sluice.times import utc_text


def scan_and_record(
    house: House, case: Case, targets: Sequence[Target], now: datetime, known: Known | None = None
) -> ErasureReport:
    """Run the second scan at each of these principals, each with an entry of its own, and report them added up.

    An unknown place is a doubt at each of them. ``known``: versions that were read, to look up what to search for.
    """
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

    Records of consent that stay were read with the objects, and are counted there. kept: how many objects name the
    person and stay. merges: those of the index that existed before the scan. A newer merge holds what came in
    meanwhile, which is for the next run.
    """
    corrections = count_left(house, target.principal, target.refs)
    merged = count_merged(house, target.principal, target.refs, merges)
    named = corrections.named + merged.named
    found = Scanned(doubts=corrections.unreadable + merged.unreadable, waiting=merged.newer)
    if kept:
        return found + Scanned(kept=named)
    consents = count_consents(house, target.principal, target.refs) if are_consents_decided(target) else 0
    return found + Scanned(hits=named + consents)


def _append_entry(
    house: House, case: Case, target: Target, lines: Sequence[StoreLine], found: Scanned, now: datetime
) -> None:
    steps = store.list_steps(house.conn, case.case_id)
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
        exceptions=exceptions_of(case, steps, target.principal),
        grounds=tuple(
            GroundDecided(sub_case_id=each.sub_case, ground=each.ground)
            for each in grounds_of(case, steps)
            if each.principal == target.principal
        ),
    )
    with transaction(house.conn):
        chain = chain_of(case, target.principal)
        append(house.conn, chain=chain, kind=EntryKind.ERASURE_DONE, exchange_id=None, body=body)


def _looked_up_again(house: House, case_id: CaseId, target: Target, known: Known | None) -> Needles:
    """Call :func:`look_up`. If an index is damaged, return what was known before: it looks for more, not for less."""
    try:
        with open_bench(house, target, known) as bench:
            return look_up(bench, copy_store.find_copies(house.conn, target.principal), case_id)
    except (EvidenceInvalid, IndexInvalid):
        return recall(house, case_id, target.principal)


def look_up(bench: Bench, copies: Sequence[Copy], case_id: CaseId) -> Needles:
    """Remember what to scan for: all that was found so far, except what also stands in rows of other persons by now."""
    house, principal = bench.house, bench.target.principal
    known = recall(house, case_id, principal)
    return remember(house, case_id, principal, spellings(bench, copies, known.values))
