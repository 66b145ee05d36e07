"""Select the lineage to draw as of a moment: the records, where the own path starts, and the fate of copies."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sluice.db import Connection
from sluice.ledger.record import ExchangeRecord
from sluice.lineage import store
from sluice.lineage.drawing import Drawing, Fate, draw
from sluice.lineage.graph import origins_of
from sluice.lineage.model import Origin
from sluice.lineage.trace import read_records

MOST = 200
"""The most exchanges in a drawing: people can still look at so many, and no page reads the whole past."""


@dataclass(frozen=True, slots=True)
class Followed:
    """Exchanges that were closed by a moment, oldest first, and their drawing. ``starts``: those asked for.

    ``most``: the limit, if older or more distant ones were left out; None if all are here.
    """

    at: datetime
    starts: frozenset[str]
    records: tuple[ExchangeRecord, ...]
    fate: Fate
    drawing: Drawing
    most: int | None = None

    @property
    def origins(self) -> tuple[Origin, ...]:
        """The origin of every column of the returns that were asked for."""
        own = (record for record in self.records if record.exchange_id in self.starts)
        return tuple(origin for record in own for origin in origins_of(record))


def follow_exchange(conn: Connection, exchange_id: str, at: datetime) -> Followed:
    """An exchange, what it was made of, what was made of it, and the other inputs of what was made.

    Nothing if it was not closed by then. If there are too many, nearer ones go before more distant ones and newer
    before older; what was made of it gets half of the places, however many inputs it has.
    """
    start, enough = [exchange_id], MOST + 1
    users = store.find_users(conn, start, at, enough)
    near = [*users[: MOST // 2], *store.find_sources(conn, start, enough), *users[MOST // 2 :]]
    ids = list(dict.fromkeys([*start, *near, *store.find_sources(conn, users[:MOST], enough)]))
    return _followed(conn, start, ids, at)


def follow_all(
    conn: Connection,
    exchange_ids: Collection[str],
    at: datetime,
    cleared: frozenset[tuple[str, str]] = frozenset(),
    apart: frozenset[tuple[str, str]] = frozenset(),
) -> Followed:
    """These exchanges, all of which were asked for.

    ``cleared``: copies (exchange and kind) from which a person was erased. ``apart``: pairs of exchange and kept part
    that the person is not in.
    """
    ids = store.find_newest(conn, exchange_ids, at, MOST + 1)
    return _followed(conn, ids, ids, at, cleared, apart)


def follow_latest(conn: Connection, at: datetime) -> Followed:
    """The latest closed exchanges."""
    ids = store.find_latest(conn, at, MOST)
    return _followed(conn, ids, ids, at)


def _followed(
    conn: Connection,
    starts: Sequence[str],
    ids: Sequence[str],
    at: datetime,
    cleared: frozenset[tuple[str, str]] = frozenset(),
    apart: frozenset[tuple[str, str]] = frozenset(),
) -> Followed:
    named, found = frozenset(starts), read_records(conn, ids[:MOST])
    records = [record for record in found if datetime.fromisoformat(record.closed_at) <= at]
    if named and named.isdisjoint(record.exchange_id for record in records):
        records = []
    fate = replace(store.find_fate(conn, [record.exchange_id for record in records], at), cleared=cleared)
    most = MOST if records and len(ids) > MOST else None
    return Followed(at, named, tuple(records), fate, draw(records, named, fate, apart), most)
