"""Migrate a database to this version: roles, schemas, tables. Safe to repeat, and to run twice at the same time.

Three roles without login own or use everything. ``sluice_ledger`` owns schema ``ledger`` and its append
functions, and ``sluice_owner`` owns schema ``sluice``. ``sluice_app`` is granted to the login role of the
application, which therefore owns nothing and cannot write to the ledger's tables.
"""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import psycopg
from psycopg import sql

from sluice.db import Connection, connect_to
from sluice.errors import Exit, ExtraMissing, Ref, SluiceError

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Engine

LOCK = 0x51_07_1C_E0
"""The key of the advisory lock that a migration holds."""

ROLES = ("sluice_ledger", "sluice_owner", "sluice_app")
SCHEMA, SCHEMA_OWNER = "sluice", "sluice_owner"
CONCURRENT = "XX000"
"""SQLSTATE of ``tuple concurrently updated``, raised by two grants of one role at the same moment."""


class MigrationFailed(SluiceError):
    code: ClassVar[str] = "SLU-114"
    summary: ClassVar[str] = "the database could not be brought to this version"
    cure: ClassVar[str] = (
        "check SLUICE_DATABASE_ADMIN_URL; that role must be able to create roles and schemas. "
        "A database newer than this code needs the newer Sluice that made it"
    )
    exit: ClassVar[Exit] = Exit.MISSING


@dataclass(frozen=True, slots=True)
class Standing:
    """The version that a database has, and the one that this code needs."""

    found: str | None
    needed: str | None

    @property
    def is_current(self) -> bool:
        return self.found == self.needed


def migrate(admin_url: str, app_role: str) -> Standing:
    """Create missing roles and schemas, and run the versions that were not run yet.

    admin_url: libpq DSN of a role that may create roles and schemas. app_role: the login role of the
    application. Raises MigrationFailed with the SQLSTATE, or with both versions if this code does not know
    the one that the database has; ExtraMissing without alembic.
    """
    prepare(admin_url, app_role)
    with _alembic(admin_url) as config:
        is_known = _upgrade(config)
    found = current(admin_url)
    if not is_known:
        raise MigrationFailed(Ref("found", found.found or "nothing"), Ref("needed", found.needed or "nothing"))
    return found


def prepare(admin_url: str, app_role: str) -> None:
    """Create roles, schemas, rights and search path of one database, but no tables.

    A database made from a template needs this again, because search path and database rights are not
    copied. Raises MigrationFailed.
    """
    with closing(connect_to(admin_url)) as conn:
        for attempt in range(10):
            try:
                return _prepare(conn, app_role)
            except psycopg.Error as error:
                state = error.sqlstate
            if state != CONCURRENT:
                break
            time.sleep(0.05 * (attempt + 1))
    raise MigrationFailed(Ref("sqlstate", state or "connection lost"))


def current(url: str) -> Standing:
    """The version of a database and the one that this code needs. Only reads, so the application role may call it."""
    with connect_to(url) as conn:
        table = conn.execute("select to_regclass('sluice.alembic_version') is not null as there").fetchone()
        row = (
            conn.execute("select version_num from sluice.alembic_version").fetchone()
            if table and table["there"]
            else None
        )
    return Standing(row["version_num"] if row else None, _needed())


def _prepare(conn: Connection, app_role: str) -> None:
    with conn.transaction():
        conn.execute("select pg_advisory_xact_lock(%s)", [LOCK])
        for role in ROLES:
            _make_role(conn, role)
        for owner in ("sluice_ledger", "sluice_owner"):
            _grant_once(conn, owner, None)
        _grant_once(conn, "sluice_app", app_role)
        _make_schema(conn)
        _settle_database(conn, app_role)


