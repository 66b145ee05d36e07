"""An exchange that closes while the migration counts is counted: by it, or by the trigger that it makes."""

import threading
import time
from contextlib import closing
from importlib.resources import files

import psycopg
import pytest

from support.stores import Database

pytestmark = pytest.mark.stores
BEGIN = files("sluice.migrations.versions").joinpath("0035_exchange_tally.sql")
UNDO = """
drop trigger exchange_counted on sluice.exchange;
drop function sluice.count_exchange(), sluice.tally_exchange(sluice.exchange, integer);
drop table sluice.exchange_tally;
drop index sluice.exchange_closed
"""
OPENED = """
insert into sluice.exchange (principal, direction, flow, bucket, key, version_id, size_bytes, chain, opened_at, said_id)
values ('energy01', 'inbound', 'a', 'x', %s, '1', 1, 'c', now(), 1)
"""
CLOSED = "update sluice.exchange set decision = 'accepted', closed_at = now() where key = %s"
WAITS = "select count(*) from pg_locks where not granted and relation = 'sluice.exchange'::regclass"


def test_what_closes_meanwhile_is_counted(database: Database) -> None:
    with (
        closing(psycopg.connect(database.admin_url, autocommit=True)) as owner,
        closing(psycopg.connect(database.admin_url)) as worker,
    ):
        owner.execute("insert into sluice.said (said) values ('{}')")
        for key in ("before", "meanwhile", "after"):
            owner.execute(OPENED, (key,))
        owner.execute(CLOSED, ("before",))
        owner.execute(UNDO)
        worker.execute(CLOSED, ("meanwhile",))

        beginning = threading.Thread(target=begin, args=(database.admin_url,))
        beginning.start()
        until = time.monotonic() + 60
        while one(owner, WAITS) == 0 and time.monotonic() < until:
            time.sleep(0.01)
        worker.commit()
        beginning.join()

        owner.execute(CLOSED, ("after",))
        assert one(owner, "select sum(n)::int from sluice.exchange_tally") == 3


def begin(admin_url: str) -> None:
    with closing(psycopg.connect(admin_url)) as migrating:
        migrating.execute(BEGIN.read_bytes())
        migrating.commit()


def one(conn: psycopg.Connection, question: str) -> object:
    row = conn.execute(question.encode()).fetchone()
    assert row is not None
    return row[0]
