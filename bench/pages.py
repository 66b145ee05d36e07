"""Pages over a house with a long past: 1,000,000 exchanges and 5,000,000 ledger entries when full.

FLOOR is the bare SQL: the statements that a page sends, run again by themselves on a connection that is open. A
page also connects, asks who may look, and writes its HTML. The past is copied in SQL from a few real exchanges, so
that every one of them has a record and can be shown; the other four entries of each are empty, for nobody reads them.
"""

import logging
import os
import random
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import psycopg
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send
from tests.desk import environment

from bench import BenchRow, progress
from bench.stores import an_installation
from sluice.agreement.activate import activate_all
from sluice.db import connect_to
from sluice.exchange.drain import drain_all
from sluice.exchange.house import open_house
from sluice.sample.files import write_campaign
from sluice.settings import Settings, get_settings

logging.getLogger("httpx2").setLevel(logging.WARNING)

SEED = 20_261_126
ROUNDS = 40
MOST_MS, MOST_RATIO = 300.0, 3.0
PRINCIPALS = 200
ENTRIES = 5
"""Of each exchange in the ledger."""
EXCHANGES = """
    insert into sluice.exchange (exchange_id, principal, direction, flow, bucket, key, version_id, size_bytes, chain,
        opened_at, decision, reason_code, purposes, sha256, rows_in, rows_accepted, rows_refused, rows_held, closed_at,
        receipt_at)
    select gen_random_uuid(), case when n %% 2 = 0 then e.principal else 'past' || n %% %(principals)s end, e.direction,
        e.flow, e.bucket, e.key, 'past-' || n, e.size_bytes, e.chain, e.opened_at - n * interval '1 minute', e.decision,
        e.reason_code, e.purposes, md5('past' || n) || md5('of' || n), e.rows_in, e.rows_accepted, e.rows_refused,
        e.rows_held, e.closed_at - n * interval '1 minute', e.receipt_at - n * interval '1 minute'
    from generate_series(1, %(count)s) n join pattern e on e.place = case when n %% 50 = 0 then 1 else 0 end
"""
ENTRY = """
    insert into ledger.entry (chain, seq, kind, exchange_id, body, prev_hash, hash, appended_at)
    select 'past', row_number() over () + %(before)s, %(kind)s, e.exchange_id,
        case when %(kind)s = 'exchange.closed' then p.body else '{}'::bytea end, p.hash, p.hash, e.opened_at
    from sluice.exchange e join pattern p on p.decision = e.decision where e.version_id like 'past-%%'
"""


class _LoggedIn:
    """Says who is logged in the way Airflow's middleware does."""

    def __init__(self, app: ASGIApp) -> None:
        from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
        from airflow.api_fastapi.core_api.security import USER_INJECTED_BY_TRUSTED_MIDDLEWARE

        self.app = app
        user = SimpleAuthManagerUser(username="vera", role="ADMIN")
        self.state = {"user": user, "user_authenticated_via": USER_INJECTED_BY_TRUSTED_MIDDLEWARE}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope.setdefault("state", {}).update(self.state)
        await self.app(scope, receive, send)


def rows(size: int) -> Iterator[BenchRow]:
    """``size`` exchanges."""
    with an_installation() as settings, TemporaryDirectory(prefix="sluice-bench-") as name:
        _begin(settings, Path(name))
        progress(f"a past of {size:,} exchanges and {ENTRIES * size:,} ledger entries")
        _past(settings, size)
        with _pages(settings) as client:
            for what, address in _addresses(settings).items():
                yield from _measured(client, settings, what, address)


def _begin(settings: Settings, folder: Path) -> None:
    """One file is accepted and one refused, through the gate: the patterns of all others."""
    with open_house(settings) as house:
        activate_all(house.conn, settings.principals_dir, datetime.now(UTC))
        write_campaign(folder / "c.csv", 300, SEED)
        for key, source in (("good.csv", folder / "c.csv"), ("bad.csv", b"no;table\n1;2\n")):
            place = f"energy01/inbound/renewal_campaign/{key}"
            house.objects.put(house.settings.bucket_exchange, place, source, "text/csv")
        drain_all(house)


