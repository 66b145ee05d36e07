"""Open an exchange for every file version that arrived: the record exists before a byte is read."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Self

from sluice.agreement.in_force.store import in_force, is_flow
from sluice.agreement.papers import Paper, PaperMissing
from sluice.db import Connection, transaction
from sluice.exchange import outbox, store
from sluice.exchange.inbox import oldest_first, put_at
from sluice.exchange.model import Opened
from sluice.exchange.naming import NO_FLOW, PRINCIPAL_NAME, split_key, withheld_unless_safe
from sluice.exchange.own_writes import OwnWrites, find_own_writes, is_own
from sluice.exchange.store import Arrival
from sluice.exchange.sweeping import Faults, do_each
from sluice.lake.s3.objects import ObjectStore, StoredObject, prefix_of
from sluice.lake.s3.versions import UNSAID
from sluice.ledger.append import append
from sluice.ledger.chains import principal_chain
from sluice.ledger.model import EntryKind
from sluice.ledger.opened import OpenedRecord
from sluice.settings import Settings
from sluice.terms import ARRIVING, Direction, Principal
from sluice.times import brussels_day, utc_text

TOLD_WITHIN = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look for arrivals did: how many were opened, and how many could not be and are met again.

    An arrival that is not opened has no exchange, so nobody else can count it. A principal whose files cannot be listed
    to the end counts as one of those that failed.
    """

    opened: int
    failed: int


@dataclass
class Arrivals:
    """Finds new files under the prefixes where files arrive, and opens an exchange for each.

    Principals reach the first bucket of ``doors`` only, so nobody but the center can hand in results. ``seen`` holds
    the listed versions that are known already, which saves queries.
    """

    doors: tuple[tuple[str, Direction], ...]
    seen: set[tuple[str, str]] = field(default_factory=set)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Make the arrivals of an installation, with its doors."""
        return cls(tuple(zip((settings.bucket_exchange, settings.bucket_internal), ARRIVING, strict=True)))

    def open_new(self, conn: Connection, objects: ObjectStore) -> Looked:
        """Open an exchange for every version that has none, except those that erasures put; the oldest put first.

        A fault of one principal or of one arrival is logged and counted. Raises ServiceMissing when a store is away.
        """
        faults = Faults(conn)
        fresh = self._fresh(objects, faults)
        unregistered = store.find_unregistered(conn, fresh)
        self.seen.update({self._name(each) for each in fresh} - {self._name(each) for each in unregistered})
        own = find_own_writes(conn, (each.object for each in unregistered))
        opened, failed = do_each(conn, _named_in_log, unregistered, partial(self._open, conn, objects, own))
        return Looked(opened, failed + faults.count)

    def _fresh(self, objects: ObjectStore, faults: Faults) -> list[Arrival]:
        """Return what is listed and was not seen before, in the order in which it was put.

        What is no longer listed is forgotten, because a triggerer lives for months.
        """
        fresh, still = list[Arrival](), set[tuple[str, str]]()
        for arrival in self._list(objects, faults):
            if (name := self._name(arrival)) in self.seen:
                still.add(name)
            else:
                fresh.append(arrival)
        if not faults.count:
            self.seen = still
        place = {self._name(arrival): arrival for arrival in fresh}
        return [place[item.key, item.version_id] for item in oldest_first(arrival.object for arrival in fresh)]

    def _open(self, conn: Connection, objects: ObjectStore, own: OwnWrites, arrival: Arrival) -> bool:
        """Open one arrival, unless an erasure put it; return whether it was opened. If it fails, it is met again."""
        item = arrival.object
        is_ours = is_own(objects, item, own.get((item.bucket, item.key), ()))
        is_new = not is_ours and open_exchange(conn, arrival, datetime.now(UTC))
        self.seen.add(self._name(arrival))
        return is_new

    def _list(self, objects: ObjectStore, faults: Faults) -> Iterator[Arrival]:
        """Yield what lies there, of each principal all or, if its listing fails, nothing."""
        for bucket, direction in self.doors:
            for principal in filter(PRINCIPAL_NAME.fullmatch, objects.list_prefixes(bucket)):
                found: list[StoredObject] = []
                with faults.kept_apart(f"what arrives from {principal}"):
                    found = list(objects.list_versions(bucket, prefix_of(principal, direction)))
                yield from (arrival_of(principal, direction, item) for item in found if _is_named(item))

    @staticmethod
    def _name(arrival: Arrival) -> tuple[str, str]:
        return arrival.object.key, arrival.object.version_id


def _named_in_log(arrival: Arrival) -> str:
    """How the log calls an arrival: without its key, which may name a person."""
    return f"an arrival of {arrival.principal}"


def _is_named(item: StoredObject) -> bool:
    """Whether a version can be opened under the name that is listed.

    A version is listed a moment before its object, and only the object tells a name with control characters. So a
    version with such a name waits, for ``TOLD_WITHIN`` at most.
    """
    is_old = item.modified_at is not None and datetime.now(UTC) - item.modified_at > TOLD_WITHIN
    return UNSAID not in item.key or is_old


def arrival_of(principal: str, direction: Direction, item: StoredObject) -> Arrival:
    """Return an arrival with the flow that its key ``<principal>/<direction>/<flow>/<name>`` names, or NO_FLOW."""
    flow = split_key(item.key)[2]
    return Arrival(Principal(principal), direction, flow, item)


def open_exchange(conn: Connection, arrival: Arrival, now: datetime) -> bool:
    """Record one arrival in table, ledger and outbox; return False when it was open already.

    The paper that is in force and known at ``now`` decides everything later. A folder that no contract ever named is no
    flow: it may be the name of a person, so it is written nowhere but in the key.
    """
    paper = in_force(conn, arrival.principal, arrival.direction, arrival.flow, brussels_day(now), now)
    if isinstance(paper, PaperMissing) and not is_flow(conn, arrival.principal, arrival.flow):
        arrival = replace(arrival, flow=NO_FLOW)
    agreement = paper.agreement
    chain = agreement.agreement_id if agreement else principal_chain(arrival.principal)
    with transaction(conn):
        opened = store.insert_open(conn, arrival, chain, now, put_at(arrival.object, now))
        if opened is None:
            return False
        record_opened(conn, opened, paper)
    return True


def record_opened(conn: Connection, opened: Opened, paper: Paper | PaperMissing) -> None:
    """Append the entry of an opened exchange and note its effects. Call inside the transaction that opened it."""
    agreement = paper.agreement
    if isinstance(paper, Paper):
        outbox.insert(conn, opened.exchange_id, [outbox.Effect.STARTED])
    body = OpenedRecord(
        exchange_id=opened.exchange_id,
        principal=opened.principal,
        direction=opened.direction,
        flow=opened.flow,
        bucket=opened.bucket,
        key=withheld_unless_safe(opened.key, opened.flow),
        version_id=opened.version_id,
        size_bytes=opened.size_bytes,
        opened_at=utc_text(opened.opened_at),
        agreement_id=agreement.agreement_id if agreement else None,
        agreement_version=agreement.version if agreement else None,
    )
    append(conn, chain=opened.chain, kind=EntryKind.EXCHANGE_OPENED, exchange_id=opened.exchange_id, body=body)
