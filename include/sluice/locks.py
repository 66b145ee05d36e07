"""Advisory locks of PostgreSQL: free within seconds of their holder's death, of its machine's within a minute, whatever
Airflow believes about its task. A lock is a name among those about one thing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import LiteralString

from sluice.db import Connection


class About(IntEnum):
    """What a name is of. No number changes any more: workers of two versions may run at once, and must meet."""

    ID = 0
    """An exchange, a notice, a worker's folder: whatever has a UUID."""
    CONTENT = 1
    PAPER = 2
    CASE = 3
    """A case whose persons are being erased."""
    OBJECT = 4
    PRINCIPAL = 5
    """A principal's suppressions and stops, against its files that are being committed."""
    SIGN_OFF = 6
    ALERTS = 7
    DESTRUCTION = 8
    RETENTION = 9
    RETURNS = 10
    ERASURES = 11
    """Every erasure that begins."""
    CHECKPOINTS = 12
    STAFF = 13


_HELD: LiteralString = """select classid::bigint << 32 | objid::bigint from pg_locks
    where locktype = 'advisory' and objsubid = 1 and granted
    and database = (select oid from pg_database where datname = current_database())"""


def is_held_by_another(name: LiteralString, about: About) -> LiteralString:
    """SQL: whether another connection holds the lock, asked without taking it. name: an SQL expression of text."""
    return f"(hashtextextended({name}, {about:d}) in ({_HELD} and pid <> pg_backend_pid()))"


def is_held_by_us(name: LiteralString, about: About) -> LiteralString:
    """SQL: whether this connection holds the lock. name: an SQL expression of text."""
    return f"(hashtextextended({name}, {about:d}) in ({_HELD} and pid = pg_backend_pid()))"


def lock_until_commit(conn: Connection, about: About, name: str, *, shared: bool = False) -> None:
    """Hold off others until the transaction ends; ``shared``: only those who want it alone."""
    word = "_shared" if shared else ""
    conn.execute(f"select pg_advisory_xact_lock{word}(hashtextextended(%s, %s))".encode(), (name, about.value))


def take(conn: Connection, about: About, name: str, *, shared: bool = False) -> bool:
    """Take a lock that nobody has; :func:`release` gives it back, as often as it was taken."""
    word = "_shared" if shared else ""
    row = conn.execute(
        f"select pg_try_advisory_lock{word}(hashtextextended(%s, %s)) as got".encode(), (name, about.value)
    ).fetchone()
    return bool(row and row["got"])


def release(conn: Connection, about: About, name: str, *, shared: bool = False) -> None:
    """Give a lock back. A connection that is closed has none."""
    word = "_shared" if shared else ""
    if not conn.closed:
        conn.execute(f"select pg_advisory_unlock{word}(hashtextextended(%s, %s))".encode(), (name, about.value))


@contextmanager
def hold(conn: Connection, about: About, name: str) -> Iterator[None]:
    """Wait for a lock, and hold it while the block runs."""
    conn.execute("select pg_advisory_lock(hashtextextended(%s, %s))", (name, about.value))
    try:
        yield
    finally:
        release(conn, about, name)


@contextmanager
def try_hold(conn: Connection, about: About, name: str, *, shared: bool = False) -> Iterator[bool]:
    """Whether nobody has the lock; if so it is held while the block runs."""
    got = take(conn, about, name, shared=shared)
    try:
        yield got
    finally:
        if got:
            release(conn, about, name, shared=shared)
