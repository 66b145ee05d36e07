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
"""How the SQLSTATEs begin for which no statement is to blame: connection, a server that only reads, rollback of one of
two, rights, resources, somebody who ends the server, its disk."""

ENDS_WITH_US: Final = """select set_config(name, value, false) from (values
    ('client_connection_check_interval', '2000'), ('tcp_keepalives_idle', '30'),
    ('tcp_keepalives_interval', '10'), ('tcp_keepalives_count', '3'), ('tcp_user_timeout', '60000')
    ) as own (name, value)"""
"""A server that waits for a lock looks whether its client is still there only when it is told to; else the query of a
dead one waits on, and keeps its locks. A machine that is gone is noticed after a minute, also with an answer on its
way: the kernel would send that again for a quarter of an hour."""

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
    """Whether the database could not do what it was asked to, whatever that was."""
    if failed.sqlstate is None:  # the client's own word: of its connection, or of what it cannot send
        return isinstance(failed, psycopg.OperationalError | psycopg.InterfaceError)
    return failed.sqlstate.startswith(UNREADY)
