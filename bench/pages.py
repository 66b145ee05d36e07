"""Pages over a house with a long past: 1,000,000 exchanges, 5,000,000 ledger entries and 100,000 cases when full.

FLOOR is the bare SQL: the statements that a page sends, run again by themselves on a connection that is open. A
page also asks who may look, and writes its HTML. The past is copied in SQL from a few real exchanges, so
that every one of them has a record and can be shown; the other four entries of each are empty, for nobody reads them.
Cases are copied from one. Whoever that one is about is in PERSON_FILES real files.
"""

import logging
import os
import random
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import psycopg
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send
from tests.support.desk import environment

from bench import BenchRow, progress
from bench.stores import an_installation
from sluice.agreement.in_force.activate import activate_all
from sluice.db import connect
from sluice.exchange.drain import drain_all
from sluice.exchange.house import open_house
from sluice.exchange.persons.merged import merge_all
from sluice.rights.case.model import Actor, Right, Role
from sluice.rights.copies.lead import _kept
from sluice.rights.opening import NewRequest, open_case
from sluice.sample.files import write_campaign
from sluice.settings import Settings, get_settings
from sluice.terms import SubjectKind

SEED = 20_261_126
ROUNDS = 40
MOST_MS, MOST_PERSON_MS, MOST_RATIO = 300.0, 1_000.0, 3.0
PERSON_FILES, PERSON_ROUNDS = 20, 10
CASES = 10
"""Of so many exchanges one has a case."""
PRINCIPALS = 200
ENTRIES = 5
"""Of each exchange in the ledger."""
EXCHANGES = """
    insert into sluice.exchange (exchange_id, principal, direction, flow, bucket, key, version_id, size_bytes, chain,
        opened_at, decision, reason_code, purposes, sha256, rows_in, rows_accepted, rows_refused, rows_held, closed_at,
        receipt_at, said_id)
    select gen_random_uuid(), case when n %% 2 = 0 then e.principal else 'past' || n %% %(principals)s end, e.direction,
        e.flow, e.bucket, e.key, 'past-' || n, e.size_bytes, e.chain, e.opened_at - n * interval '1 minute', e.decision,
        e.reason_code, e.purposes, md5('past' || n) || md5('of' || n), e.rows_in, e.rows_accepted, e.rows_refused,
        e.rows_held, e.closed_at - n * interval '1 minute', e.receipt_at - n * interval '1 minute', e.said_id
    from generate_series(1, %(count)s) n join pattern e on e.place = case when n %% 50 = 0 then 1 else 0 end
"""
TALLY = """
    insert into sluice.exchange_tally (closed_day, opened_day, principal, direction, flow, said_id, n, accepted)
    select (closed_at at time zone 'Europe/Brussels')::date, (opened_at at time zone 'Europe/Brussels')::date,
        principal, direction, flow, said_id, count(*),
        count(*) filter (where decision in ('accepted', 'partly_accepted'))
    from sluice.exchange where closed_at is not null group by 1, 2, 3, 4, 5, 6
"""
"""As the trigger would have counted them one by one, which this past does without."""
ENTRY = """
    insert into ledger.entry (chain, seq, kind, exchange_id, body, prev_hash, hash, appended_at)
    select 'past', row_number() over () + %(before)s, %(kind)s, e.exchange_id,
        case when %(kind)s = 'exchange.closed' then p.body else '{}'::bytea end, p.hash, p.hash, e.opened_at
    from sluice.exchange e join pattern p on p.decision = e.decision where e.version_id like 'past-%%'
"""

