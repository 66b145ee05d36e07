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

UNREADY: Final = ("08", "25006", "40", "42501", "53", "57", "58")
"""Prefixes of the SQLSTATEs that are no statement's fault: a lost connection (08), a read-only server (25006), a
rollback because of another transaction (40), missing rights (42501), exhausted resources (53), a server that is being
stopped (57), its disk (58)."""

ENDS_WITH_US: Final = """select set_config(name, value, false) from (values
    ('client_connection_check_interval', '2000'), ('tcp_keepalives_idle', '30'),
    ('tcp_keepalives_interval', '10'), ('tcp_keepalives_count', '3'), ('tcp_user_timeout', '60000')
    ) as own (name, value)"""
"""Session settings that end a query soon after its client has gone.

While it waits for a lock, PostgreSQL checks that its client is still connected only if told to. Otherwise the query of
a dead client goes on waiting and keeps its locks. A machine that is gone is noticed within a minute even when an answer
is on its way, which the kernel would otherwise resend for a quarter of an hour."""

Connection = psycopg.Connection[DictRow]
"""A psycopg connection whose rows are dicts; autocommit, so work happens in ``transaction()``."""


class _Coded(Connection):
    """A connection that turns psycopg errors into coded ones when it leaves its own ``with`` block.

    Reads need no transaction, so :func:`transaction` alone would not cover them.
    """

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
    """Open a connection to ``url`` (a libpq DSN): UTC, autocommit, rows as dicts.

    Raises ServiceMissing when the server does not answer.
    """
    failed: str | None = None
    try:
        conn = _Coded.connect(url, autocommit=True, row_factory=dict_row, connect_timeout=10, options="-c timezone=UTC")
        try:
            conn.execute(ENDS_WITH_US)
        except psycopg.Error:
            conn.close()
            raise
        return conn
    except psycopg.Error as error:
        failed = error.sqlstate or "no answer"
    raise ServiceMissing(Ref("service", "postgresql"), Ref("sqlstate", failed))


@contextmanager
def transaction(conn: Connection) -> Iterator[Connection]:
    """Run the block in one transaction. Raises the errors of :func:`coded`."""
    with coded(), conn.transaction():
        yield conn


@contextmanager
def coded() -> Iterator[None]:
    """Turn a psycopg error in the block into a DatabaseError that carries its SQLSTATE and constraint name only.

    PostgreSQL's DETAIL quotes row values, so the original error is dropped, not chained.
    """
    failed: psycopg.Error | None = None
    try:
        yield
        return
    except psycopg.Error as error:
        failed = error
    _leave(failed)


def _leave(failed: psycopg.Error) -> NoReturn:
    """Raise the coded error for a psycopg error, without its message.

    Raises NotMigrated, DatabaseUnready or DatabaseError.
    """
    state = Ref("sqlstate", failed.sqlstate or type(failed).__name__)
    if failed.sqlstate in NOT_THERE:
        coded: DatabaseError = NotMigrated(state)
    elif is_unready(failed):
        coded = DatabaseUnready(state)
    else:
        coded = DatabaseError(state, Ref("constraint", failed.diag.constraint_name or "none"))
    try:
        raise coded
    finally:
        coded.__context__ = None


def is_unready(failed: psycopg.Error) -> bool:
    """Whether the database was unable to work at all, whatever the statement was."""
    if failed.sqlstate is None:  # raised by psycopg itself: about its connection, or data that it cannot send
        return isinstance(failed, psycopg.OperationalError | psycopg.InterfaceError)
    return failed.sqlstate.startswith(UNREADY)
