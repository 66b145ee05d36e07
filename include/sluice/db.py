"""PostgreSQL: one connection per use case, one transaction per step, no row values in errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Final, NoReturn

import psycopg
from psycopg.rows import DictRow, dict_row

from sluice.errors import DatabaseError, DatabaseUnready, NotMigrated, Ref, ServiceMissing
from sluice.settings import Settings

NOT_THERE: Final = frozenset({"3F000", "42P01", "42703", "42704", "42883"})
"""SQLSTATEs of a schema, table, column, role or function that is not there: all are made by migrations."""

PASSING: Final = ("08", "40", "53", "57")
"""Classes of SQLSTATEs of a moment: connection, rollback of one of two, resources, and somebody ends the server."""

OPTIONS: Final = "-c timezone=UTC -c client_connection_check_interval=2000"
"""The second, in ms: a server that waits for a lock looks only then whether its client is still there."""

Connection = psycopg.Connection[DictRow]
"""A psycopg connection whose rows are dicts; autocommit, so work happens in ``transaction()``."""


class _Coded(Connection):
    """Used in a ``with``, it lets no psycopg error out either: a read needs no transaction."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        if isinstance(error, psycopg.Error):
            _leave(error)


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
        return _Coded.connect(url, autocommit=True, row_factory=dict_row, connect_timeout=10, options=OPTIONS)
    except psycopg.OperationalError as error:
        failed = error.sqlstate or "no answer"
    raise ServiceMissing(Ref("service", "postgresql"), Ref("sqlstate", failed))


@contextmanager
def transaction(conn: Connection) -> Iterator[Connection]:
    """One transaction. Raises as :func:`coded`."""
    with coded(), conn.transaction():
        yield conn


@contextmanager
def coded() -> Iterator[None]:
    """A psycopg error leaves as DatabaseError with its SQLSTATE only.

    PostgreSQL's DETAIL quotes row values, so the original is dropped, not chained.
    """
    failed: psycopg.Error | None = None
    try:
        yield
        return
    except psycopg.Error as error:
        failed = error
    _leave(failed)


def _leave(failed: psycopg.Error) -> NoReturn:
    """Raise what may be shown of it, and forget the rest."""
    state = Ref("sqlstate", failed.sqlstate or "connection lost")
    if failed.sqlstate in NOT_THERE:
        coded: DatabaseError = NotMigrated(state)
    elif failed.sqlstate is None or failed.sqlstate.startswith(PASSING):
        coded = DatabaseUnready(state)
    else:
        coded = DatabaseError(state, Ref("constraint", failed.diag.constraint_name or "none"))
    try:
        raise coded
    finally:
        coded.__context__ = None