PAST_CASES = """
    with made as (
        insert into sluice.subject_case (case_id, "right", state, persons, principal, channel, language, country,
            opened_at, received, nominal_due, legal_due, extended_due, subject_bucket, subject_key, subject_sha256,
            searched)
        select gen_random_uuid(), "right", case when n %% 20 = 0 then state else 'CLOSED' end, persons, principal,
            channel, language, 'NL', opened_at - n * interval '1 minute', received - n / 1440, nominal_due - n / 1440,
            legal_due - n / 1440, extended_due - n / 1440, subject_bucket, subject_key, subject_sha256, searched
        from generate_series(1, %(count)s) n, sluice.subject_case
        returning case_id, state
    )
    insert into sluice.sub_case (sub_case_id, case_id, principal, agreement_id, agreement_version, controller, track,
        field_groups, chain, state, may_answer, forward_due_at, has_hit)
    select gen_random_uuid(), m.case_id, s.principal, s.agreement_id, s.agreement_version, s.controller, s.track,
        s.field_groups, s.chain, case when m.state = 'CLOSED' then m.state else s.state end, s.may_answer,
        s.forward_due_at, s.has_hit
    from made m, sluice.sub_case s
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
            yield _connection(settings)
            for what, address in _addresses(settings).items():
                yield from _measured(client, settings, what, address)
            for article in ("", "/30.1"):
                what = f"registers{article}"
                yield from _measured(client, settings, what, _always(f"/registers{article}"))
            yield from _person_rows(client, settings)


def _person_rows(client: TestClient, settings: Settings) -> Iterator[BenchRow]:
    """A person in files of today, each worked off when it came; then a night goes by, which merges the index whole.

    Both with nothing in memory, too.
    """
    what, address, forget = f"lineage of a person in {PERSON_FILES + 1} files", _person(settings), _kept.cache_clear
    rows = partial(_measured, client, settings, rounds=PERSON_ROUNDS, goal=MOST_PERSON_MS)
    yield from rows(f"{what} of today", _always(address))
    yield from rows(f"{what} of today, no run in memory", _always(address), before=forget)
    with open_house(settings) as house:
        merge_all(house, datetime.now(UTC))
    yield from rows(f"{what} of the day before, no run in memory", _always(address), before=forget)


def _begin(settings: Settings, folder: Path) -> None:
    """One file is accepted and one refused, through the gate: the patterns of all others. One person asks.

    That person is in more files, all of them accepted.
    """
    with open_house(settings) as house:
        activate_all(house.conn, settings.principals_dir, datetime.now(UTC))
        write_campaign(folder / "c.csv", 300, SEED)
        head, first, *lines = (folder / "c.csv").read_bytes().splitlines(keepends=True)
        more = {f"{number}.csv": b"".join((head, first, *lines[: number + 1])) for number in range(PERSON_FILES)}
        sources: dict[str, bytes | Path] = {"good.csv": folder / "c.csv", "bad.csv": b"no;table\n1;2\n", **more}
        for key, source in sources.items():
            place = f"energy01/inbound/renewal_campaign/{key}"
            house.objects.put(house.settings.bucket_exchange, place, source, "text/csv")
            drain_all(house)
        cells = dict(zip(*(line.decode().strip().split(";") for line in (head, first)), strict=True))
        now = datetime.now(UTC)
        given, clerk = [(SubjectKind.PHONE, cells["phone"])], Actor(Role.DESK, "anna")
        open_case(house, NewRequest(Right.ACCESS, given, None, now.date(), "letter", "nl", clerk), now)


def _person(settings: Settings) -> str:
    """The page of the one case that is about somebody."""
    with connect(settings) as conn:
        [row] = conn.execute("select case_id::text as id from subject_case where country = 'BE'").fetchall()
    return f"/lineage/person/{row['id']}"


def _past(settings: Settings, size: int) -> None:
    assert settings.database_admin_url is not None
    with closing(psycopg.connect(settings.database_admin_url.get_secret_value())) as admin:
        admin.execute("set session_replication_role = replica")
        admin.execute(
            """create temporary table pattern as
               select e.*, l.body, l.hash, (e.decision = 'refused')::int as place
               from sluice.exchange e join ledger.entry l using (exchange_id) where l.kind = 'exchange.closed'
                 and (e.key like '%/good.csv' or e.key like '%/bad.csv')"""
        )
        admin.execute(EXCHANGES, {"count": size, "principals": PRINCIPALS})
        admin.execute("truncate sluice.exchange_tally")
        admin.execute(TALLY)
        for number, kind in enumerate(("exchange.closed", *(f"past.step_{'abcd'[n]}" for n in range(ENTRIES - 1)))):
            admin.execute(ENTRY, {"before": number * size, "kind": kind})
        admin.execute(PAST_CASES, {"count": size // CASES, "principals": PRINCIPALS})
        admin.commit()
        admin.autocommit = True
        admin.execute("vacuum (analyze)")


@contextmanager
def _pages(settings: Settings) -> Iterator[TestClient]:
    from airflow.api_fastapi.app import create_auth_manager

    from sluice.web.pages.app import make_pages
    from sluice.web.serving import settle

    logging.getLogger("httpx2").setLevel(logging.WARNING)  # one line for each request is no news in a bench
    create_auth_manager()
    given = {name: value for name, value in environment(settings).items() if name.startswith("SLUICE_")}
    with patch.dict(os.environ, given):
        get_settings.cache_clear()
        client = TestClient(_LoggedIn(make_pages()))
        client.get("/start")
        settle()  # as the server is left at its start
        yield client
        get_settings.cache_clear()


def _addresses(settings: Settings) -> dict[str, Callable[[random.Random], str]]:
    """Pages, each as somebody asks for it: another one every time."""
    with connect(settings) as conn:
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
        "start": lambda pick: "/start",
        "cases": lambda pick: "/cases",
        "cases that are closed": lambda pick: "/cases?open=false&state=CLOSED",
        "lineage, the latest": lambda pick: "/lineage",
        "lineage of an exchange": lambda pick: f"/lineage/{pick.choice(found)['id']}",
        "agreements": lambda pick: "/agreements",
    }


def _connection(settings: Settings) -> BenchRow:
    """CPU on our side of asking once on a kept connection, beside a new one."""
    from sluice.web.reading import reading

    def cpu_ms(opened: Callable[[], AbstractContextManager[Any]]) -> float:
        spent = []
        for _ in range(ROUNDS):
            began = time.process_time()
            with opened() as conn:
                conn.execute("select 1")
            spent.append(1000 * (time.process_time() - began))
        return statistics.median(spent)

    new = cpu_ms(lambda: connect(settings))
    kept = cpu_ms(reading)
    return BenchRow("pages", "CPU of a kept connection", kept, "ms", f"a new one {new:.3g} ms", goal=1, at_least=False)


def _nothing() -> None:
    """What a page waits for as a rule."""


def _always(path: str) -> Callable[[random.Random], str]:
    return lambda pick: path


def _measured(
    client: TestClient,
    settings: Settings,
    what: str,
    address: Callable[[random.Random], str],
    rounds: int = ROUNDS,
    goal: float = MOST_MS,
    before: Callable[[], None] = _nothing,
) -> Iterator[BenchRow]:
    pick = random.Random(SEED)
    ours, bare = [], []
    client.get(address(pick))  # what a running server has loaded long ago
    for _ in range(rounds):
        before()
        with _heard() as statements:
            began = time.perf_counter()
            answer = client.get(address(pick))
            ours.append(1000 * (time.perf_counter() - began))
        assert answer.status_code == 200, (what, answer.status_code)
        bare.append(1000 * _again(settings, statements))
    page, sql = _p95(ours), _p95(bare)
    yield BenchRow("pages", f"{what}: p95", page, "ms", f"bare SQL {sql:.3g} ms", goal=goal, at_least=False)
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
    with connect(settings) as conn:
        began = time.perf_counter()
        for query, params in statements:
            found = conn.execute(query, params)
            if found.description:
                found.fetchall()
        return time.perf_counter() - began


def _p95(found: list[float]) -> float:
    return statistics.quantiles(found, n=20)[-1]
