"""All six processes as a user starts them: `sluice up`, killed one by one, `sluice down`."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from sluice.services import keeper
from sluice.services.process import ProcessId, wait_until

pytestmark = pytest.mark.journey

HOME = Path(__file__).resolve().parents[2]
MAIN = "import sys; from sluice.cli.main import main; main()"


def sluice(var: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, with nothing of the tests' environment."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "SLUICE", "AWS"))}
    env |= {"SLUICE_HOME": str(HOME), "SLUICE_VAR": str(var)}
    command = [sys.executable, "-c", MAIN, *words]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False, cwd=HOME)


def states(var: Path) -> dict[str, Any]:
    found = json.loads(sluice(var, "status", "--format", "json").stdout)
    return {service["name"]: service["state"] for service in found["services"]}


def listening(pid: int) -> set[str]:
    try:
        found = psutil.Process(pid).net_connections("tcp")
    except psutil.NoSuchProcess:
        return set()  # a short-lived child, gone since it was listed
    return {each.laddr.ip for each in found if each.status == psutil.CONN_LISTEN}


def kill(var: Path, name: str) -> None:
    standing = keeper.read_standing(var)
    kept = standing.find(name) if standing else None
    assert kept is not None
    os.kill(kept.process.pid, signal.SIGKILL)
    assert wait_until(lambda: _pid(var, name) not in (kept.process.pid, None), 60)


def _pid(var: Path, name: str) -> int | None:
    standing = keeper.read_standing(var)
    kept = standing.find(name) if standing else None
    return kept.process.pid if kept and kept.process.is_alive() else None


@pytest.mark.timeout(900)
def test_the_whole_stack_comes_up_comes_back_and_goes(var: Path) -> None:
    up = sluice(var, "up", "--format", "json")
    assert up.returncode == 0, up.stderr
    assert wait_until(lambda: set(states(var).values()) == {"up"}, 60, every=1)

    standing = keeper.read_standing(var)
    assert standing is not None
    tree = {child.pid for child in psutil.Process(standing.keeper.pid).children(recursive=True)}
    assert len(tree) > 10
    assert {address for pid in tree for address in listening(pid)} == {"127.0.0.1"}

    for name in [kept.name for kept in standing.services]:
        kill(var, name)
    assert wait_until(lambda: set(states(var).values()) == {"up"}, 180, every=1)

    everyone = [found for pid in tree if (found := ProcessId.of(pid))] + [standing.keeper]
    assert sluice(var, "down").returncode == 0
    assert [process for process in everyone if process.is_alive()] == []
    assert sluice(var, "status").returncode == 4
