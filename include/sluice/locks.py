"""Advisory locks of PostgreSQL, each identified by the kind of thing that it is about and a name.

A lock is free within seconds after its holder dies, and within a minute after the holder's machine dies, whatever
Airflow believes about the task.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import LiteralString

from sluice.db import Connection


class About(IntEnum):
    """The kind of thing that a lock's name identifies.

    Never change a number: workers of two versions may run at the same time and must take the same locks.
    """

    ID = 0
    """Anything that has a UUID: an exchange, a notice, a worker's folder."""
    CONTENT = 1
    PAPER = 2
    CASE = 3
    """A case whose persons are being erased."""
    OBJECT = 4
    PRINCIPAL = 5
    """A principal's suppressions and stops, which must not change while its files are being committed."""
    SIGN_OFF = 6
    ALERTS = 7
    DESTRUCTION = 8
    RETENTION = 9
    RETURNS = 10
    ERASURES = 11
    """The start of any erasure."""
    CHECKPOINTS = 12
    STAFF = 13


_HELD: LiteralString = """select classid::bigint << 32 | objid::bigint from pg_locks
    where locktype = 'advisory' and objsubid = 1 and granted
    and database = (select oid from pg_database where datname = current_database())"""


def is_held_by_another(name: LiteralString, about: About) -> LiteralString:
    """SQL that tells whether another connection holds the lock, without taking it. name: an SQL text expression."""
    return f"(hashtextextended({name}, {about:d}) in ({_HELD} and pid <> pg_backend_pid()))"


def is_held_by_us(name: LiteralString, about: About) -> LiteralString:
    """SQL that tells whether this connection holds the lock. name: an SQL text expression."""
    return f"(hashtextextended({name}, {about:d}) in ({_HELD} and pid = pg_backend_pid()))"


def lock_until_commit(conn: Connection, about: About, name: str, *, shared: bool = False) -> None:
    """Wait for a lock and hold it until the transaction ends. shared: keeps out only those who want it exclusively."""
    word = "_shared" if shared else ""
    conn.execute(f"select pg_advisory_xact_lock{word}(hashtextextended(%s, %s))".encode(), (name, about.value))


def take(conn: Connection, about: About, name: str, *, shared: bool = False) -> bool:
    """Take a lock if it is free; whether that worked. Call :func:`release` as often as it was taken."""
    word = "_shared" if shared else ""
    row = conn.execute(
        f"select pg_try_advisory_lock{word}(hashtextextended(%s, %s)) as got".encode(), (name, about.value)
    ).fetchone()
    return bool(row and row["got"])


def release(conn: Connection, about: About, name: str, *, shared: bool = False) -> None:
    """Give a lock back; does nothing on a closed connection, which holds none."""
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
    """Hold a lock while the block runs, if it is free; yields whether it was."""
    got = take(conn, about, name, shared=shared)
    try:
        yield got
    finally:
        if got:
            release(conn, about, name, shared=shared)
