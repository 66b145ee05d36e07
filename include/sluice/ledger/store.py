"""All SQL of the ledger. Writing goes through the only two functions that the database lets us call."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from psycopg.rows import args_row, kwargs_row

from sluice.db import Connection, transaction
from sluice.errors import NotFound, Ref
from sluice.ledger.model import Checkpoint, Entry, Head, StoredEntry
from sluice.locks import About, lock_until_commit
from sluice.terms import ExchangeId

_APPEND = """
    select i.exchange_id, i.body, a.seq, a.hash, a.prev_hash, a.appended_at, a.is_new
    from unnest(%(exchange_ids)s::uuid[], %(bodies)s::bytea[]) with ordinality as i(exchange_id, body, n)
    cross join lateral ledger.append(%(chain)s, %(kind)s, i.exchange_id, i.body) as a
    order by i.n
"""

AT_ONCE = 100
"""How many checkpoints are fetched at a time."""


def insert_entries(
    conn: Connection, chain: str, kind: str, exchange_ids: Sequence[ExchangeId | None], bodies: Sequence[bytes]
) -> list[Entry]:
    """Append one entry per body, in order; if an exchange has this entry already, the existing one is returned."""
    rows = conn.execute(
        _APPEND, {"chain": chain, "kind": kind, "exchange_ids": list(exchange_ids), "bodies": list(bodies)}
    )
    return [
        Entry(
            chain=chain,
            seq=row["seq"],
            kind=kind,
            exchange_id=None if row["exchange_id"] is None else ExchangeId(str(row["exchange_id"])),
            hash=row["hash"],
            prev_hash=row["prev_hash"],
            body=row["body"],
            appended_at=row["appended_at"],
            is_new=row["is_new"],
        )
        for row in rows
    ]


def find_entry(conn: Connection, exchange_id: ExchangeId, kind: str) -> Entry | None:
    """An exchange's entry of this kind, or None; ``is_new`` is False."""
    with conn.cursor(row_factory=kwargs_row(Entry)) as cursor:
        cursor.execute(
            """
            select chain, seq, kind, exchange_id::text as exchange_id, hash, prev_hash, body, appended_at,
                   false as is_new
            from ledger.entry where exchange_id = %s and kind = %s
            """,
            (exchange_id, kind),
        )
        return cursor.fetchone()


def find_bodies(conn: Connection, exchange_ids: Sequence[ExchangeId], kind: str) -> list[bytes]:
    """Bodies of these exchanges' entries of this kind, in no particular order; exchanges without one are left out."""
    rows = conn.execute(
        "select body from ledger.entry where exchange_id = any(%s::uuid[]) and kind = %s", (list(exchange_ids), kind)
    ).fetchall()
    return [bytes(row["body"]) for row in rows]


def find_first_appended(conn: Connection) -> datetime | None:
    """When the oldest entry was appended; None if the ledger is empty."""
    row = conn.execute("select min(appended_at) as at from ledger.entry").fetchone()
    return row["at"] if row else None


@contextmanager
def snapshot(conn: Connection) -> Iterator[None]:
    """Give all reads inside the block one unchanging view of the database; the connection must be idle."""
    with transaction(conn):
        conn.execute("set transaction isolation level repeatable read, read only")
        yield


def read_heads(conn: Connection) -> tuple[Head, ...]:
    """The heads of all chains that have entries, by name in byte order."""
    with conn.cursor(row_factory=args_row(Head)) as cursor:
        cursor.execute("select name, head_seq, head_hash from ledger.chain where head_seq > 0 order by name")
        return tuple(cursor)


def read_checkpoints(conn: Connection) -> tuple[Checkpoint, ...]:
    """All checkpoints, oldest first."""
    with conn.cursor(row_factory=args_row(Checkpoint)) as cursor:
        cursor.execute("select seq, body, convert_to(jws, 'UTF8'), made_at from ledger.checkpoint order by seq")
        return tuple(cursor)


def checkpoints_before(conn: Connection, seq: int) -> Iterator[tuple[int, datetime]]:
    """Number and time of each checkpoint before ``seq``, newest first, fetched some at a time."""
    while rows := conn.execute(
        "select seq, made_at from ledger.checkpoint where seq < %s order by seq desc limit %s", (seq, AT_ONCE)
    ).fetchall():
        yield from ((row["seq"], row["made_at"]) for row in rows)
        seq = rows[-1]["seq"]


def get_jws(conn: Connection, seq: int) -> bytes:
    """The JWS of one checkpoint. Raises NotFound."""
    row = conn.execute("select convert_to(jws, 'UTF8') as jws from ledger.checkpoint where seq = %s", (seq,)).fetchone()
    if row is None:
        raise NotFound(Ref("checkpoint", seq))
    return bytes(row["jws"])


def find_last_checkpoint(conn: Connection) -> Checkpoint | None:
    """The newest checkpoint, or None."""
    with conn.cursor(row_factory=args_row(Checkpoint)) as cursor:
        cursor.execute(
            "select seq, body, convert_to(jws, 'UTF8'), made_at from ledger.checkpoint order by seq desc limit 1"
        )
        return cursor.fetchone()


def lock_checkpoints(conn: Connection) -> None:
    """Keep others from making a checkpoint until the transaction ends."""
    lock_until_commit(conn, About.CHECKPOINTS, "")


def insert_checkpoint(conn: Connection, seq: int, body: bytes, jws: bytes, made_at: datetime) -> None:
    """Store the next checkpoint; the database refuses any other number."""
    conn.execute("select ledger.add_checkpoint(%s, %s, %s, %s)", (seq, body, jws.decode("ascii"), made_at), binary=True)


def stream_entries(conn: Connection) -> Iterator[StoredEntry]:
    """Every entry, chain by chain in byte order and by number, through a server-side cursor."""
    with conn.cursor(name="ledger_entries", row_factory=args_row(StoredEntry)) as cursor:
        cursor.itersize = 5_000
        cursor.execute(
            """
            select chain, seq, kind, coalesce(uuid_send(exchange_id), ''::bytea), body, prev_hash, hash,
                   timestamptz_send(appended_at)
            from ledger.entry order by chain, seq
            """,
            binary=True,
        )
        yield from cursor
