"""Consent records in the lake: references and what they agreed to, one Parquet object per list that came.

The object is put first, then its row in PostgreSQL. Lists are edited and dropped under the lock of the principal's
records. Whoever does so removes every version that no row names, so what a dead worker left goes with the next run.
"""

import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from sluice.db import transaction
from sluice.errors import EvidenceInvalid, NotFound, Ref
from sluice.exchange.house import House
from sluice.exchange.locks import hold_object
from sluice.exchange.persons import consent_store as store
from sluice.exchange.persons.consent_store import ConsentRun
from sluice.media_types import PARQUET
from sluice.subject.consent import NO_RECORDS, last_words
from sluice.terms import Principal
from sluice.times import brussels_today

if TYPE_CHECKING:
    import polars as pl

    from sluice.lake.s3.objects import StoredObject

PREFIX = "_consents/"
TRIES = 3


@contextmanager
def hold_records(house: House, principal: Principal) -> Iterator[None]:
    """Lock the records of a principal: only one worker at a time records, edits or drops them."""
    with hold_object(house.conn, house.settings.bucket_lake, f"{PREFIX}{principal}/"):
        yield


def find_lists(house: House, principal: Principal) -> "pl.DataFrame":
    """Return every record of a principal's persons, in no order, each with the id of its list (``run_id``).

    Raises EvidenceInvalid when a list was lost.
    """
    for _ in range(TRIES - 1):
        with suppress(NotFound):  # edited since we looked
            return _together(house, store.find_runs(house.conn, principal))
    try:
        return _together(house, store.find_runs(house.conn, principal))
    except NotFound as lost:
        raise EvidenceInvalid(Ref("principal", principal), Ref("copy", "records of consent")) from lost


def find_records(house: House, principal: Principal) -> "pl.DataFrame":
    """Return the same without lists."""
    return find_lists(house, principal).drop("run_id")


def find_named(house: House, principal: Principal, refs: frozenset[str]) -> frozenset[str]:
    """Return those of these references under which a record is kept. It may outlive every copy that names them."""
    if not refs:  # as where a request names another principal's customer number only
        return refs
    kept = find_records(house, principal)["ref"]
    return frozenset(kept.filter(kept.is_in(sorted(refs))).to_list())


def find_words(house: House, principal: Principal) -> "pl.DataFrame":
    """Return the records that count now, one for each reference, purpose and channel."""
    return last_words(find_records(house, principal), brussels_today())


def read(house: House, run: ConsentRun) -> "pl.DataFrame":
    """The records of one list."""
    import polars as pl

    return pl.read_parquet(io.BytesIO(house.objects.read(run.bucket, run.key, run.version_id)))


def put(house: House, principal: Principal, run_id: str, records: "pl.DataFrame") -> "StoredObject":
    """Put the records of a list; doing it again finds them there."""
    return house.objects.put_converging(
        house.settings.bucket_lake, f"{PREFIX}{principal}/{run_id}.parquet", _content(records), PARQUET
    )


def _content(records: "pl.DataFrame") -> bytes:
    sink = io.BytesIO()
    records.write_parquet(sink, compression="zstd", statistics=False)
    return sink.getvalue()


def edit_records(
    house: House,
    principal: Principal,
    keep: "Callable[[pl.DataFrame], pl.DataFrame]",
    now: datetime | None = None,
    note: Callable[[str, int], None] | None = None,
) -> int:
    """Keep only those records that ``keep`` returns of all lists together; return how many are gone, for good.

    Doing it again changes nothing. ``note`` is told per list how many went, inside the transaction that says so.
    """
    gone = 0
    with hold_records(house, principal):
        runs = {run.run_id: run for run in store.find_runs(house.conn, principal)}
        before = _together(house, runs.values())
        after = keep(before)
        for run_id, run in runs.items():
            left = after.filter(run_id=run_id).drop("run_id")
            went = before.filter(run_id=run_id).height - left.height
            if went:
                _edit(house, run, left, now or datetime.now(UTC), partial(note, run_id, went) if note else None)
            gone += went
        _remove_unnamed(house, principal)
    return gone


def _together(house: House, runs: Iterable[ConsentRun]) -> "pl.DataFrame":
    """Return the records of several lists, each with the id of its list."""
    import polars as pl

    nothing = NO_RECORDS.with_columns(pl.lit(None, pl.String).alias("run_id"))
    return pl.concat([nothing, *(read(house, run).with_columns(pl.lit(run.run_id).alias("run_id")) for run in runs)])


def _edit(house: House, run: ConsentRun, left: "pl.DataFrame", now: datetime, note: Callable[[], None] | None) -> None:
    """Put the object first, then change the row and call ``note`` in one transaction.

    A worker that dies in between leaves a version that no row names.
    """
    stored = None if left.is_empty() else house.objects.put(run.bucket, run.key, _content(left), PARQUET)
    with transaction(house.conn):
        if stored is None:
            store.mark_gone(house.conn, run.run_id, now)
        else:
            store.move_run(house.conn, run.run_id, stored.version_id, left.height)
        if note:
            note()


def _remove_unnamed(house: House, principal: Principal) -> None:
    """Remove versions that no row names.

    Under the lock nobody else is recording, so a dead worker left them.
    """
    named = {(run.key, run.version_id) for run in store.find_runs(house.conn, principal)}
    for item in list(_versions(house, principal)):
        if (item.key, item.version_id) not in named:
            house.objects.delete_version(item.bucket, item.key, item.version_id)


def find_principals(house: House) -> list[Principal]:
    """Principals with records, or with objects that a dead worker left."""
    level = house.objects.list_level(house.settings.bucket_lake, PREFIX)
    there = {Principal(prefix.removeprefix(PREFIX).rstrip("/")) for prefix in level.prefixes}
    return sorted(there.union(store.find_principals(house.conn)))


def erase_consents(house: House, principal: Principal, refs: frozenset[str]) -> int:
    """Take a person's records out of every list, every version of them; return how many."""
    import polars as pl

    out = sorted(refs)
    return edit_records(house, principal, lambda records: records.filter(~pl.col("ref").is_in(out)))


def count_left(house: House, principal: Principal, refs: frozenset[str]) -> int:
    """Count the versions that still name a person. Each is opened, whatever the database says."""
    import polars as pl

    out, found = sorted(refs), 0
    for item in _versions(house, principal):
        try:
            content = house.objects.read(item.bucket, item.key, item.version_id)
        except NotFound:
            continue
        found += pl.read_parquet(io.BytesIO(content), columns=["ref"])["ref"].is_in(out).any()
    return found


def _versions(house: House, principal: Principal) -> "Iterator[StoredObject]":
    return house.objects.list_versions(house.settings.bucket_lake, f"{PREFIX}{principal}/")
