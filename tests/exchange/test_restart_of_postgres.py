"""A restart of PostgreSQL while a file is judged is no fault of the file: the attempt does not count."""

import threading
from collections.abc import Mapping
from contextlib import closing

import psycopg
import pytest

from sluice.exchange import drain as draining
from sluice.exchange.drain import carry_arrival, drain, drain_all
from sluice.exchange.house import House, open_house
from sluice.exchange.model import NO_RUN, Opened
from sluice.settings import Settings
from sluice.terms import Decision, Direction, Flow, Principal
from support.desk import ENERGY, Desk

pytestmark = pytest.mark.stores


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
