"""Index runs of a principal merged into few objects, so that one person is looked for in one of them, not in each run.

The runs stay and decide: a merge answers for certain versions of runs, and whatever it does not answer for is asked
itself. It holds what its runs hold, so it goes as soon as one of them is edited or removed; whoever does that waits
for a merge that is being made. Nothing is lost with a merge: it is made again at night.
"""

import hashlib
import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import datetime
from itertools import groupby
from uuid import uuid4

import polars as pl

from sluice.errors import EvidenceInvalid, NotFound, Ref
from sluice.exchange import merged_store as store
from sluice.exchange.house import House
from sluice.exchange.keep import PARQUET
from sluice.exchange.merged_store import Member, Merge, Part, Run
from sluice.exchange.naming import BRUSSELS, merged_prefix
from sluice.exchange.rest import REST
from sluice.exchange.store import hold_object
from sluice.exchange.suppressed import INDEX
from sluice.exchange.sweeping import each
from sluice.lake.objects import StoredObject
from sluice.subject.index import Answer, find_in_run, is_whole, merge_runs, parts_with, write_run
from sluice.terms import Principal

RUNS = frozenset({INDEX, REST})
AT_ONCE = 8
"""Objects that are read or put side by side: most of the time is the wait for the first byte."""
FEWEST = 4
"""As many runs are worth a merge: each costs every question one read."""
MOST_BYTES = 128 * 2**20
"""Of runs in one merge, some 16 million entries: so much of them lies in memory twice."""

RunName = tuple[str, str, str]
"""Exchange, kind and version of a run."""
log = logging.getLogger(__name__)


def merge_all(house: House, now: datetime, principal: Principal | None = None) -> tuple[int, int]:
    """Merge what is worth it, of one principal or of all: how many runs, and how many principals failed.

    Raises ServiceMissing.
    """
    principals = [principal] if principal else store.find_principals(house.conn, RUNS)
    return each("merging the index", principals, lambda one: merge_index(house, one, now))


def merge_index(house: House, principal: Principal, now: datetime, fewest: int = FEWEST) -> int:
    """Merge the runs of a principal, month by month; how many were merged. Again changes nothing.

    Raises EvidenceInvalid for a run that is not what the catalogue says.
    """
    with _alone(house, principal):
        _drop_outdated(house, principal)
        _drop_unknown(house, principal)
        runs = store.find_runs(house.conn, principal, RUNS)
        return sum(_merge(house, principal, group, now) for group in to_merge(runs, fewest))


def to_merge(runs: Sequence[Run], fewest: int = FEWEST) -> Iterator[list[Run]]:
    """Which runs become one: of a month, because they go in the same one, as many as fit. Pure.

    runs: in the order of their exchanges. fewest: a group with fewer runs that no merge answers for is left as it is.
    """
    for _, month in groupby(runs, key=lambda run: run.opened_at.astimezone(BRUSSELS).strftime("%Y-%m")):
        for group in _fitting(month):
            if sum(run.merge_id is None for run in group) >= fewest:
                yield group


def _fitting(runs: Iterable[Run]) -> Iterator[list[Run]]:
    group, size = list[Run](), 0
    for run in runs:
        if group and size + run.size_bytes > MOST_BYTES:
            yield group
            group, size = [], 0
        group.append(run)
        size += run.size_bytes
    yield group


def ask_merged(
    house: House, principal: Principal, runs: Collection[RunName], refs: Sequence[str]
) -> dict[RunName, Answer]:
    """What merges say of some runs; those that none answers for are missing, to be asked themselves."""
    said = _read_merged(house, principal, runs, refs)
    return {name: Answer(len(words), member.is_whole) for name, (member, words) in said.items()}


def named_in(house: House, principal: Principal, refs: Sequence[str]) -> Iterator[tuple[Run, frozenset[int]]]:
    """Index runs that name one of these, each with the first words of those it names; what is merged comes first.

    The others are read one after the other, the newest first. A run that retention removed names nobody.
    """
    runs = {run.name: run for run in store.find_runs(house.conn, principal, {INDEX})} if refs else {}
    said = _read_merged(house, principal, runs.keys(), refs)
    yield from ((runs[name], frozenset(words)) for name, (_, words) in said.items() if words)
    for name, run in reversed(runs.items()):
        if name in said:
            continue
        try:
            content = house.objects.read(run.bucket, run.key, run.version_id)
        except NotFound:
            continue
        if words := frozenset(find_in_run(content, refs)["ref"].to_list()):
            yield run, words


