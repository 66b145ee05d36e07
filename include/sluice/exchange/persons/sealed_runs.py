"""Suppression runs outside the database: in the lake, and sealed in the evidence bucket, which no restore reaches.

A run is sealed once it is committed, and marked as lifted once that is. So the bucket never knows more than the
database does, unless an older database was restored. Then nobody can be believed to be absent from the list.
"""

import io
import json
import threading
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from psycopg.pq import TransactionStatus

from sluice.db import Connection
from sluice.errors import Exit, Ref, SluiceError, StoreConflict
from sluice.exchange.house import House
from sluice.exchange.persons import suppressed_store as store
from sluice.exchange.persons.suppressed_store import SuppressedRun
from sluice.key_files import KeyLost
from sluice.keys import QUARANTINE
from sluice.lake.quarantine import seal_bytes, unseal_bytes
from sluice.lake.s3.names import ObjectVersion
from sluice.lake.s3.objects import ObjectStore, StoredObject
from sluice.media_types import OCTETS, PARQUET
from sluice.subject.scope import Scope
from sluice.subject.suppression import Suppression
from sluice.terms import Principal
from sluice.times import utc_text

if TYPE_CHECKING:
    import polars as pl

PREFIX = "_suppressions/"
RUN, LIFTED = "age", "lifted"
AT_ONCE = 8
"""Runs that are read at the same time; the client of the store has ten connections."""
SMALL, MOST_KEPT, MOST_REFS = 10_000, 4000, 400_000
"""Most references of a run that is kept in memory, and of how many such runs with how many references together: a few
tens of MB at the very most. A batch of `suppression check` asks line by line."""
_KEPT: "dict[ObjectVersion, pl.DataFrame]" = {}
_KEEPING = threading.Lock()


class SuppressionsLost(SluiceError):
    code: ClassVar[str] = "SLU-417"
    summary: ClassVar[str] = "the database knows fewer persons who must stay out than the evidence bucket"
    cure: ClassVar[str] = "an older database was restored: `sluice suppression replay`; until then every file waits"
    exit: ClassVar[Exit] = Exit.UNDECIDED


@dataclass(frozen=True, slots=True)
class Sealed:
    """Ids of the runs of one principal that the evidence bucket has, and of those that were lifted."""

    runs: frozenset[str]
    lifted: frozenset[str]

    @property
    def in_force(self) -> frozenset[str]:
        return self.runs - self.lifted


def put_run(house: House, principal: Principal, run_id: str, content: bytes) -> StoredObject:
    """Put the references of a run where the gate reads them; doing it again finds them there."""
    return house.objects.put_converging(
        house.settings.bucket_lake, f"{PREFIX}{principal}/{run_id}.parquet", content, PARQUET
    )


def read_run(house: House, run: SuppressedRun) -> "pl.DataFrame":
    """Return who is in a run (ref, reason)."""
    return read_runs(house, [run])[0]


def read_runs(house: House, runs: Sequence[SuppressedRun]) -> "list[pl.DataFrame]":
    """Return who is in each of these runs (ref, reason).

    Single requests make many small runs, and they hold for ever. So runs are read side by side, and the small ones are
    kept in memory: what a version holds never changes.
    """
    named = {ObjectVersion.of(run): run for run in runs}
    read = {name: kept for name in named if (kept := _KEPT.get(name)) is not None}
    missing = {name: run for name, run in named.items() if name not in read}
    if missing:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            frames = list(pool.map(lambda name: _read(house.objects, name), missing))
        read |= zip(missing, frames, strict=True)
        _keep({name: read[name] for name, run in missing.items() if run.refs <= SMALL})
    return [read[ObjectVersion.of(run)] for run in runs]


def _read(objects: ObjectStore, run: ObjectVersion) -> "pl.DataFrame":
    import polars as pl

    return pl.read_parquet(io.BytesIO(objects.read(*run)))


def _keep(frames: "Mapping[ObjectVersion, pl.DataFrame]") -> None:
    """Keep these runs in memory; the oldest make room."""
    with _KEEPING:
        _KEPT.update(frames)
        refs = sum(frame.height for frame in _KEPT.values())
        for name in list(_KEPT):
            if len(_KEPT) <= MOST_KEPT and refs <= MOST_REFS:
                break
            refs -= _KEPT.pop(name).height


def find_sealed(objects: ObjectStore, bucket: str, principal: Principal | None = None) -> Mapping[Principal, Sealed]:
    """Return what the evidence bucket has, per principal."""
    found: dict[Principal, dict[str, set[str]]] = defaultdict(lambda: {RUN: set(), LIFTED: set()})
    for item in objects.list_versions(bucket, _prefix(principal)):
        _, name, file = item.key.split("/", 2)
        run_id, _, ending = file.partition(".")
        found[Principal(name)].setdefault(ending, set()).add(run_id)
    return {name: Sealed(frozenset(each[RUN]), frozenset(each[LIFTED])) for name, each in found.items()}


