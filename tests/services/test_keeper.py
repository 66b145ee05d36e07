"""The keeper starts again what dies, and `down` leaves nothing."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from sluice.exchange.anchor import EvidenceOfAnother, anchor_ledger
from sluice.exchange.house import open_house
from sluice.services import airflow, keeper, plan, stack
from sluice.services.doctor import exposed_sockets, processes_of
from sluice.services.model import State
from sluice.services.places import make_var
from sluice.services.plan import env_path
from sluice.services.process import ProcessId, family, kill_all, kill_group, reap, spawn, wait_until

pytestmark = pytest.mark.stores
GONE = ProcessId(2**22 + 1)
"""A number that no process can have."""
CAP_SYS_PTRACE = 19
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


def open_to_others(var: Path) -> list[str]:
    files = (path for path in var.rglob("*") if not path.is_symlink())
    return [str(path) for path in files if path.stat().st_mode & 0o022]


def test_an_interrupted_up_is_down_and_airflow_does_not_start_on_evidence_that_another_key_signed(
    var: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(line: str) -> None:
        raise KeyboardInterrupt(line)

    with pytest.raises(KeyboardInterrupt, match="stores"):
        stack.bring_up(HOME, var, with_airflow=True, report=stop)

    states = {service.name: service.state for service in stack.standing(HOME, var)}
    assert {"postgresql", "s3", "keeper"} == {name for name, state in states.items() if state is State.UP}
    assert {"scheduler", "api-server"} <= {name for name, state in states.items() if state is State.DOWN}
    assert bring_up(var) == ["postgresql", "s3", "keeper"]
    assert {service.state for service in stack.standing(HOME, var)} == {State.UP}, "control: asked for without Airflow"

    with open_house(stack.fresh_settings(HOME, var)) as house:
        anchor_ledger(house, datetime.now(UTC))
    monkeypatch.setattr(airflow, "migrate", lambda *args: None)
    first = (var / "secrets" / "signing.pem").rename(var / "signing.pem")
    with pytest.raises(EvidenceOfAnother):  # it would sign on with that key
        stack.bring_up(HOME, var, with_airflow=True, report=lambda line: None)
    kept = plan.read_plan(var)
    assert kept is not None and kept.s3 and not kept.airflow
    assert not (var / "secrets" / "signing.pem").exists(), "nor is a key made, which would hide that the first is gone"
    first.replace(var / "secrets" / "signing.pem")
    assert bring_up(var) == ["postgresql", "s3", "keeper"], "the control"

    assert len(left_in(var)) >= 3, "the control: keeper, postgres, weed"
    stack.take_down(var)
    assert left_in(var) == [] and not env_path(var).exists()
    stack.take_down(var)


def may_look_into_others() -> bool:
    """Whether the kernel lets this process look into those of other users: in a container root may not."""
    status = Path("/proc/self/status").read_text()
    return bool(int(status.partition("CapEff:")[2].split()[0], 16) >> CAP_SYS_PTRACE & 1)


def killed_keeper(var: Path) -> keeper.Standing:
    """Kill the keeper; what it had written down."""
    last = keeper.read_standing(var)
    assert last is not None
    os.kill(last.keeper.pid, signal.SIGKILL)
    return last


def test_whoever_is_killed_comes_back_at_the_same_address_and_down_leaves_nothing(var: Path) -> None:
    before = os.umask(0)
    try:
        (var / "control").mkdir(parents=True)
        assert open_to_others(var) == [str(var / "control")], "control: by this umask everybody may"
        (var / "control").rmdir()
        assert bring_up(var) == ["postgresql", "s3", "keeper"]
    finally:
        os.umask(before)
    assert open_to_others(var) == [], "nobody else may write to what services make, whatever the umask"
    first, addresses = keeper.read_standing(var), env_path(var).read_text()
    bring_up(var)
    assert keeper.read_standing(var) == first, "up twice changes nothing"

    for name in ("postgresql", "s3"):
        kill(var, name)
    assert bring_up(var) == ["postgresql", "s3", "keeper"]
    assert env_path(var).read_text() == addresses
    exposed, closed = exposed_sockets(processes_of(var))
    assert exposed == [] and (not closed or not may_look_into_others())

    last = killed_keeper(var)
    assert wait_until(lambda: not keeper.is_running(var), 10)
    assert bring_up(var) == ["postgresql", "s3", "keeper"]
    after = killed_keeper(var)
    assert [kept.process for kept in after.services] == [kept.process for kept in last.services], "adopted"
    stack.take_down(var)
    assert left_in(var) == [], "down works when the keeper was killed, too"


def test_a_keeper_goes_on_after_an_error_that_is_none_of_ours(var: Path) -> None:
    make_var(var)
    keeper.launch(HOME, var)
    told = keeper.read_standing(var)
    (var / "run" / "plan.json").write_text("{")
    log = var / "logs" / "keeper.log"
    assert wait_until(lambda: "JSONDecodeError at decoder.py" in log.read_text(), 10)
    said = log.read_text()
    plan.write_plan(var, plan.Plan(postgres=False, s3=True, airflow=False))
    assert wait_until(lambda: "s3: started" in log.read_text(), 30)
    now = keeper.read_standing(var)
    assert told is not None and now is not None and now.keeper == told.keeper
    assert said.count("JSONDecodeError") == 1, "an error is said once, not twice a second"


DEAD_LEADER = (
    "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)  # airflow']);"
    "print('ready', flush=True); sys.stdin.read(); import time; time.sleep(60)"
)


@pytest.fixture
def orphan(var: Path) -> Iterator[tuple[ProcessId, ProcessId]]:
    """A part of Airflow that was killed while no keeper looked, and the child that it left."""
    make_var(var)
    log = var / "logs" / "part.log"
    leader = spawn([sys.executable, "-c", DEAD_LEADER], log=log, env=os.environ)
    assert wait_until(lambda: log.read_text() != "", 10)
    child = family(leader.pid)[1]
    kill_all([leader])
    reap()
    yield leader, child
    kill_all([child])


def test_what_a_part_left_that_died_while_no_keeper_looked_is_ended(
    var: Path, orphan: tuple[ProcessId, ProcessId]
) -> None:
    leader, child = orphan
    last = keeper.Standing(GONE, (keeper.Kept("scheduler", leader, 0),), 0)
    (var / "run" / "keeper.json").write_text(json.dumps(asdict(last)))
    assert child.is_alive()  # the control
    keeper.launch(HOME, var)
    assert wait_until(lambda: not child.is_alive(), 60)


def test_airflow_is_watched_while_its_queue_is_away(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_var(var)
    airflow.settle_port(var)
    monkeypatch.setenv(airflow.DSN_VARIABLE, "postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    watching = keeper.Keeper(HOME, var, kept={"scheduler": keeper.Kept("scheduler", GONE, 0)})
    watching._tick(plan.Plan(postgres=False, s3=False, airflow=True, workers=2))
    started = watching.kept["scheduler"].process
    try:
        assert started.is_alive() and list(watching.kept) == ["scheduler"]
    finally:
        kill_all([started])
        kill_group(started, airflow.WORDS)
        reap()
        (var / "run" / "keeper.json").unlink(missing_ok=True)  # it names this process, and who cleans up would stop it
