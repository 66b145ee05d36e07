"""The advisory locks that workers take on exchanges, file contents and objects."""

from contextlib import AbstractContextManager

from sluice.db import Connection, transaction
from sluice.errors import DatabaseError, Ref
from sluice.exchange.model import Opened
from sluice.locks import About, hold, is_held_by_another, is_held_by_us, try_hold

IS_WORKED_ON = is_held_by_another("exchange_id::text", About.ID)
"""SQL over ``exchange``: whether another process holds the lock of :func:`try_lock`."""


def try_lock(conn: Connection, exchange_id: str) -> AbstractContextManager[bool]:
    """Try to lock an exchange; yields whether nobody works on it. If so, nobody starts while the block runs."""
    return try_hold(conn, About.ID, exchange_id)


def content_lock(conn: Connection, opened: Opened, sha256: str) -> AbstractContextManager[None]:
    """Lock one content of one flow, so that a twin waits and is then found to be a duplicate."""
    return hold(conn, About.CONTENT, f"{opened.principal}/{opened.direction}/{opened.flow}/{sha256}")


def hold_object(conn: Connection, bucket: str, key: str) -> AbstractContextManager[None]:
    """Lock an object, so that only one worker at a time edits it or puts a copy of it.

    Of two at once, each would put back what the other took out.
    """
    return hold(conn, About.OBJECT, f"{bucket}/{key}")


def try_hold_object(conn: Connection, bucket: str, key: str) -> AbstractContextManager[bool]:
    """As :func:`hold_object`, but without waiting: yields whether the lock was free."""
    return try_hold(conn, About.OBJECT, f"{bucket}/{key}")


def check_still_held(conn: Connection, bucket: str, key: str) -> None:
    """Raises DatabaseError unless this connection still holds the object: a restart of PostgreSQL frees our locks."""
    with transaction(conn):
        row = conn.execute(f"select {is_held_by_us('%s', About.OBJECT)} as held", (f"{bucket}/{key}",)).fetchone()
    if row is None or not row["held"]:
        raise DatabaseError(Ref("lock", "lost"))