def _read_merged(
    house: House, principal: Principal, runs: Collection[RunName], refs: Sequence[str]
) -> dict[RunName, tuple[Member, list[int]]]:
    """Per run that a merge answers for: its entries of these persons, as first words.

    A merge is left aside where its parts would be more reads than its runs are.
    """
    wanted, said = set(runs), dict[RunName, tuple[Member, list[int]]]()
    for merge in store.find_merges(house.conn, principal) if wanted and refs else ():
        mine = wanted & merge.members.keys()
        numbers = parts_with(refs, merge.bits)
        entries = _entries_of(house, merge, numbers, refs) if len(numbers) < len(mine) else None
        if entries is not None:
            words = defaultdict[int, list[int]](list)
            for word, number in entries:
                words[number].append(word)
            said.update((name, (member := merge.members[name], words[member.number])) for name in mine)
    return said


def _entries_of(
    house: House, merge: Merge, numbers: Sequence[int], refs: Sequence[str]
) -> list[tuple[int, int]] | None:
    """First word and run of each entry of these persons; None when a part is gone, or is not what was put there."""
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
        log.warning("a merge of the index is damaged, its runs are asked: %s", part.key)
        return None
    return find_in_run(content, refs)


def drop_outdated(house: House, principal: Principal) -> None:
    """Remove merges that hold what a run holds no more. Call after a run was edited or removed."""
    with _alone(house, principal):
        _drop_outdated(house, principal)


def sweep_merged(house: House, principal: Principal) -> None:
    """The same, and objects of merges that the database does not know: an older one was restored."""
    with _alone(house, principal):
        _drop_outdated(house, principal)
        _drop_unknown(house, principal)


def count_left(house: House, principal: Principal, refs: Collection[str]) -> int:
    """How many objects of merges name a person, whatever the database says: every version is opened."""
    there = list(house.objects.list_versions(house.settings.bucket_lake, merged_prefix(principal)))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return sum(pool.map(lambda item: _names(house, item, sorted(refs)), there))


def _names(house: House, item: StoredObject, refs: Sequence[str]) -> bool:
    try:
        return not find_in_run(house.objects.read(item.bucket, item.key, item.version_id), refs).is_empty()
    except NotFound:
        return False


def _alone(house: House, principal: Principal) -> AbstractContextManager[None]:
    """One at a time makes or drops merges of a principal, so whoever edited a run sees what was made of it before."""
    return hold_object(house.conn, house.settings.bucket_lake, merged_prefix(principal))


def _merge(house: House, principal: Principal, runs: Sequence[Run], now: datetime) -> int:
    """One merge in place of those that have some of these runs; none while one of them is being removed."""
    for merge_id in {run.merge_id for run in runs if run.merge_id is not None}:
        _drop(house, principal, merge_id)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        contents = pool.map(lambda run: _content(house, run), runs)
        try:
            read = [(pl.read_parquet(content, columns=["ref"]), is_whole(content)) for content in contents]
        except NotFound:
            return 0
    merged = merge_runs([(number, entries) for number, (entries, _) in enumerate(read)])
    merge_id = str(uuid4())
    store.note_begun(house.conn, merge_id, principal, now)
    bucket, prefix = house.settings.bucket_lake, merged_prefix(principal, merge_id)

    def put(number: int) -> Part:
        key = f"{prefix}part-{number:04d}.parquet"
        stored = house.objects.put_once(bucket, key, write_run(merged.part(number)), PARQUET)
        return Part(number, key, stored.version_id, stored.sha256 or "")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        parts = list(pool.map(put, range(len(merged))))
    members = [Member(number, whole) for number, (_, whole) in enumerate(read)]
    store.note_made(house.conn, merge_id, merged.bits, parts, list(zip(runs, members, strict=True)))
    return len(runs)


def _content(house: House, run: Run) -> bytes:
    content = house.objects.read(run.bucket, run.key, run.version_id)
    if run.sha256 and hashlib.sha256(content).hexdigest() != run.sha256:
        raise EvidenceInvalid(Ref("exchange", run.exchange_id), Ref("copy", run.kind))
    return content


def _drop_outdated(house: House, principal: Principal) -> None:
    for merge_id in store.find_outdated(house.conn, principal):
        _drop(house, principal, merge_id)


def _drop(house: House, principal: Principal, merge_id: str) -> None:
    """Objects first: a dead worker's rest is met again by its row. Whoever reads meanwhile asks the runs."""
    _remove(house, merged_prefix(principal, merge_id))
    store.drop(house.conn, merge_id)


def _drop_unknown(house: House, principal: Principal) -> None:
    known = store.find_ids(house.conn, principal)
    for prefix in house.objects.list_level(house.settings.bucket_lake, merged_prefix(principal)).prefixes:
        if prefix.rstrip("/").rpartition("=")[2] not in known:
            _remove(house, prefix)


def _remove(house: House, prefix: str) -> None:
    bucket = house.settings.bucket_lake
    with ThreadPoolExecutor(AT_ONCE) as pool:
        there = list(house.objects.list_versions(bucket, prefix))
        list(pool.map(lambda item: house.objects.delete_version(bucket, item.key, item.version_id), there))
