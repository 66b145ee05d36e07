"""Merge the index runs of a principal into few objects: a search for one person reads one of them, not every run.

The runs stay and decide: a merge answers for certain versions of runs, and any other run is asked itself. A merge holds
what its runs hold, so it goes as soon as one of them is edited or removed; whoever does that waits for a merge of that
month that is being made. A merge is noted once its last object was put; whatever else lies there goes when the next one
looks. Nothing is lost with a merge: it is made again at night. What comes by day is merged by the worker that took it
in, a few runs at a time.
"""

import hashlib
import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from uuid import uuid4

import polars as pl

from sluice.errors import EvidenceInvalid, NotFound, Ref
from sluice.exchange import catalogue
from sluice.exchange.house import House
from sluice.exchange.locks import check_still_held, hold_object, try_hold_object
from sluice.exchange.naming import INDEX_PREFIX, merged_prefix
from sluice.exchange.persons import merged_store as store
from sluice.exchange.persons.corrections import Left
from sluice.exchange.persons.merge_rules import BIG_BYTES, FEWEST, to_merge, to_merge_by_day
from sluice.exchange.persons.merged_store import Made, Member, Merge, Part, Run
from sluice.exchange.sweeping import Tally, do_each
from sluice.lake.s3.objects import StoredObject
from sluice.ledger.copy_kinds import INDEX, REST, CopyName
from sluice.media_types import PARQUET
from sluice.subject.index import Answer, Merged, find_in_run, is_whole, merge_runs, parts_with, write_run
from sluice.subject.model import IndexInvalid
from sluice.terms import Principal
from sluice.times import BRUSSELS

RUNS = frozenset({INDEX, REST})
AT_ONCE = 8
"""Objects that are read or put side by side: most of the time is spent waiting for the first byte."""
BETWEEN_CHECKS = 16
"""Objects that are put before the lock is checked again: so many may lie there for a moment after it was lost."""
TODAY = timedelta(days=1)
"""Enough runs that came within this time are worth a merge by day; on a quieter day they wait for the night."""
log = logging.getLogger(__name__)


def merge_all(house: House, now: datetime, principal: Principal | None = None) -> Tally:
    """Merge what is worth it, of one principal or of all; return how many runs, and how many months failed.

    A principal with merges in the bucket is included even when the database knows of none. Raises ServiceMissing.
    """
    principals = [principal] if principal else sorted(_principals(house))
    return Tally.total(merge_index(house, one, now) for one in principals)


def merge_index(house: House, principal: Principal, now: datetime, fewest: int = FEWEST) -> Tally:
    """Merge the runs of a principal, as :func:`merge_all`. Doing it again changes nothing.

    A month with a run that is not as the catalogue says fails, and the others go on.
    """
    months = store.find_months(house.conn, principal, RUNS)

    def merge(group: str) -> int:
        with _alone(house, principal, group):
            _sweep(house, principal, group)
            return _merge_all_of(house, principal, _month(group), now, fewest) if _month(group) in months else 0

    return do_each(house.conn, "merging the index", _groups(house, principal, months), merge)


def merge_new(house: House, principal: Principal, now: datetime) -> int:
    """Merge small runs of this month, once enough of them came today; return how many.

    Call after files were taken in. A fault is logged, and met again at night. If somebody else holds the month, it is
    not waited for. Raises ServiceMissing.
    """

    def merge(month: str) -> int:
        if store.count_new(house.conn, principal, RUNS, month, now - TODAY, BIG_BYTES) < FEWEST:
            return 0
        prefix = merged_prefix(principal, f"{month}/")
        with try_hold_object(house.conn, house.settings.bucket_lake, prefix) as is_ours:
            if not is_ours:
                return 0
            _sweep(house, principal, f"{month}/")
            return _merge_first(house, principal, month, now, to_merge_by_day)

    merged, _ = do_each(house.conn, "merging the index", [f"{now.astimezone(BRUSSELS):%Y-%m}"], merge)
    return merged


