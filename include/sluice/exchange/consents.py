"""Consent records in the lake: references and what they agreed to, one Parquet object per list that came.

The object first, then its row in PostgreSQL. Whoever edits or drops one does it under the lock of the principal's
records, and removes every version that no row names: what a dead worker left goes with the next run.
"""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sluice.errors import NotFound
from sluice.exchange import consent_store as store
from sluice.exchange.consent_store import ConsentRun
from sluice.exchange.house import House
from sluice.exchange.naming import BRUSSELS
from sluice.exchange.store import hold_object
from sluice.subject.consent import NO_RECORDS, last_words
from sluice.terms import Principal

if TYPE_CHECKING:
    import polars as pl

    from sluice.lake.objects import StoredObject

PREFIX = "_consents/"
PARQUET = "application/vnd.apache.parquet"
TRIES = 3


@contextmanager
def hold_records(house: House, principal: Principal) -> Iterator[None]:
    """One at a time records, edits or drops records of a principal."""
    with hold_object(house.conn, house.settings.bucket_lake, f"{PREFIX}{principal}/"):
        yield


def find_records(house: House, principal: Principal) -> "pl.DataFrame":
    """Every record of a principal's persons, in no order. Raises NotFound when an object is away."""
    import polars as pl

    for attempt in range(TRIES):
        try:
            return pl.concat([NO_RECORDS, *(read(house, run) for run in store.find_runs(house.conn, principal))])
        except NotFound:  # edited since we looked
            if attempt == TRIES - 1:
                raise
    return NO_RECORDS


def find_words(house: House, principal: Principal) -> "pl.DataFrame":
    """The records that count now, one of each reference, purpose and channel."""
    return last_words(find_records(house, principal), datetime.now(BRUSSELS).date())


def read(house: House, run: ConsentRun) -> "pl.DataFrame":
    """The records of one list."""
    import polars as pl

    return pl.read_parquet(io.BytesIO(house.objects.read(run.bucket, run.key, run.version_id)))


def put(house: House, principal: Principal, run_id: str, records: "pl.DataFrame") -> "StoredObject":
    """Put the records of a list; the same again finds them there."""
    return house.objects.put_converging(
        house.settings.bucket_lake, f"{PREFIX}{principal}/{run_id}.parquet", _content(records), PARQUET
    )


def _content(records: "pl.DataFrame") -> bytes:
    sink = io.BytesIO()
    records.write_parquet(sink, compression="zstd", statistics=False)
    return sink.getvalue()


def edit_records(
    house: House, principal: Principal, keep: "Callable[[pl.DataFrame], pl.DataFrame]", now: datetime | None = None
) -> dict[str, int]:
    """Leave of every list what ``keep`` keeps, for good; how many records went, by list. Again changes nothing."""
    gone: dict[str, int] = {}
    with hold_records(house, principal):
        for run in store.find_runs(house.conn, principal):
            before = read(house, run)
            after = keep(before)
            if after.height == before.height:
                continue
            gone[run.run_id] = before.height - after.height
            if after.is_empty():
                store.mark_gone(house.conn, run.run_id, now or datetime.now(UTC))
            else:
                stored = house.objects.put(run.bucket, run.key, _content(after), PARQUET)
                store.move_run(house.conn, run.run_id, stored.version_id, after.height)
        _remove_unnamed(house, principal)
    return gone


def _remove_unnamed(house: House, principal: Principal) -> None:
    """Versions that no row names, of lists that are known: one that is just being recorded is none of them."""
    named = {(run.key, run.version_id) for run in store.find_runs(house.conn, principal)}
    for item in list(_versions(house, principal)):
        run_id = item.key.rpartition("/")[2].removesuffix(".parquet")
        if (item.key, item.version_id) not in named and store.is_known(house.conn, run_id):
            house.objects.delete_version(item.bucket, item.key, item.version_id)


def erase_consents(house: House, principal: Principal, refs: frozenset[str]) -> int:
    """Take a person's records out of every list, every version of them; how many."""
    import polars as pl

    out = sorted(refs)
    return sum(edit_records(house, principal, lambda records: records.filter(~pl.col("ref").is_in(out))).values())


def count_left(house: House, principal: Principal, refs: frozenset[str]) -> int:
    """Versions in which a person is left, whatever the database says: each is opened."""
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