def _past(settings: Settings, size: int) -> None:
    assert settings.database_admin_url is not None
    with closing(psycopg.connect(settings.database_admin_url.get_secret_value())) as admin:
        admin.execute("set session_replication_role = replica")
        admin.execute(
            """create temporary table pattern as
               select e.*, l.body, l.hash, (e.decision = 'refused')::int as place
               from sluice.exchange e join ledger.entry l using (exchange_id) where l.kind = 'exchange.closed'"""
        )
        admin.execute(EXCHANGES, {"count": size, "principals": PRINCIPALS})
        for number, kind in enumerate(("exchange.closed", *(f"past.step_{'abcd'[n]}" for n in range(ENTRIES - 1)))):
            admin.execute(ENTRY, {"before": number * size, "kind": kind})
        admin.commit()
        admin.autocommit = True
        admin.execute("vacuum (analyze)")


@contextmanager
def _pages(settings: Settings) -> Iterator[TestClient]:
    from airflow.api_fastapi.app import create_auth_manager

    from sluice.web.pages.app import make_pages

    create_auth_manager()
    given = {name: value for name, value in environment(settings).items() if name.startswith("SLUICE_")}
    with patch.dict(os.environ, given):
        get_settings.cache_clear()
        yield TestClient(_LoggedIn(make_pages()))
        get_settings.cache_clear()


def _addresses(settings: Settings) -> dict[str, Callable[[random.Random], str]]:
    """Pages, each as somebody asks for it: another one every time."""
    with connect_to(settings.database_url.get_secret_value()) as conn:
        found = conn.execute(
            "select exchange_id::text as id, opened_at from exchange tablesample system (1) limit 5000"
        ).fetchall()

    def since(pick: random.Random) -> str:
        return str((pick.choice(found)["opened_at"] + timedelta(days=1)).date())

    return {
        "newest exchanges": lambda pick: "/exchanges",
        "exchanges of a principal": lambda pick: f"/exchanges?principal=past{2 * pick.randrange(PRINCIPALS // 2) + 1}",
        "exchanges of a principal, refused": lambda pick: (
            f"/exchanges?principal=past{pick.randrange(99)}&decision=refused"
        ),
        "exchanges that are undecided": lambda pick: "/exchanges?decision=undecided",
        "exchanges of a way nobody used": lambda pick: "/exchanges?direction=portability_access",
        "exchanges since a day": lambda pick: f"/exchanges?since={since(pick)}&decision=refused",
        "one exchange": lambda pick: f"/exchanges/{pick.choice(found)['id']}",
    }


def _measured(
    client: TestClient, settings: Settings, what: str, address: Callable[[random.Random], str]
) -> Iterator[BenchRow]:
    pick = random.Random(SEED)
    ours, bare = [], []
    client.get(address(pick))  # what a running server has loaded long ago
    for _ in range(ROUNDS):
        with _heard() as statements:
            began = time.perf_counter()
            answer = client.get(address(pick))
            ours.append(1000 * (time.perf_counter() - began))
        assert answer.status_code == 200, (what, answer.status_code)
        bare.append(1000 * _again(settings, statements))
    page, sql = _p95(ours), _p95(bare)
    yield BenchRow("pages", f"{what}: p95", page, "ms", f"bare SQL {sql:.3g} ms", goal=MOST_MS, at_least=False)
    middle, bare_middle = statistics.median(ours), statistics.median(bare)
    told = f"median {middle:.3g} against {bare_middle:.3g} ms"
    ratio = middle / bare_middle
    yield BenchRow("pages", f"{what}: beside bare SQL", ratio, "x", told, goal=MOST_RATIO, at_least=False)


@contextmanager
def _heard() -> Iterator[list[tuple[Any, Any]]]:
    """Every statement that is sent meanwhile, with its values."""
    said: list[tuple[Any, Any]] = []
    execute = psycopg.Connection.execute

    def hear(self: Any, query: Any, params: Any = None, **more: Any) -> Any:
        said.append((query, params))
        return execute(self, query, params, **more)

    with patch.object(psycopg.Connection, "execute", hear):
        yield said


def _again(settings: Settings, statements: list[tuple[Any, Any]]) -> float:
    with connect_to(settings.database_url.get_secret_value()) as conn:
        began = time.perf_counter()
        for query, params in statements:
            found = conn.execute(query, params)
            if found.description:
                found.fetchall()
        return time.perf_counter() - began


def _p95(found: list[float]) -> float:
    return statistics.quantiles(found, n=20)[-1]