def _principals(house: House) -> set[Principal]:
    there = house.objects.list_level(house.settings.bucket_lake, INDEX_PREFIX).prefixes
    known = store.find_principals(house.conn, RUNS)
    return {*known, *(Principal(prefix.removeprefix(INDEX_PREFIX).rstrip("/")) for prefix in there)}


def _groups(house: House, principal: Principal, months: Iterable[str]) -> list[str]:
    """Return the names below ``merged/``, of these months and of what lies there already, also if it is no month."""
    every = merged_prefix(principal)
    level = house.objects.list_level(house.settings.bucket_lake, every)
    there = {name.removeprefix(every) for name in (*level.prefixes, *level.keys)}
    return sorted(there | {f"{month}/" for month in months})


def _merge_all_of(house: House, principal: Principal, month: str, now: datetime, fewest: int) -> int:
    choose, total = partial(to_merge, fewest=fewest), 0
    while merged := _merge_first(house, principal, month, now, choose):
        total += merged
    return total


def _merge_first(
    house: House,
    principal: Principal,
    month: str,
    now: datetime,
    choose: Callable[[Sequence[Run]], Iterable[Sequence[Run]]],
) -> int:
    """Merge the first group that can be merged; return how many runs.

    Then choose again: a merge that others were in, too, may have gone.
    """
    runs = store.find_runs(house.conn, principal, RUNS, month)
    return next((merged for each in choose(runs) if (merged := _merge(house, principal, month, each, now))), 0)


def _month(group: str) -> str:
    """Return the month of a group; empty for an object that lies beside the months."""
    return group[:-1] if group.endswith("/") else ""


def ask_merged(
    house: House, principal: Principal, runs: Collection[CopyName], refs: Sequence[str]
) -> dict[CopyName, Answer]:
    """Return what merges say of some runs. Runs that no merge answers for are missing, to be asked themselves."""
    said = _read_merged(house, principal, runs, refs)
    return {name: Answer(len(words), member.is_whole) for name, (member, words) in said.items()}


def named_in(house: House, principal: Principal, refs: Sequence[str]) -> Iterator[tuple[Run, frozenset[int]]]:
    """Yield index runs that name one of these, each with the first words of those it names; merged runs come first.

    The others are read one after the other, the newest first, each as it is when its turn comes: somebody may have
    edited it meanwhile. A run that was removed names nobody. Raises EvidenceInvalid for one that was lost.
    """
    runs = {run.name: run for run in store.find_runs(house.conn, principal, {INDEX})} if refs else {}
    said = _read_merged(house, principal, runs.keys(), refs)
    yield from ((runs[name], frozenset(words)) for name, (_, words) in said.items() if words)
    for name, run in reversed(runs.items()):
        if name in said:
            continue
        content = _read_current(house, run)
        if content is not None and (words := frozenset(find_in_run(content, refs)["ref"].to_list())):
            yield run, words


def _read_current(house: House, run: Run) -> bytes | None:
    """Read a run as it is now; None if it was removed."""
    current: Run | None = run
    while current is not None:
        try:
            return house.objects.read(current.bucket, current.key, current.version_id)
        except NotFound:
            current = _instead_of(house, current)
    return None


def _instead_of(house: House, run: Run) -> Run | None:
    """Return what replaced a run that is no longer there; None if it was removed.

    Raises EvidenceInvalid when it should be there.
    """
    current = catalogue.find_version(house.conn, run.exchange_id, run.kind)
    if current is None:
        return None
    version_id, sha256 = current
    if version_id == run.version_id:
        raise EvidenceInvalid(Ref("exchange", run.exchange_id), Ref("copy", run.kind))
    return replace(run, version_id=version_id, sha256=sha256)


