"""What is drawn of lineage as of a moment: the records there were, where the own way begins, what became of copies."""

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
"""Exchanges that are read for a drawing: so many are still looked at, and no page reads the whole past."""


@dataclass(frozen=True, slots=True)
class Followed:
    """Exchanges that were closed at a moment, the oldest first, and the drawing of them; ``starts``: what was asked.

    ``most``: so many are here of more that there are, older ones or further away; None: all are.
    """

    at: datetime
    starts: frozenset[str]
    records: tuple[ExchangeRecord, ...]
    fate: Fate
    drawing: Drawing
    most: int | None = None

    @property
    def origins(self) -> tuple[Origin, ...]:
        """Where every column of the returns that were asked for comes from."""
        own = (record for record in self.records if record.exchange_id in self.starts)
        return tuple(origin for record in own for origin in origins_of(record))


def follow_exchange(conn: Connection, exchange_id: str, at: datetime) -> Followed:
    """What an exchange is made of and what was made of it; beside it the other parts of what was made.

    Nothing, where it was not closed by then. What is nearer comes before what is further away, newer before older;
    what was made of it has half of the places, however much it is made of.
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
    """These exchanges, each asked for. ``cleared``: copies (exchange and kind) that a person was erased from.

    ``apart``: exchange and which of what stays of it the person is not in.
    """
    ids = store.find_newest(conn, exchange_ids, at, MOST + 1)
    return _followed(conn, ids, ids, at, cleared, apart)


def follow_latest(conn: Connection, at: datetime) -> Followed:
    """The exchanges that were closed last."""
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
