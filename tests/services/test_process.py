"""Processes are known by number and start time, and stopped for sure."""

import os
import signal
import sys
from pathlib import Path

from sluice.services.process import ProcessId, family, kill_group, reap, spawn, stop_all, wait_until

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
)
PARENT = (
    "import os, subprocess, sys; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
    "print(child.pid, flush=True); child.wait()"
)


def python(code: str, log: Path) -> ProcessId:
    process = spawn([sys.executable, "-c", code], log=log, env=os.environ)
    assert wait_until(lambda: log.read_text() != "", 10)
    return process


def test_a_number_used_again_is_another_process() -> None:
    here = ProcessId.of(os.getpid())
    assert here is not None and here.is_alive()
    assert not ProcessId(here.pid, here.started_at - 100).is_alive()


def test_a_zombie_counts_as_dead(tmp_path: Path) -> None:
    process = spawn([sys.executable, "-c", ""], log=tmp_path / "log", env=os.environ)
    assert wait_until(lambda: not process.is_alive(), 10)
    os.kill(process.pid, 0)  # the control: for the kernel it is still there
    reap()


def test_one_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    process = python(STUBBORN, tmp_path / "log")
    stop_all([process], grace_seconds=0.5)
    assert not process.is_alive()
    reap()


def test_what_a_killed_leader_left_is_found_by_its_group(tmp_path: Path) -> None:
    leader = python(PARENT, tmp_path / "log")
    child = family(leader.pid)[1]
    os.kill(leader.pid, signal.SIGKILL)
    wait_until(lambda: not leader.is_alive(), 10)
    kill_group(leader, ["no such word"])
    assert child.is_alive()
    reap()
    kill_group(leader, ["no such word", "python"])
    assert wait_until(lambda: not child.is_alive(), 10)


def test_a_group_whose_number_is_used_again_is_left_alone(tmp_path: Path) -> None:
    other = python(STUBBORN, tmp_path / "log")
    kill_group(ProcessId(other.pid, other.started_at - 100), ["python"])
    assert other.is_alive()
    stop_all([other], grace_seconds=0)
    reap()


def test_the_log_is_private(tmp_path: Path) -> None:
    process = spawn([sys.executable, "-c", ""], log=tmp_path / "log", env=os.environ)
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600
    wait_until(lambda: not process.is_alive(), 10)
    reap()