def _read_merged(
    house: House, principal: Principal, runs: Collection[CopyName], refs: Sequence[str]
) -> dict[CopyName, tuple[Member, list[int]]]:
    """Return, for each run that a merge answers for, its entries of these persons, as first words.

    A merge is skipped if reading its parts takes no fewer reads than its runs. A merge whose parts are not what was put
    is dropped once everything was read: a reader waits for nobody, and its objects go with the next sweep.
    """
    wanted, said, broken = set(runs), dict[CopyName, tuple[Member, list[int]]](), set[str]()
    for merge in store.find_merges(house.conn, principal) if wanted and refs else ():
        mine = wanted & merge.members.keys()
        numbers = parts_with(refs, merge.bits)
        if len(numbers) >= len(mine):
            continue
        entries = _entries_of(house, merge, numbers, refs)
        if entries is None:
            broken.add(merge.merge_id)
            continue
        words = defaultdict[int, list[int]](list)
        for word, number in entries:
            words[number].append(word)
        said.update((name, (member := merge.members[name], words[member.number])) for name in mine)
    store.drop(house.conn, broken)
    return said


def _entries_of(
    house: House, merge: Merge, numbers: Sequence[int], refs: Sequence[str]
) -> list[tuple[int, int]] | None:
    """Return first word and run of each entry of these persons; None when a part is gone, or is not what was put."""
    parts = store.find_parts(house.conn, merge.merge_id, numbers)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = [each for each in pool.map(lambda part: _entries(house, part, refs), parts) if each is not None]
    return [row for each in found for row in each.rows()] if len(found) == len(numbers) else None


def _entries(house: House, part: Part, refs: Sequence[str]) -> pl.DataFrame | None:
    try:
        content = house.objects.read(house.settings.bucket_lake, part.key, part.version_id)
    except NotFound:
        return None
    if hashlib.sha256(content).hexdigest() != part.sha256:
        log.warning("a merge of the index is damaged, its runs are asked until it is made again: %s", part.key)
        return None
    return find_in_run(content, refs)


def sweep_merged(house: House, principal: Principal, month: str | None = None) -> None:
    """Remove outdated merges and whatever lies beside merges, in one month or in all.

    Call after a run was edited or removed. ``month``: ``2026-11``.
    """
    known = store.find_months(house.conn, principal) if month is None else ()
    for group in _groups(house, principal, known) if month is None else [f"{month}/"]:
        with _alone(house, principal, group):
            _sweep(house, principal, group)


def find_objects(house: House, principal: Principal) -> frozenset[tuple[str, str]]:
    """Return every object of a merge by key and version, whatever the database says."""
    there = house.objects.list_versions(house.settings.bucket_lake, merged_prefix(principal))
    return frozenset((item.key, item.version_id) for item in there)


def count_left(
    house: House, principal: Principal, refs: Collection[str], known: Collection[tuple[str, str]] | None = None
) -> Left:
    """Count the objects of merges that name a person. Every version is opened, whatever the database says.

    ``known``: as :func:`find_objects`; objects not among them count as newer. If it is None, all are known.
    """
    there = list(house.objects.list_versions(house.settings.bucket_lake, merged_prefix(principal)))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(lambda item: _names(house, item, sorted(refs)), there))
    named = [item for item, is_named in zip(there, found, strict=True) if is_named]
    newer = 0 if known is None else sum((item.key, item.version_id) not in known for item in named)
    return Left(len(named) - newer, found.count(None), newer)


def _names(house: House, item: StoredObject, refs: Sequence[str]) -> bool | None:
    """Whether an object names one of these; None if it is no run."""
    try:
        return not find_in_run(house.objects.read(item.bucket, item.key, item.version_id), refs).is_empty()
    except NotFound:
        return False
    except IndexInvalid:
        return None


def _alone(house: House, principal: Principal, group: str) -> AbstractContextManager[None]:
    """Lock the merges of a month, so that whoever edited a run sees what was made of it before."""
    return hold_object(house.conn, house.settings.bucket_lake, merged_prefix(principal, group))


def _check_alone(house: House, principal: Principal, group: str) -> None:
    check_still_held(house.conn, house.settings.bucket_lake, merged_prefix(principal, group))


