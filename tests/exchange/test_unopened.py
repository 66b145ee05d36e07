"""An arrival that cannot be opened keeps no other waiting and is told by number: no exchange says that it waits."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from botocore.exceptions import EndpointConnectionError

from sluice.db import connect
from sluice.errors import ServiceMissing
from sluice.exchange import open as opening
from sluice.exchange.drain import drain_all
from sluice.exchange.open import Arrivals, Looked, open_exchange
from sluice.exchange.own_writes import note_own_write
from sluice.exchange.sweeping import LeftUndone
from sluice.lake.s3 import objects
from sluice.settings import Settings
from support.desk import Desk
from support.unopened import refusing

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
