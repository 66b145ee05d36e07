"""Put an edited copy in its place or remove one for good, and what is left of it under its key."""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from sluice.db import transaction
from sluice.exchange import catalogue, outbox
from sluice.exchange.house import House
from sluice.exchange.own_writes import find_own_writes, is_own, note_own_write, pin_own_write
from sluice.exchange.persons.merged import RUNS, sweep_merged
from sluice.exchange.persons.merged_store import find_group
from sluice.lake.s3.names import ObjectVersion
from sluice.lake.s3.objects import hash_of, prefix_of
from sluice.lake.s3.versions import said_of
from sluice.ledger.copy_kinds import ARRIVED
from sluice.media_types import OCTETS
from sluice.rights.copies import answer_store, copy_store
from sluice.rights.copies.model import ANSWER, Copy
from sluice.terms import Principal


def swap(house: House, copy: Copy, edited: Path, rows: int | None) -> None:
    """Put the edited file in the place of a copy, and remove every other version of it for good.

    The write is noted before it is made, so that no poll takes it for an arrival. A rerun finds its own bytes.
    """
    content = edited.read_bytes()
    sha256, size_bytes = hash_of(content)
    note_own_write(house.conn, copy.bucket, copy.key, sha256)
    stored = house.objects.put_converging(copy.bucket, copy.key, content, OCTETS, copy.version_id)
    pin_own_write(house.conn, copy.bucket, copy.key, sha256, stored.version_id)
    with transaction(house.conn):
        catalogue.move_copy(
            house.conn,
            copy.exchange_id,
            copy.kind,
            version_id=stored.version_id,
            sha256=sha256,
            size_bytes=size_bytes,
            rows=rows,
        )
        outbox.tell_changed(house.conn, copy.exchange_id)
    drop_superseded(house, copy)


def remove(house: House, copy: Copy) -> None:
    """Remove a copy's object for good. Its line in the catalogue stays."""
    if copy.kind == ANSWER:
        answer_store.mark_gone(house.conn, copy.exchange_id, "erasure", datetime.now(UTC))
    with transaction(house.conn):
        catalogue.mark_gone(house.conn, copy.exchange_id, copy.kind)
        outbox.tell_changed(house.conn, copy.exchange_id)
    drop_superseded(house, copy)


def find_superseded(house: House, principal: Principal) -> list[Copy]:
    """Copies, gone or not, whose key has a version that is not a copy. Each prefix is listed once."""
    named = {ObjectVersion.of(copy) for copy in copy_store.find_copies(house.conn, principal)}
    every = copy_store.find_copies(house.conn, principal, with_gone=True)
    prefixes = {(copy.bucket, _prefix_of(copy.key)) for copy in every}
    there = (item for bucket, prefix in sorted(prefixes) for item in house.objects.list_versions(bucket, prefix))
    beside = {(item.bucket, item.key) for item in there if ObjectVersion.of(item) not in named}
    return [copy for copy in every if (copy.bucket, copy.key) in beside]


def _prefix_of(key: str) -> str:
    """The principal's own prefix, or the one with its name below a prefix of ours."""
    return prefix_of(*key.split("/")[: 2 if key.startswith("_") else 1])


def drop_superseded(house: House, copy: Copy) -> int:
    """Remove versions of a copy's key that no line of the catalogue names any more; return how many.

    Merges made of an index run as it was are removed first: a rerun returns to them for as long as the run's old
    version is there. Where files arrive, a key may also have versions of other exchanges, and one that nobody has
    opened yet. There, only versions go that arrived in an exchange or that we put there, and that no line names.
    """
    if copy.kind == ANSWER:
        there = answer_store.find_copy(house.conn, copy.exchange_id)
        if there is None:
            house.objects.delete_others(copy.bucket, answer_store.index_key_of(copy.key), frozenset())
        return house.objects.delete_others(copy.bucket, copy.key, frozenset({there.version_id} if there else ()))
    if copy.kind in RUNS:
        sweep_merged(house, *find_group(house.conn, copy.exchange_id))
    rows = house.conn.execute(
        """select c.version_id as named, e.version_id as arrived, c.gone_at is null as is_there
           from copy c join exchange e using (exchange_id) where (c.bucket, c.key) = (%(bucket)s, %(key)s)
           union
           select c.version_id, e.version_id, c.gone_at is null
           from exchange e join copy c on (c.exchange_id, c.kind, c.bucket) = (e.exchange_id, 'arrived', e.bucket)
           where (e.bucket, e.key) = (%(bucket)s, %(key)s)""",
        {"bucket": copy.bucket, "key": copy.key},
    ).fetchall()
    named = frozenset(row["named"] for row in rows if row["is_there"])
    known = named | {row["arrived"] for row in rows}
    if copy.kind != ARRIVED:
        return house.objects.delete_others(copy.bucket, copy.key, named)
    return house.objects.delete_others(copy.bucket, copy.key, named | _of_others(house, copy, known))


def _of_others(house: House, copy: Copy, known: Collection[str]) -> frozenset[str]:
    """Versions under the key of an arrived file that nobody has opened yet and that we did not put there."""
    listed = house.objects.list_versions(copy.bucket, copy.key)
    there = [replace(item, key=copy.key) for item in listed if said_of(copy.key) == said_of(item.key)]
    own = find_own_writes(house.conn, there).get((copy.bucket, copy.key), ())
    return frozenset(
        item.version_id
        for item in there
        if item.version_id not in known and not is_own(house.objects, item, own, with_twins=True)
    )
