"""The stores that the other tests stand on."""

from contextlib import closing

import psycopg
import pytest

from sluice.db import connect_to
from sluice.migrations import run as migrations
from sluice.services import buckets
from sluice.settings import Settings
from stores import Database


def test_a_fresh_database_is_migrated_and_finds_its_schema(database: Database) -> None:
    with closing(connect_to(database.app_url)) as conn:
        row = conn.execute("show search_path").fetchone()
    assert row == {"search_path": "sluice"}
    assert migrations.current(database.app_url).is_current


def test_the_application_role_owns_nothing(database: Database) -> None:
    with closing(connect_to(database.app_url)) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute("create table sluice.mine (x int)")


def test_the_store_keeps_its_promises(store_settings: Settings) -> None:
    buckets.check_store(store_settings)
    assert all(buckets.is_versioned(store_settings, name) for name in buckets.bucket_names(store_settings))
