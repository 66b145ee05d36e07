"""An arrival that cannot be opened keeps no other waiting; a restart of PostgreSQL is no attempt of a file."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager

import psycopg
import pytest
from botocore.exceptions import EndpointConnectionError

from sluice.db import connect
from sluice.errors import ServiceMissing
from sluice.exchange import drain as draining
from sluice.exchange import open as opening
from sluice.exchange.drain import carry_arrival, drain, drain_all
from sluice.exchange.house import House, open_house
from sluice.exchange.model import NO_RUN, Opened
from sluice.exchange.open import Arrivals, Looked, open_exchange
from sluice.exchange.own_writes import note_own_write
from sluice.exchange.sweeping import LeftUndone
from sluice.lake.s3 import objects
from sluice.settings import Settings
from sluice.terms import Decision, Direction, Flow, Principal
from support.desk import ENERGY, Desk
from support.meanwhile import refusing

pytestmark = pytest.mark.stores


def test_one_that_cannot_be_opened_keeps_no_other_waiting_and_the_run_says_that_it_was_left(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    good = [desk.drop(desk.campaign(rows=20, seed=seed)[0], name) for seed, name in ((1, "a.csv"), (2, "c.csv"))]
    bad = desk.drop(desk.campaign(rows=20, seed=3)[0], "b.csv")
    with refusing(desk.settings, bad.key):
        with pytest.raises(LeftUndone, match=r"SLU-209 .* arrivals or flows with files left undone 1"):
            drain_all(desk.house)
        assert {line.id for line in desk.lines()} == {desk.line(each).id for each in good}
        assert {line.decision for line in desk.lines()} == {"accepted"}
        assert Arrivals.of(desk.settings).open_new(desk.house.conn, desk.house.objects) == Looked(0, 1), "met again"
    assert "an arrival of energy01 waits: SLU-201" in caplog.text and "b.csv" not in caplog.text

    drain_all(desk.house)

    assert desk.line(bad).decision == "accepted", "the control: nothing was wrong with the file"


def test_an_object_store_that_goes_away_while_arrivals_are_opened_is_told_as_such(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The listing is there; whose the version is has to be asked of the store, and then it is away."""
    monkeypatch.setattr(objects, "TRY_FOR_SECONDS", 0.1)
    dropped = desk.drop(b"x")
    note_own_write(desk.house.conn, dropped.bucket, dropped.key, "0" * 64)
    with away_for_heads(desk), pytest.raises(ServiceMissing, match="service s3"):
        drain_all(desk.house)
    assert desk.lines() == []

    assert desk.open_new() == 1, "the control"


@contextmanager
def away_for_heads(desk: Desk) -> Iterator[None]:
    """While the block runs, nobody answers when the store is asked for one object."""
    events = desk.house.objects._client.meta.events

    def fail(**_: object) -> None:
        raise EndpointConnectionError(endpoint_url="http://away")

    events.register("before-call.s3.HeadObject", fail)
    yield
    events.unregister("before-call.s3.HeadObject", fail)


def test_a_database_that_goes_away_while_arrivals_are_opened_is_told_as_such(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.csv", "b.csv"):
        desk.drop(b"x", name)
    met = list[str]()

    def losing(conn: psycopg.Connection, arrival: object, now: object) -> bool:
        met.append("one")
        lose(desk.settings, conn)
        return open_exchange(conn, arrival, now)  # type: ignore[arg-type]

    monkeypatch.setattr(opening, "open_exchange", losing)
    with connect(desk.settings) as conn, pytest.raises(ServiceMissing, match="service postgresql"):
        Arrivals.of(desk.settings).open_new(conn, desk.house.objects)
    assert len(met) == 1, "the second would fail too"
    monkeypatch.undo()

    assert desk.open_new() == 2, "the control"


def lose(settings: Settings, conn: psycopg.Connection) -> None:
    """Have the server end a connection."""
    assert settings.database_admin_url is not None
    with psycopg.connect(settings.database_admin_url.get_secret_value(), autocommit=True) as admin:
        admin.execute("select pg_terminate_backend(%s, 5000)", (conn.info.backend_pid,))


class Restart:
    """Ends the connection of a worker that has claimed a file; for ``away_s`` no new one is taken."""

    def __init__(self, settings: Settings, away_s: float) -> None:
        assert settings.database_admin_url is not None
        self._server = settings.database_admin_url.get_secret_value().rsplit("/", 1)[0] + "/postgres"
        self._away_s = away_s
        self.back: list[threading.Timer] = []

    def __call__(self, house: House, opened: Opened, run: Mapping[str, str]) -> Decision | None:
        name = house.conn.info.dbname
        self._do(f"alter database {name} allow_connections false")
        self._do(f"select pg_terminate_backend({house.conn.info.backend_pid}, 5000)")
        self.back.append(threading.Timer(self._away_s, self._do, (f"alter database {name} allow_connections true",)))
        self.back[-1].start()
        return carry_arrival(house, opened, run)

    def _do(self, statement: str) -> None:
        with closing(psycopg.connect(self._server, autocommit=True)) as conn:
            conn.execute(statement.encode())


@pytest.mark.parametrize(
    ("waits_s", "attempts", "error"),
    [(60.0, 0, "SLU-205"), (0.1, 1, None)],
    ids=["soon back", "the control: away for longer than a worker waits"],
)
def test_a_restart_while_a_file_is_judged_is_no_attempt_of_the_file(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, waits_s: float, attempts: int, error: str | None
) -> None:
    monkeypatch.setattr(draining, "ANSWERS_AGAIN_S", waits_s)
    dropped, restart = desk.drop(desk.campaign(rows=20)[0]), Restart(desk.settings, 0.7)
    desk.open_new()

    with open_house(desk.settings) as house, pytest.raises(psycopg.OperationalError):
        drain(house, Direction.INBOUND, Principal(ENERGY[0]), Flow(ENERGY[1]), NO_RUN, restart)
    restart.back[0].join()

    [line] = desk.sql("select decision, attempts, last_error, is_held_up from exchange")
    assert line == {"decision": "open", "attempts": attempts, "last_error": error, "is_held_up": error is not None}
    desk.sql("update exchange set next_attempt_at = now() returning 1")
    drain_all(desk.house)
    assert desk.line(dropped).decision == "accepted"
