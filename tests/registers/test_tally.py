"""What registers count day by day as exchanges close, against counting every exchange again."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from random import Random

import psycopg
import pytest

from sluice.db import Connection, connect_to
from sluice.registers.store import find_sightings
from sluice.times import brussels_day
from support.stores import Database

SEED = 20_261_127
BEGIN = datetime(2026, 3, 26, 20, tzinfo=UTC)
HOURS = 24 * 6
"""Over the night in which summer time begins in Brussels."""
DECISIONS = ("open", "accepted", "partly_accepted", "refused", "undecided")
SAID = {
    "why": {"agreement_id": None, "agreement_version": None, "purposes": []},
    "who": {"roles": [], "sender": "", "recipients": [], "sub_processors": [], "countries": []},
    "columns": [],
    "contract": None,
    "special": False,
}
Counted = Counter[tuple[str, str, str | None, bool]]


@pytest.fixture
def conn(database: Database) -> Iterator[Connection]:
    with connect_to(database.app_url) as connection:
        yield connection


@pytest.fixture
def owner(database: Database) -> Iterator[psycopg.Connection]:
    with closing(psycopg.connect(database.admin_url, autocommit=True)) as admin:
        for dag in ("arrivals", "returns"):
            admin.execute("insert into sluice.said (said) values (%s)", (json.dumps({**SAID, "dag": dag}),))
        yield admin


def past(owner: psycopg.Connection, pick: Random, count: int) -> None:
    """Exchanges of two principals and two flows, some of them still open."""
    for number in range(count):
        opened = BEGIN + timedelta(hours=pick.uniform(0, HOURS))
        values = (
            pick.choice(["energy01", "telecom01"]), pick.choice(["a", "b"]), f"{number}", opened,
            *state(pick, opened),
        )  # fmt: skip
        owner.execute(
            """insert into sluice.exchange (principal, direction, flow, bucket, key, version_id, size_bytes, chain,
                   opened_at, decision, closed_at, said_id)
               values (%s, 'inbound', %s, 'x', %s, '1', 1, 'c', %s, %s, %s, %s)""",
            values,
        )


def state(pick: Random, opened: datetime) -> tuple[str, datetime | None, int | None]:
    decision = pick.choice(DECISIONS)
    if decision == "open":
        return decision, None, None
    return decision, opened + timedelta(hours=pick.expovariate(1 / 12)), pick.choice([1, 2])


def changed(owner: psycopg.Connection, pick: Random, count: int) -> None:
    """Some are closed, or their row is put right by hand, or removed."""
    rows = owner.execute("select exchange_id, opened_at from sluice.exchange").fetchall()
    for exchange_id, opened in pick.sample(rows, count):
        if pick.random() < 0.2:
            owner.execute("delete from sluice.exchange where exchange_id = %s", (exchange_id,))
            continue
        moved = opened + timedelta(hours=pick.choice([0, 0, 30]))
        owner.execute(
            """update sluice.exchange set opened_at = %s, decision = %s, closed_at = %s, said_id = %s
               where exchange_id = %s""",
            (moved, *state(pick, moved), exchange_id),
        )


def sighted(conn: Connection, at: date, known_at: datetime, turns: list[date]) -> tuple[Counted, Counted]:
    """All and accepted exchanges per principal, flow and DAG, and whether before the turn."""
    every, accepted = Counted(), Counted()
    for seen in find_sightings(conn, at, known_at, turns):
        assert not any(seen.first < turn <= seen.last for turn in turns)
        place = (seen.principal, seen.flow, seen.dag, bool(turns) and seen.last < turns[0])
        every[place] += seen.count
        accepted[place] += seen.accepted
    return +every, +accepted


def looked_at(owner: psycopg.Connection, at: date, known_at: datetime, turns: list[date]) -> tuple[Counted, Counted]:
    every, accepted = Counted(), Counted()
    rows = owner.execute(
        """select principal, flow, said ->> 'dag', opened_at, closed_at, decision
           from sluice.exchange join sluice.said using (said_id)"""
    ).fetchall()
    for principal, flow, dag, opened_at, closed_at, decision in rows:
        day = brussels_day(opened_at)
        if closed_at <= known_at and day <= at:
            place = (principal, flow, dag, bool(turns) and day < turns[0])
            every[place] += 1
            accepted[place] += decision in ("accepted", "partly_accepted")
    return +every, +accepted


def asked(pick: Random) -> tuple[date, datetime, list[date]]:
    known = BEGIN + timedelta(hours=pick.uniform(-12, HOURS + 72))
    at = (known + timedelta(days=pick.choice([-2, 0, 0, 2]))).date()
    return at, known, pick.choice([[], [(BEGIN + timedelta(days=pick.randrange(7))).date()]])


def test_a_register_counts_what_every_exchange_says(conn: Connection, owner: psycopg.Connection) -> None:
    pick = Random(SEED)
    past(owner, pick, 400)
    counted = 0
    for _ in range(4):
        for question in (asked(pick) for _ in range(60)):
            found = sighted(conn, *question)
            assert found == looked_at(owner, *question), question
            counted += found[0].total()
        changed(owner, pick, 120)
    assert counted > 10_000, "something is counted"

    owner.execute("update sluice.exchange_tally set n = n + 1 where n > 0")
    question = (date(2027, 1, 1), BEGIN + timedelta(days=60), [])
    assert sighted(conn, *question) != looked_at(owner, *question), "control"


def test_the_application_counts_by_closing_only(conn: Connection, owner: psycopg.Connection) -> None:
    past(owner, Random(SEED), 20)
    for statement in (
        "update sluice.exchange_tally set n = 0",
        "delete from sluice.exchange_tally",
        "insert into sluice.exchange_tally select * from sluice.exchange_tally",
        "select sluice.tally_exchange(e, 1) from sluice.exchange e",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute(statement.encode())
        conn.rollback()
    assert conn.execute("select sum(n)::int as n from exchange_tally").fetchall()[0]["n"] > 0
