"""Erasure of one case: a plan first, then the work, then a second scan that believes none of it.

Every step is repeatable: a copy is found again, edited to the same bytes, swapped in, its old
versions removed. What waits or is left is counted, never assumed.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from sluice.db import transaction
from sluice.errors import Ref
from sluice.exchange.house import House
from sluice.exchange.naming import utc_text
from sluice.exchange.suppressed import keep_out, made_at
from sluice.lake.quarantine import unseal
from sluice.ledger.append import append
from sluice.ledger.erased import ErasureDone, StoreErased
from sluice.ledger.model import EntryKind
from sluice.rights import erase_store, store
from sluice.rights.cases import advance
from sluice.rights.certificate import last_scans
from sluice.rights.erase_model import (
    OTHER_CONTROLLER,
    Done,
    ErasureReport,
    NotDecided,
    NotFinished,
    Outcome,
    Place,
    StoreLine,
    Target,
)
from sluice.rights.erase_needles import recall, remember, spellings
from sluice.rights.erase_scope import OPEN_DECISIONS, decided_of, has_decided, is_decided
from sluice.rights.erase_stores import STORES, Bench, open_bench, store_of
from sluice.rights.identifiers import Envelope, open_sealed, refs_of
from sluice.rights.model import SYSTEM, Case, CaseId, Order, State, SubCase, Track
from sluice.rights.tell import find_open_notices, note_places
from sluice.scan.model import Reason, Status
from sluice.scan.needles import needles_of
from sluice.scan.walk import scan_bytes
from sluice.subject.suppression import Suppression
from sluice.terms import Principal

MOST_PASSES = 5


def plan(house: House, case_id: CaseId) -> ErasureReport:
    """What a run would do now: every copy that names the person, what goes, what stays and why. Changes nothing."""
    case, envelope = _opened(house, case_id)
    lines: list[Done] = []
    for target in targets_of(house, case, envelope, decided_only=False):
        with open_bench(house, target) as bench:
            lines += [_foreseen(place, target) for place in find_places(bench)]
    return ErasureReport(case_id, _added(lines), tuple(each.name for each in STORES))


def run(house: House, case_id: CaseId, now: datetime) -> ErasureReport:
    """Erase what was decided. The person is suppressed first, so that nothing brings them back meanwhile.

    Raises NotDecided when no part of the case was decided to be erased.
    """
    case, envelope = _opened(house, case_id)
    targets = tuple(targets_of(house, case, envelope, decided_only=True))
    if not targets:
        raise NotDecided(Ref("case", case_id))
    waiting = 0
    for target in targets:
        waiting += _kept_out(house, case_id, target, now)
        with open_bench(house, target) as bench:
            copies = erase_store.find_copies(house.conn, target.principal)
            remember(house, case_id, target.principal, spellings(bench, copies) | set(target.values))
            _erase_all(house, case_id, bench)
            _note_kept(house, case_id, bench)
        for part in case.sub_cases:
            if part.principal == target.principal and has_decided(part):
                drop_notices(house, part)
        for bucket in (house.settings.bucket_exchange, house.settings.bucket_lake, house.settings.bucket_vault):
            house.objects.abort_uploads(bucket, f"{target.principal}/")
    report = replace(verify(house, case_id, now), waiting=waiting)
    if not (report.residual or report.doubts or report.waiting):
        _carried_out(house, case, now)
    return report


def _kept_out(house: House, case_id: CaseId, target: Target, now: datetime) -> int:
    """Keep the person out from now on; how many exchanges were on their way before that and still are.

    Counted before the erasure, so that one which ends meanwhile is looked at again.
    """
    run_id = keep_out(house, target.principal, target.refs, Suppression.ERASED, cause=case_id, case_id=case_id, now=now)
    return erase_store.count_in_flight(house.conn, target.principal, made_at(house.conn, run_id))


def drop_notices(house: House, part: SubCase) -> None:
    """What told the principal whom to decide about names the person too; once it has decided, it goes."""
    bucket, prefix = house.settings.bucket_exchange, f"{part.principal}/notices/case-{part.sub_case_id}"
    for key in {item.key for item in house.objects.list_versions(bucket, prefix)}:
        house.objects.delete_others(bucket, key, frozenset())


def _carried_out(house: House, case: Case, now: datetime) -> None:
    """The parts whose erasure is proven take their next step, with the scan's entry as evidence."""
    scans = last_scans(house, case.case_id)
    for part in case.sub_cases:
        if not has_decided(part) or part.state not in OPEN_DECISIONS:
            continue
        order = Order(SYSTEM, now, "ERASED", scans[part.principal][1], residue=0)
        steps = (State.EXECUTED,) if part.track is Track.PROCESSOR else (State.EXECUTING,)
        for target in steps:
            if part.state is not target:
                advance(house.conn, case.case_id, target, order, part.sub_case_id)


