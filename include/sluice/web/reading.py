"""Connections and clients for reading, kept between requests: opening a connection takes longer than a query."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final

import psycopg
from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import QueuePool

from sluice.db import Connection, coded, connect
from sluice.settings import Settings, get_settings

if TYPE_CHECKING:
    from sluice.exchange.house import House
    from sluice.lake.s3.objects import ObjectStore

KEPT: Final = 8
"""The most connections kept open by one process. There may be more in a rush."""
OLDEST_SECONDS: Final = 600
_ONE_AT_A_TIME = threading.Lock()
"""Without it, the first two requests at the same time would make two pools."""


@contextmanager
def reading() -> Iterator[Connection]:
    """Yield a read-only connection as the application role. Raises ServiceMissing, and the errors of ``coded``.

    Code that changes something, or locks for longer than a transaction, opens a connection of its own.
    """
    url = get_settings().database_url
    with _ONE_AT_A_TIME:
        pool = _pool(os.getpid(), url.get_secret_value() if url else "")
    kept = pool.connect()
    try:
        conn: Any = kept.dbapi_connection
        with coded():
            yield conn
    finally:
        kept.close()


@contextmanager
def reading_house() -> Iterator["House"]:
    """Yield a house for looking into the stores only. Raises ServiceMissing."""
    from sluice.exchange.house import House
    from sluice.exchange.judging.nursery import CHILD, Nursery
    from sluice.keys import Keyring

    settings = get_settings()
    with reading() as conn, Nursery(CHILD) as nursery:
        yield House(settings, conn, _objects(os.getpid(), settings), Keyring.open(settings), nursery)


@lru_cache(maxsize=1)
def _objects(process: int, settings: Settings) -> "ObjectStore":
    """Return the client of this process. A connection must not be shared after a fork."""
    from sluice.lake.s3.objects import ObjectStore

    return ObjectStore(settings)


@cache
def _pool(process: int, url: str) -> QueuePool:
    """Return the pool of this process and database. A connection must not be shared after a fork."""
    pool = QueuePool(_open, pool_size=KEPT, max_overflow=-1, recycle=OLDEST_SECONDS, use_lifo=True)
    event.listen(pool, "checkout", _check)
    return pool


def _open() -> Any:
    conn = connect(get_settings())
    conn.execute("set default_transaction_read_only = on")
    conn.prepare_threshold = None  # a generic plan would read all history for some values
    return conn


def _check(conn: Any, record: object, proxy: object) -> None:
    """Raise DisconnectionError for a connection whose server went away, so that another is opened."""
    gone: psycopg.Error | None = None
    try:
        conn.execute("select 1")
        return
    except psycopg.Error as error:
        gone = error
    raise DisconnectionError(type(gone).__name__)