def _merge(house: House, principal: Principal, month: str, runs: Sequence[Run], now: datetime) -> int:
    """Make one merge of these runs, replacing those they are in; 0 when one of the runs was edited or removed."""
    read = _read_runs(house, runs)
    if read is None:
        return 0
    group = f"{month}/"
    if replaced := {run.merge_id for run in runs if run.merge_id is not None}:
        store.drop(house.conn, replaced)
        _sweep(house, principal, group)
    merged = merge_runs([(number, entries) for number, (entries, _) in enumerate(read)])
    members = [Member(number, whole) for number, (_, whole) in enumerate(read)]
    merge_id = str(uuid4())
    prefix = f"{merged_prefix(principal, group)}merge={merge_id}/"
    with _whole_or_nothing(house, prefix):
        parts = _put_parts(house, principal, group, prefix, merged)
        _check_alone(house, principal, group)
        made = Made(merge_id, principal, month, merged.bits, parts, now)
        store.note_made(house.conn, made, list(zip(runs, members, strict=True)))
    return len(runs)


def _read_runs(house: House, runs: Sequence[Run]) -> list[tuple[pl.DataFrame, bool]] | None:
    """Return the entries of each run, and whether it is whole; None when one was edited or removed.

    Raises EvidenceInvalid.
    """
    read = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for run, content in zip(runs, pool.map(lambda run: _content(house, run), runs), strict=True):
            if content is None:
                _instead_of(house, run)
                return None
            read.append((pl.read_parquet(content, columns=["ref"]), is_whole(content)))
    return read


def _content(house: House, run: Run) -> bytes | None:
    """Read a run; None when this version is no longer there. Raises EvidenceInvalid."""
    try:
        content = house.objects.read(run.bucket, run.key, run.version_id)
    except NotFound:
        return None
    if run.sha256 and hashlib.sha256(content).hexdigest() != run.sha256:
        raise EvidenceInvalid(Ref("exchange", run.exchange_id), Ref("copy", run.kind))
    return content


@contextmanager
def _whole_or_nothing(house: House, prefix: str) -> Iterator[None]:
    """Keep what is put below a prefix only if all goes well. It is listed, so what a failed put left goes too."""
    with ExitStack() as undo:
        undo.callback(lambda: _delete(house, _listed(house, prefix)))
        yield
        undo.pop_all()


def _put_parts(house: House, principal: Principal, group: str, prefix: str, merged: Merged) -> list[Part]:
    """Put the parts while we hold the lock: else somebody erased meanwhile would come back. Raises DatabaseError."""

    def put(number: int) -> Part:
        key = f"{prefix}part-{number:04d}.parquet"
        stored = house.objects.put_once(house.settings.bucket_lake, key, write_run(merged.part(number)), PARQUET)
        return Part(number, key, stored.version_id, stored.sha256 or "")

    parts = list[Part]()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for first in range(0, len(merged), BETWEEN_CHECKS):
            _check_alone(house, principal, group)
            parts += pool.map(put, range(first, min(first + BETWEEN_CHECKS, len(merged))))
    return parts


def _sweep(house: House, principal: Principal, group: str) -> None:
    """Leave only merges that are complete and as their runs are. Call under their lock.

    Rows go first: what a worker leaves that dies in between is part of no merge, and goes with the next sweep.
    """
    month, prefix = _month(group), merged_prefix(principal, group)
    there = {(key, version_id) for key, version_id in _listed(house, prefix) if month or key == prefix}
    merges = store.find_objects(house.conn, principal, month)
    outdated = store.find_outdated(house.conn, principal, month)
    whole = {merge_id for merge_id, parts in merges.items() if merge_id not in outdated and parts <= there}
    store.drop(house.conn, merges.keys() - whole)
    left = there.difference(*(merges[merge_id] for merge_id in whole))
    _delete(house, left)


def _listed(house: House, prefix: str) -> set[tuple[str, str]]:
    """Key and version of what lies below a prefix."""
    there = house.objects.list_versions(house.settings.bucket_lake, prefix)
    return {(item.key, item.version_id) for item in there}


def _delete(house: House, names: Collection[tuple[str, str]]) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda name: house.objects.delete_version(house.settings.bucket_lake, *name), names))
