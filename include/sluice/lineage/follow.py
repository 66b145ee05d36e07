"""What is drawn of lineage as of a moment: the records there were, where the own way begins, what became of copies."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sluice.db import Connection
from sluice.ledger.record import ExchangeRecord
from sluice.lineage import store
from sluice.lineage.drawing import Drawing, Fate, draw
from sluice.lineage.graph import origins_of
from sluice.lineage.model import Origin
from sluice.lineage.trace import read_records


@dataclass(frozen=True, slots=True)
class Followed:
    """Exchanges that were closed at a moment, the oldest first, and the drawing of them; ``starts``: what was asked."""

    at: datetime
    starts: frozenset[str]
    records: tuple[ExchangeRecord, ...]
    fate: Fate
    drawing: Drawing

    @property
    def origins(self) -> tuple[Origin, ...]:
        """Where every column of the returns that were asked for comes from."""
        own = (record for record in self.records if record.exchange_id in self.starts)
        return tuple(origin for record in own for origin in origins_of(record))


def follow_exchange(conn: Connection, exchange_id: str, at: datetime) -> Followed:
    """What an exchange is made of and what was made of it; beside it the other parts of what was made.

    Nothing, where it was not closed by then.
    """
    start = [exchange_id]
    users = store.find_users(conn, start)
    around = {exchange_id, *store.find_sources(conn, [exchange_id, *users]), *users}
    lists = [each for each in read_records(conn, store.find_lists(conn, start)) if _is_of(each, exchange_id)]
    ids = {*around, *(part.exchange_id for each in lists for part in each.what.inputs)}
    return _followed(conn, start, [*read_records(conn, ids), *lists], at)


def follow_all(conn: Connection, exchange_ids: Collection[str], at: datetime) -> Followed:
    """These exchanges, each asked for."""
    return _followed(conn, exchange_ids, read_records(conn, exchange_ids), at)


def follow_latest(conn: Connection, at: datetime, most: int) -> Followed:
    """The exchanges that were closed last, at most so many."""
    return follow_all(conn, store.find_latest(conn, at, most), at)


def _is_of(record: ExchangeRecord, exchange_id: str) -> bool:
    return any(part.exchange_id == exchange_id for part in record.what.inputs)


def _followed(conn: Connection, starts: Iterable[str], found: Iterable[ExchangeRecord], at: datetime) -> Followed:
    named = frozenset(starts)
    every = {record.exchange_id: record for record in found if datetime.fromisoformat(record.closed_at) <= at}
    records = sorted(every.values(), key=lambda record: (record.opened_at, record.exchange_id))
    if named and not named & every.keys():
        records = []
    fate = store.find_fate(conn, list(every), at)
    return Followed(at, named, tuple(records), fate, draw(records, named, fate))