def _make_role(conn: Connection, role: str) -> None:
    """Create a role unless it exists. Roles belong to the server, so another database's migration may create it too."""
    if conn.execute("select 1 from pg_roles where rolname = %s", [role]).fetchone():
        return
    statement = sql.SQL("create role {} nologin").format(sql.Identifier(role)).as_string(conn)
    body = f"begin {statement}; exception when duplicate_object or unique_violation then null; end"
    conn.execute(sql.SQL("do {}").format(sql.Literal(body)))


def _grant_once(conn: Connection, role: str, member: str | None) -> None:
    """Grant a role unless it is granted: doing it again would update the same row from two databases.

    member: None means the role that we are connected as. Since PostgreSQL 16, the creator of a role is a member of it
    who may grant it, but can neither use its rights nor set it, so that membership alone is not enough.
    """
    has_options = conn.info.server_version >= 160_000
    enough = "bool_or(set_option) and bool_or(inherit_option)" if has_options else "count(*) > 0"
    held = conn.execute(
        sql.SQL(
            "select coalesce({}, false) as held from pg_auth_members"
            " where roleid = %s::regrole and member = coalesce(%s, current_user)::regrole"
        ).format(sql.SQL(enough)),
        [role, member],
    ).fetchone()
    if not (held and held["held"]):
        grantee = sql.Identifier(member) if member else sql.SQL("current_user")
        options = sql.SQL(" with set true, inherit true" if has_options else "")
        conn.execute(sql.SQL("grant {} to {}{}").format(sql.Identifier(role), grantee, options))


def _make_schema(conn: Connection) -> None:
    """Create schema ``sluice``, in which Alembic's table comes first; version 0001 creates ``ledger``."""
    names = {"schema": sql.Identifier(SCHEMA), "owner": sql.Identifier(SCHEMA_OWNER)}
    conn.execute(sql.SQL("create schema if not exists {schema} authorization {owner}").format(**names))
    conn.execute(sql.SQL("grant usage on schema {schema} to sluice_app").format(**names))
    conn.execute("revoke create on schema public from public")


def _settle_database(conn: Connection, app_role: str) -> None:
    database = sql.Identifier(conn.info.dbname)
    conn.execute(sql.SQL("alter database {} set search_path to sluice").format(database))
    conn.execute(sql.SQL("revoke all on database {} from public").format(database))
    conn.execute(sql.SQL("grant connect on database {} to {}").format(database, sql.Identifier(app_role)))


def _upgrade(config: "Config") -> bool:
    """Run the missing versions; False if this code does not know the version of the database."""
    from alembic import command
    from alembic.util import CommandError

    try:
        command.upgrade(config, "head")
    except CommandError:
        return False
    return True


@contextmanager
def _alembic(admin_url: str) -> Iterator["Config"]:
    """Yield Alembic's configuration, on one connection that holds the lock; then let the application read the version.

    Raises MigrationFailed, ExtraMissing.
    """
    engine = _engine(admin_url)
    from sqlalchemy.exc import DBAPIError

    failed: object = None
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"select pg_advisory_lock({LOCK})")
            connection.commit()
            config = _config()
            config.attributes["connection"] = connection
            yield config
            connection.exec_driver_sql("grant select on sluice.alembic_version to sluice_app")
            connection.commit()
            return
    except psycopg.Error as error:  # raised by a version's SQL
        failed = error
    except DBAPIError as error:  # raised by Alembic itself
        failed = error.orig
    finally:
        engine.dispose()
    raise MigrationFailed(Ref("sqlstate", getattr(failed, "sqlstate", None) or "connection lost"))


def _engine(admin_url: str) -> "Engine":
    try:
        from sqlalchemy import create_engine
        from sqlalchemy.pool import NullPool
    except ImportError:
        raise ExtraMissing(Ref("package", "alembic")) from None
    return create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(admin_url, connect_timeout=10), poolclass=NullPool
    )


def _config() -> "Config":
    try:
        from alembic.config import Config
    except ImportError:
        raise ExtraMissing(Ref("package", "alembic")) from None
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


def _needed() -> str | None:
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_config()).get_current_head()
