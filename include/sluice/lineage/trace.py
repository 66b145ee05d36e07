"""Trace data from an exchange or an object in both directions.

Upstream is what a return was made of; downstream are the returns made of an exchange. The other inputs
of those returns are not downstream of the start, so they are not shown.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple
from uuid import UUID

from sluice.db import Connection
from sluice.errors import NotFound, Ref
from sluice.ledger.model import EntryKind
from sluice.ledger.record import ExchangeRecord
from sluice.ledger.store import find_bodies, find_entry
from sluice.lineage import store
from sluice.lineage.graph import trace_of
from sluice.lineage.model import Trace
from sluice.terms import Direction, ExchangeId

SCHEME, VERSION = "s3://", "?versionId="
RECORDS: Final = 1000
"""How many records are cached: enough for five pictures of 200."""


def trace_exchange(conn: Connection, named: str) -> Trace:
    """The trace of one closed exchange; ``named``: its UUID in any spelling. Raises NotFound."""
    exchange_id = _uuid(named)
    if find_entry(conn, exchange_id, EntryKind.EXCHANGE_CLOSED) is None:
        raise NotFound(Ref("closed exchange", exchange_id))
    return _trace(conn, [exchange_id])


def trace_object(conn: Connection, url: str, at: datetime | None = None) -> Trace:
    """The trace of an object, ``s3://bucket/key`` with ``?versionId=`` for one version. Raises NotFound.

    ``at``: the trace as it was known then, without what was closed later."""
    address = address_of(url)
    if address is None:
        raise NotFound(Ref("object", "with an address that is not s3://bucket/key"))
    starts = store.find_makers(conn, address.bucket, address.key, address.version_id, at)
    if not starts:
        raise NotFound(Ref("object in bucket", address.bucket))
    return _trace(conn, starts, at)


class Address(NamedTuple):
    """The place of an object; ``version_id`` None means all of its versions."""

    bucket: str
    key: str
    version_id: str | None


def address_of(url: str) -> Address | None:
    """Parse ``s3://bucket/key``, with ``?versionId=`` for one version; None for any other text.

    It is not parsed as a URL, because a key may contain ``#`` and ``?``."""
    place, versioned, version_id = url.rpartition(VERSION)
    bucket, _, key = (place if versioned else url).removeprefix(SCHEME).partition("/")
    return (
        Address(bucket, key, version_id if versioned else None) if url.startswith(SCHEME) and bucket and key else None
    )


def read_records(conn: Connection, exchange_ids: Iterable[str]) -> list[ExchangeRecord]:
    """The records of those of these exchanges that are closed, oldest first."""
    return sorted(_records(conn, exchange_ids), key=lambda record: (record.opened_at, record.exchange_id))


def _trace(conn: Connection, starts: list[str], at: datetime | None = None) -> Trace:
    around = {*starts, *store.find_sources(conn, starts), *store.find_users(conn, starts, at)}
    records = read_records(conn, around)
    return trace_of(records, find_undelivered(conn, records))


def find_undelivered(conn: Connection, records: Iterable[ExchangeRecord]) -> frozenset[str]:
    """Ids of the returns among these records that reached nobody until now."""
    returns = {each.exchange_id for each in records if each.direction is Direction.OUTBOUND_RETURN}
    return frozenset(returns) - store.find_delivered(conn, returns)


def _records(conn: Connection, exchange_ids: Iterable[str]) -> list[ExchangeRecord]:
    """The records of the closed exchanges; an open one has moved nothing yet."""
    bodies = find_bodies(conn, [ExchangeId(each) for each in exchange_ids], EntryKind.EXCHANGE_CLOSED)
    return [_record(body) for body in bodies]


@lru_cache(maxsize=RECORDS)
def _record(body: bytes) -> ExchangeRecord:
    """Parse the body of an entry. Entries never change, and the latest ones are read again and again."""
    return ExchangeRecord.model_validate_json(body)


def _uuid(text: str) -> ExchangeId:
    try:
        return ExchangeId(str(UUID(text)))
    except ValueError:
        pass
    raise NotFound(Ref("closed exchange", "with an id that is no UUID"))
