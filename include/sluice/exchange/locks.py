"""Advisory locks of PostgreSQL: free within seconds of their holder's death, of its machine's within a minute, whatever
Airflow believes about its task.

The second number of a lock is what it is about, here and in other rooms: 0 exchanges, and names that begin with a word
and a space; 1 contents; 2 papers; 3 cases that are being erased; 4 objects; 5 principals and erasures that begin.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sluice.db import Connection, transaction
from sluice.errors import DatabaseError, Ref
from sluice.exchange.model import Opened

HELD = """exists (select from pg_locks where locktype = 'advisory' and pid = pg_backend_pid() and objsubid = 1
    and (classid::bigint << 32 | objid::bigint) = hashtextextended(%(lock)s, %(seed)s))"""
"""SQL: whether this connection holds a lock."""
IS_WORKED_ON = """hashtextextended(exchange_id::text, 0) in (select classid::bigint << 32 | objid::bigint
    from pg_locks where locktype = 'advisory' and objsubid = 1 and granted and pid <> pg_backend_pid()
    and database = (select oid from pg_database where datname = current_database()))"""
"""SQL over ``exchange``: whether another process holds the lock of :func:`try_lock`, asked without taking it."""


@contextmanager
def try_lock(conn: Connection, exchange_id: str) -> Iterator[bool]:
    """Whether nobody works on the exchange; if so nobody starts while the block runs."""
    row = conn.execute("select pg_try_advisory_lock(hashtextextended(%s, 0)) as got", (exchange_id,)).fetchone()
    got = bool(row and row["got"])
    try:
        yield got
    finally:
        if got and not conn.closed:
            conn.execute("select pg_advisory_unlock(hashtextextended(%s, 0))", (exchange_id,))


@contextmanager
def content_lock(conn: Connection, opened: Opened, sha256: str) -> Iterator[None]:
    """One exchange at a time for one content of one flow, so that a twin waits and is then a duplicate."""
    name = f"{opened.principal}/{opened.direction}/{opened.flow}/{sha256}"
    conn.execute("select pg_advisory_lock(hashtextextended(%s, 1))", (name,))
    try:
        yield
    finally:
        if not conn.closed:
            conn.execute("select pg_advisory_unlock(hashtextextended(%s, 1))", (name,))


@contextmanager
def hold_object(conn: Connection, bucket: str, key: str) -> Iterator[None]:
    """One at a time edits an object or puts a copy of it: of two at once, each puts back what the other took out."""
    conn.execute("select pg_advisory_lock(hashtextextended(%s, 4))", (f"{bucket}/{key}",))
    try:
        yield
    finally:
        if not conn.closed:
            conn.execute("select pg_advisory_unlock(hashtextextended(%s, 4))", (f"{bucket}/{key}",))


@contextmanager
def try_hold_object(conn: Connection, bucket: str, key: str) -> Iterator[bool]:
    """As :func:`hold_object`, for whom it is not worth waiting: whether nobody holds it."""
    name = f"{bucket}/{key}"
    row = conn.execute("select pg_try_advisory_lock(hashtextextended(%s, 4)) as got", (name,)).fetchone()
    got = bool(row and row["got"])
    try:
        yield got
    finally:
        if got and not conn.closed:
            conn.execute("select pg_advisory_unlock(hashtextextended(%s, 4))", (name,))


def check_still_held(conn: Connection, bucket: str, key: str) -> None:
    """Raises DatabaseError unless this connection holds the object: who restarts PostgreSQL frees our locks."""
    with transaction(conn):
        row = conn.execute(f"select {HELD} as held", {"lock": f"{bucket}/{key}", "seed": 4}).fetchone()
    if row is None or not row["held"]:
        raise DatabaseError(Ref("lock", "lost"))