def find_lost(
    conn: Connection, objects: ObjectStore, bucket: str, principal: Principal | None = None
) -> Mapping[Principal, frozenset[str]]:
    """Return the runs that hold and that the database does not know, per principal.

    The database is asked last, so that what was added meanwhile does not look lost.
    """
    sealed = find_sealed(objects, bucket, principal)
    lost = {name: store.find_unknown(conn, each.in_force) for name, each in sealed.items()}
    return {name: runs for name, runs in sorted(lost.items()) if runs}


def check_none_lost(house: House, principal: Principal) -> None:
    """Raises SuppressionsLost when the database does not know of everybody kept out of this principal's files."""
    lost = find_lost(house.conn, house.objects, house.settings.bucket_evidence, principal)
    if lost:
        raise SuppressionsLost(Ref("principal", principal), Ref("suppression runs", len(lost[principal])))


def seal_runs(house: House, principal: Principal | None = None, only: Collection[str] | None = None) -> int:
    """Seal every committed run that is not sealed yet, and mark those that were lifted; return how many were put.

    What is missing is looked up, not remembered, because a worker may die after its commit. Inside a transaction, which
    may yet fail, nothing is done.
    """
    if house.conn.info.transaction_status is not TransactionStatus.IDLE:
        return 0
    runs = store.find_runs(house.conn, principal, only=only)
    told = {_sealed_key(run, RUN): run for run in runs}
    lifted = {_sealed_key(run, LIFTED): run.lifted_at for run in runs if run.lifted_at is not None}
    there = _there(house, principal, None if only is None else [*told, *lifted]) if runs else frozenset()
    for key in told.keys() - there:
        _put(house, key, seal_bytes(_told(house, told[key]), house.keyring, told[key].principal))
    for key in lifted.keys() - there:
        _put(house, key, utc_text(lifted[key]).encode())
    return len((told.keys() | lifted.keys()) - there)


def _sealed_key(run: SuppressedRun, ending: str) -> str:
    return f"{PREFIX}{run.principal}/{run.run_id}.{ending}"


def _there(house: House, principal: Principal | None, keys: Sequence[str] | None) -> frozenset[str]:
    """Return which of these keys are there, or all that are.

    A few keys take one request each, not a listing of years.
    """
    bucket = house.settings.bucket_evidence
    if keys is not None:
        return frozenset(key for key in keys if house.objects.head(bucket, key))
    return frozenset(item.key for item in house.objects.list_versions(bucket, _prefix(principal)))


def _prefix(principal: Principal | None) -> str:
    return f"{PREFIX}{principal}/" if principal else PREFIX


def _put(house: House, key: str, content: bytes) -> None:
    """Put an object of a run.

    age draws fresh randomness, so of two workers at once one comes too late, which does no harm.
    """
    with suppress(StoreConflict):
        house.objects.put_converging(house.settings.bucket_evidence, key, content, OCTETS)


def _told(house: House, run: SuppressedRun) -> bytes:
    """Everything that is needed to put the run in force again."""
    said = {
        "principal": run.principal,
        "reason": run.reason.value,
        "case_id": run.case_id,
        "made_at": utc_text(run.made_at),
        "purposes": sorted(run.scope.purposes),
        "bases": sorted(run.scope.bases),
        "channel": run.scope.channel,
        "refs": read_run(house, run)["ref"].to_list(),
    }
    return json.dumps(said).encode()


def open_sealed_run(house: House, principal: Principal, run_id: str) -> tuple[SuppressedRun, frozenset[str]]:
    """Return a run as it was sealed, and whom it names; its place in the lake is not known yet. Raises KeyLost."""
    if not house.keyring.has(principal, QUARANTINE):
        raise KeyLost(Ref("key", f"{principal}/{QUARANTINE}"))
    content = house.objects.read(house.settings.bucket_evidence, f"{PREFIX}{principal}/{run_id}.{RUN}")
    said = json.loads(unseal_bytes(content, house.keyring, principal))
    refs = frozenset(said["refs"])
    made_at, reason = datetime.fromisoformat(said["made_at"]), Suppression(said["reason"])
    scope = Scope(frozenset(said["purposes"]), frozenset(said["bases"]), said["channel"])
    return SuppressedRun(
        run_id, principal, reason, "", "", "", "", len(refs), said["case_id"], made_at, scope=scope
    ), refs
