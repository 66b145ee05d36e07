"""PostgreSQL: one connection per use case, one transaction per step, no row values in errors."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.rows import DictRow, dict_row

from sluice.errors import DatabaseError, Ref, ServiceMissing
from sluice.settings import Settings

Connection = psycopg.Connection[DictRow]
"""A psycopg connection whose rows are dicts; autocommit, so work happens in ``transaction()``."""


def connect(settings: Settings) -> Connection:
    """Open a connection as the application role.

    Raises ServiceMissing when no URL is set or the server does not answer.
    """
    if settings.database_url is None:
        raise ServiceMissing(Ref("service", "postgresql"), Ref("setting", "SLUICE_DATABASE_URL"))
    return connect_to(settings.database_url.get_secret_value())


def connect_to(url: str) -> Connection:
    """Open a connection to ``url`` (a libpq DSN); UTC, autocommit, rows as dicts."""
    failed: str | None = None
    try:
        return psycopg.connect(
            url, autocommit=True, row_factory=dict_row, connect_timeout=10, options="-c timezone=UTC"
        )
    except psycopg.OperationalError as error:
        failed = error.sqlstate or "no answer"
    raise ServiceMissing(Ref("service", "postgresql"), Ref("sqlstate", failed))


@contextmanager
def transaction(conn: Connection) -> Iterator[Connection]:
    """One transaction. A psycopg error leaves as DatabaseError with its SQLSTATE only.

    PostgreSQL's DETAIL quotes row values, so the original is dropped, not chained.
    """
    failed: psycopg.Error | None = None
    try:
        with conn.transaction():
            yield conn
        return
    except psycopg.Error as error:
        failed = error
    state = failed.sqlstate or "connection lost"
    constraint = failed.diag.constraint_name or "none"
    raise DatabaseError(Ref("sqlstate", state), Ref("constraint", constraint))