def verify(house: House, case_id: CaseId, now: datetime) -> ErasureReport:
    """The second scan: every byte of every version in every store, by a reader of its own; and the entry of it."""
    case, envelope = _opened(house, case_id)
    outcomes = erase_store.read_outcomes(house.conn, case_id)
    hits = doubts = scanned = 0
    for target in targets_of(house, case, envelope, decided_only=True):
        values = recall(house, case_id, target.principal) | set(target.values)
        found = scan_stores(house, target, values)
        hits, doubts, scanned = hits + found[0], doubts + found[1], scanned + found[2]
        mine = [row for row in outcomes if row["principal"] == target.principal]
        _record(house, case, target, [_line(row) for row in mine], found, now)
    lines = tuple(_line(row) for row in outcomes)
    return ErasureReport(case_id, lines, tuple(each.name for each in STORES), hits, doubts, scanned)


def find_places(bench: Bench) -> Iterator[Place]:
    """Every copy that names the person, the index last. Raises StoreUnknown."""
    copies = erase_store.find_copies(bench.house.conn, bench.target.principal)
    order = {store.name: number for number, store in enumerate(STORES)}
    for copy in sorted(copies, key=lambda copy: order[store_of(copy).name]):
        if rows := store_of(copy).find(bench, copy):
            yield Place(store_of(copy).name, copy, rows)


def targets_of(house: House, case: Case, envelope: Envelope, *, decided_only: bool) -> Iterator[Target]:
    """Whom to erase at which principal. A plan looks at every principal concerned, a run where it was decided."""
    parts: dict[str, list[SubCase]] = defaultdict(list)
    for part in case.sub_cases:
        if part.agreement_id is not None:
            parts[part.principal].append(part)
    for name, own in sorted(parts.items()):
        decided = frozenset(pair for part in own for pair in decided_of(part))
        if decided or not decided_only:
            principal = Principal(name)
            key = house.keyring.subject_key(principal)
            refs = frozenset(refs_of(envelope.identifiers, key).values())
            values = tuple(sorted({each.value for each in envelope.identifiers}))
            yield Target(principal, key, refs, values, decided)


def _erase_all(house: House, case_id: CaseId, bench: Bench) -> None:
    """Erase, and look again until nothing is found: a file may have come meanwhile. Raises NotFinished.

    At last the versions go that a worker left who died between putting one and removing the other.
    """
    for _ in range(MOST_PASSES):
        places = [place for place in find_places(bench) if is_decided(place.copy, bench.target)]
        if not places:
            break
        note_places(bench.house, case_id, bench.target.principal, places)
        for place in places:
            done = store_of(place.copy).erase(bench, place.copy)
            if done.place.rows or done.outcome is Outcome.REMOVED:
                erase_store.note_outcome(house.conn, case_id, bench.target, done)
    else:
        raise NotFinished(Ref("case", case_id), Ref("passes", MOST_PASSES))
    for copy in erase_store.find_copies(house.conn, bench.target.principal, with_gone=True):
        erase_store.drop_superseded(house, copy)


