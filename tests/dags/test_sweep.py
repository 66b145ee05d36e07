"""The DAG that nobody has to wake: files that were forgotten, and returns whose cut-off has passed."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from desk import ENERGY, Desk, environment, open_desk
from night import RESULTS, Call, Night, open_night
from sluice.errors import Ref, StoreError
from sluice.exchange.house import House
from sluice.returns import drain
from sluice.returns.due import open_due
from sluice.settings import Settings
from sluice.terms import Flow, Principal

OPERATOR = """
import sys
from datetime import timedelta
from sluice.orchestration import operators
operators.FORGOTTEN_AFTER = timedelta(seconds=int(sys.argv[2]))
print(getattr(operators, sys.argv[1])(task_id="task").work({}))
"""


@pytest.fixture
def desk(store_settings: Settings, tmp_path: Path) -> Iterator[Desk]:
    with open_desk(store_settings, tmp_path) as opened:
        yield opened


@pytest.fixture
def night(store_settings: Settings, tmp_path: Path) -> Iterator[Night]:
    with open_night(store_settings, tmp_path) as opened:
        yield opened


def work(settings: Settings, operator: str, forgotten_after: int = 120) -> str:
    """What a task of this operator says, in a process of its own as Airflow runs it."""
    command = [sys.executable, "-W", "ignore", "-c", OPERATOR, operator, str(forgotten_after)]
    done = subprocess.run(command, env=environment(settings), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def test_a_file_that_nobody_was_woken_for_is_taken_up_and_a_fresh_one_is_left_to_its_dag(desk: Desk) -> None:
    path, _ = desk.campaign(20)
    dropped = desk.drop(path)
    desk.open_new()

    assert work(desk.settings, "DrainForgotten") == "nothing was forgotten"
    assert desk.line(dropped).decision == "open"
    assert work(desk.settings, "DrainForgotten", forgotten_after=0) == "energy01/renewal_campaign: {'accepted': 1}"
    assert desk.line(dropped).decision == "accepted"


def test_returns_of_every_flow_are_made_when_their_cut_off_has_passed(night: Night) -> None:
    night.called(Call("c1", *night.people(1)[0]))

    assert work(night.desk.settings, "ReturnsDue") == "returns: {}, set aside: 0"
    assert [line.decision for line in night.returns()] == ["open"], "prepared, and waits for a second person"


def test_a_flow_that_fails_keeps_no_other_waiting(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    night.called(Call("c1", *night.people(1)[0]))
    broken = Flow("broken_results")

    def opened(house: House, principal: Principal, flow: Flow, now: datetime) -> None:
        if flow == broken:
            raise StoreError(Ref("flow", flow))
        open_due(house, principal, flow, now)

    monkeypatch.setattr(drain, "open_due", opened)
    flows = [(Principal(ENERGY[0]), broken), (Principal(ENERGY[0]), RESULTS)]

    with pytest.raises(StoreError, match="1"):
        drain.drain_all_returns(night.desk.house, flows, datetime.now(UTC), {})
    assert len(night.returns()) == 1
