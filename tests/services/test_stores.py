"""The stores that the other tests stand on."""

import secrets
from contextlib import closing

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from sluice.db import connect_to
from sluice.errors import Exit
from sluice.migrations import run as migrations
from sluice.services import buckets, postgres
from sluice.settings import Settings
from support.stores import Database, Databases


def test_a_fresh_database_is_migrated_and_finds_its_schema(database: Database) -> None:
    with closing(connect_to(database.app_url)) as conn:
        row = conn.execute("show search_path").fetchone()
    assert row == {"search_path": "sluice"}
    assert migrations.current(database.app_url).is_current


@pytest.mark.parametrize("taken", ["sluice.exchange", "sluice.alembic_version"])
def test_what_stops_a_migration_has_its_sqlstate(databases: Databases, taken: str) -> None:
    """The first is in the way of a version, the second of Alembic itself."""
    with databases.fresh(template="template0") as empty:
        with closing(connect_to(empty.admin_url)) as conn:
            conn.execute(f"create table {taken} (x int)".encode())
        with pytest.raises(migrations.MigrationFailed, match=r"42P07|42703"):
            migrations.migrate(empty.admin_url, postgres.APP)


def test_a_database_newer_than_the_code_says_both_versions_and_is_left_as_it_is(database: Database) -> None:
    needed = migrations.current(database.app_url).needed
    assert migrations.migrate(database.admin_url, postgres.APP).is_current, "the control"
    with closing(connect_to(database.admin_url)) as conn:
        conn.execute("update sluice.alembic_version set version_num = '9999'")

        with pytest.raises(migrations.MigrationFailed, match=f"found 9999; needed {needed}") as refused:
            migrations.migrate(database.admin_url, postgres.APP)

        assert conn.execute("select version_num from sluice.alembic_version").fetchone() == {"version_num": "9999"}
    assert (refused.value.code, refused.value.exit) == ("SLU-114", Exit.MISSING)
    assert "newer" in refused.value.cure


def test_an_administrator_who_is_no_superuser_migrates(databases: Databases) -> None:
    """Whoever creates a role is a member of it, since PostgreSQL 16 without using or becoming it."""
    name = f"admin_{secrets.token_hex(4)}"
    with databases.fresh(template="template0") as empty, closing(connect_to(empty.admin_url)) as conn:
        conn.execute(f"create role {name} login createrole password 'x'".encode())
        try:
            for role in migrations.ROLES:
                conn.execute(f"grant {role} to {name} with admin true, set false, inherit false".encode())
            conn.execute(f"alter database {empty.name} owner to {name}".encode())
            conn.execute("drop schema sluice")
            admin_url = make_conninfo(empty.admin_url, user=name, password="x")
            assert migrations.migrate(admin_url, postgres.APP).is_current
            migrations.prepare(admin_url, postgres.APP)
        finally:
            conn.execute(f"reassign owned by {name} to current_user".encode())
            conn.execute(f"drop owned by {name}".encode())
            conn.execute(f"drop role {name}".encode())


def test_the_application_role_owns_nothing(database: Database) -> None:
    with closing(connect_to(database.app_url)) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute("create table sluice.mine (x int)")


def test_the_store_keeps_its_promises(store_settings: Settings) -> None:
    buckets.check_store(store_settings)
    assert all(buckets.is_versioned(store_settings, name) for name in buckets.bucket_names(store_settings))