def _note_kept(house: House, case_id: CaseId, bench: Bench) -> None:
    """What still names the person because another controller has not decided."""
    for place in find_places(bench):
        kept = Done(place, Outcome.KEPT, OTHER_CONTROLLER, place.rows, place.rows)
        erase_store.note_outcome(house.conn, case_id, bench.target, kept)


def scan_stores(house: House, target: Target, values: frozenset[str]) -> tuple[int, int, int]:
    """Hits, doubts and objects read in everything this principal has, whoever decides of it."""
    needles = needles_of(sorted(values))
    hits = doubts = scanned = 0
    with open_bench(house, target) as bench:
        seen: set[tuple[str, str, str]] = set()
        told = find_open_notices(house, target.principal)
        for each in STORES:
            for item in each.objects(house, target):
                name = (item.bucket, item.key, item.version_id)
                if name in seen or (item.bucket, item.key) in told:
                    continue
                seen.add(name)
                path = bench.fresh("scanned")
                house.objects.fetch(*name, path)
                scan = scan_bytes(path, needles, decrypt=lambda sealed: _decrypted(bench, sealed))
                scanned += 1
                hits += scan.status is Status.HIT
                doubts += scan.status is not Status.HIT and any(one.reason not in READ for one in scan.doubts)
    return hits, doubts, scanned


READ = frozenset({Reason.FONT_ENCODED_TEXT, Reason.PICTURE})
"""Doubts about our own receipts: their text is made from counts and codes."""


def _decrypted(bench: Bench, sealed: bytes) -> bytes | None:
    import pyrage

    source, opened = bench.fresh("sealed-part"), bench.fresh("opened-part")
    source.write_bytes(sealed)
    try:
        return unseal(source, opened, bench.house.keyring, bench.target.principal).read_bytes()
    except pyrage.DecryptError:
        return None


def _record(
    house: House, case: Case, target: Target, lines: list[StoreLine], found: tuple[int, int, int], now: datetime
) -> None:
    chain = next(part.chain for part in case.sub_cases if part.principal == target.principal)
    body = ErasureDone(
        case_id=case.case_id,
        principal=target.principal,
        done_at=utc_text(now),
        stores=tuple(
            StoreErased(
                store=line.store,
                objects=line.objects,
                rows_before=line.rows_before,
                rows_after=line.rows_after,
                outcome=line.outcome,
                ground=line.ground,
            )
            for line in lines
        ),
        residual=found[0],
        doubts=found[1],
        objects_scanned=found[2],
    )
    with transaction(house.conn):
        append(house.conn, chain=chain, kind=EntryKind.ERASURE_DONE, exchange_id=None, body=body)


def _opened(house: House, case_id: CaseId) -> tuple[Case, Envelope]:
    case = store.get_case(house.conn, case_id)
    return case, open_sealed(house, case.subject_key).envelope


def _foreseen(place: Place, target: Target) -> Done:
    if is_decided(place.copy, target):
        return Done(place, Outcome.ERASED, None, place.rows, 0)
    return Done(place, Outcome.KEPT, OTHER_CONTROLLER, place.rows, place.rows)


def _added(lines: Iterable[Done]) -> tuple[StoreLine, ...]:
    """One line per store, outcome and ground."""
    groups: dict[tuple[str, str, str | None], list[Done]] = defaultdict(list)
    for done in lines:
        groups[done.place.store, done.outcome.value, done.ground].append(done)
    return tuple(
        StoreLine(
            name, len(found), sum(d.rows_before for d in found), sum(d.rows_after for d in found), outcome, ground
        )
        for (name, outcome, ground), found in sorted(groups.items(), key=lambda item: str(item[0]))
    )


def _line(row: dict[str, object]) -> StoreLine:
    return StoreLine(
        str(row["store"]),
        int(str(row["objects"])),
        int(str(row["rows_before"])),
        int(str(row["rows_after"])),
        str(row["outcome"]),
        None if row["ground"] is None else str(row["ground"]),
    )
