"""The keeper starts again what dies, and `down` leaves nothing."""

import os
import signal
from pathlib import Path

import psutil
import pytest

from sluice.services import keeper, stack
from sluice.services.doctor import exposed_sockets
from sluice.services.model import State
from sluice.services.plan import env_path
from sluice.services.process import wait_until

pytestmark = pytest.mark.stores
HOME = Path(__file__).resolve().parents[2]


def bring_up(var: Path) -> list[str]:
    services = stack.bring_up(HOME, var, with_airflow=False, report=lambda line: None)
    return [service.name for service in services if service.state is State.UP]


def kill(var: Path, name: str) -> None:
    """Kill one service and wait until another process has its place."""
    standing = keeper.read_standing(var)
    kept = standing.find(name) if standing else None
    assert kept is not None
    os.kill(kept.process.pid, signal.SIGKILL)

    def is_replaced() -> bool:
        now = keeper.read_standing(var)
        found = now.find(name) if now else None
        return found is not None and found.process != kept.process and found.process.is_alive()

    assert wait_until(is_replaced, 40)


def left_in(var: Path) -> list[str]:
    """Commands of living processes that name this ``var``."""
    found = (process.info for process in psutil.process_iter(["cmdline", "status"]))
    lines = [" ".join(info["cmdline"] or ()) for info in found if info["status"] != psutil.STATUS_ZOMBIE]
    return [line for line in lines if str(var) in line and "guardian" not in line]


def test_stores_that_are_killed_come_back_at_the_same_address(var: Path) -> None:
    assert bring_up(var) == ["postgresql", "s3", "keeper"]
    before = env_path(var).read_text()
    for name in ("postgresql", "s3"):
        kill(var, name)
    assert bring_up(var) == ["postgresql", "s3", "keeper"]
    assert env_path(var).read_text() == before
    assert list(exposed_sockets(var)) == []


def test_up_twice_changes_nothing(var: Path) -> None:
    bring_up(var)
    first = keeper.read_standing(var)
    bring_up(var)
    assert keeper.read_standing(var) == first


def test_down_leaves_no_process_and_can_be_repeated(var: Path) -> None:
    bring_up(var)
    assert len(left_in(var)) >= 3  # the control: keeper, postgres, weed
    stack.take_down(var)
    assert left_in(var) == []
    assert not env_path(var).exists()
    stack.take_down(var)


def test_a_killed_keeper_is_replaced_and_adopts_the_stores(var: Path) -> None:
    bring_up(var)
    before = keeper.read_standing(var)
    assert before is not None
    os.kill(before.keeper.pid, signal.SIGKILL)
    assert wait_until(lambda: not keeper.is_running(var), 10)
    assert bring_up(var) == ["postgresql", "s3", "keeper"]
    after = keeper.read_standing(var)
    assert after is not None
    assert [kept.process for kept in after.services] == [kept.process for kept in before.services]


def test_down_also_works_when_the_keeper_was_killed(var: Path) -> None:
    bring_up(var)
    standing = keeper.read_standing(var)
    assert standing is not None
    os.kill(standing.keeper.pid, signal.SIGKILL)
    stack.take_down(var)
    assert left_in(var) == []
