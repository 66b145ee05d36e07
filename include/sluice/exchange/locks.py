"""Which locks there are about exchanges, contents and objects."""

from contextlib import AbstractContextManager

from sluice.db import Connection, transaction
from sluice.errors import DatabaseError, Ref
from sluice.exchange.model import Opened
from sluice.locks import About, hold, is_held_by_another, is_held_by_us, try_hold

IS_WORKED_ON = is_held_by_another("exchange_id::text", About.ID)
"""SQL over ``exchange``: whether another process holds the lock of :func:`try_lock`."""


def try_lock(conn: Connection, exchange_id: str) -> AbstractContextManager[bool]:
    """Whether nobody works on the exchange; if so nobody starts while the block runs."""
    return try_hold(conn, About.ID, exchange_id)


def content_lock(conn: Connection, opened: Opened, sha256: str) -> AbstractContextManager[None]:
    """One exchange at a time for one content of one flow, so that a twin waits and is then a duplicate."""
    return hold(conn, About.CONTENT, f"{opened.principal}/{opened.direction}/{opened.flow}/{sha256}")


def hold_object(conn: Connection, bucket: str, key: str) -> AbstractContextManager[None]:
    """One at a time edits an object or puts a copy of it: of two at once, each puts back what the other took out."""
    return hold(conn, About.OBJECT, f"{bucket}/{key}")


def try_hold_object(conn: Connection, bucket: str, key: str) -> AbstractContextManager[bool]:
    """As :func:`hold_object`, for whom it is not worth waiting: whether nobody holds it."""
    return try_hold(conn, About.OBJECT, f"{bucket}/{key}")


def check_still_held(conn: Connection, bucket: str, key: str) -> None:
    """Raises DatabaseError unless this connection holds the object: who restarts PostgreSQL frees our locks."""
    with transaction(conn):
        row = conn.execute(f"select {is_held_by_us('%s', About.OBJECT)} as held", (f"{bucket}/{key}",)).fetchone()
    if row is None or not row["held"]:
        raise DatabaseError(Ref("lock", "lost"))
