"""What questions are answered with, kept between requests: to open a connection takes longer than to ask."""

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
"""Connections that are kept open at most, of one process; in a rush there are more."""
OLDEST_SECONDS: Final = 600
_ONE_AT_A_TIME = threading.Lock()
"""Two first questions at once would make two pools."""


@contextmanager
def reading() -> Iterator[Connection]:
    """A connection as the application role, that reads and nothing else. Raises ServiceMissing, and as ``coded``.

    What changes something, or locks for longer than a transaction, opens one of its own.
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
    """A house to look into the stores with, and no more. Raises ServiceMissing."""
    from sluice.exchange.house import House
    from sluice.exchange.judging.nursery import CHILD, Nursery
    from sluice.keys import Keyring

    settings = get_settings()
    with reading() as conn, Nursery(CHILD) as nursery:
        yield House(settings, conn, _objects(os.getpid(), settings), Keyring.open(settings), nursery)


@lru_cache(maxsize=1)
def _objects(process: int, settings: Settings) -> "ObjectStore":
    """One client of each process; a connection must not be shared after a fork."""
    from sluice.lake.s3.objects import ObjectStore

    return ObjectStore(settings)


@cache
def _pool(process: int, url: str) -> QueuePool:
    """Of one process and one database: a connection must not be shared after a fork."""
    pool = QueuePool(_open, pool_size=KEPT, max_overflow=-1, recycle=OLDEST_SECONDS, use_lifo=True)
    event.listen(pool, "checkout", _check)
    return pool


def _open() -> Any:
    conn = connect(get_settings())
    conn.execute("set default_transaction_read_only = on")
    conn.prepare_threshold = None  # a plan for any values would read the whole past for some
    return conn


def _check(conn: Any, record: object, proxy: object) -> None:
    """Raises DisconnectionError for one whose server went away: another is opened."""
    gone: psycopg.Error | None = None
    try:
        conn.execute("select 1")
        return
    except psycopg.Error as error:
        gone = error
    raise DisconnectionError(type(gone).__name__)
