"""Processes are known by number and start time, and stopped for sure."""

import os
import re
import signal
import sys
from pathlib import Path

import psutil
import pytest

from sluice.services.process import ProcessId, family, kill_group, reap, spawn, stop_all, wait_until
from sluice.services.record import read_record, spawn_recorded

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
)
PARENT = (
    "import os, subprocess, sys; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
    "print(child.pid, flush=True); child.wait()"
)


PROC_STAT = Path("/proc/stat")


def earlier(process: ProcessId) -> ProcessId:
    """A record of a process with the same id that was started earlier."""
    boot, _, ticks = process.started.partition(":")
    return ProcessId(process.pid, f"{boot}:{int(ticks) - 100}")


def python(code: str, log: Path) -> ProcessId:
    process = spawn([sys.executable, "-c", code], log=log, env=os.environ)
    assert wait_until(lambda: log.read_text() != "", 10)
    return process


def test_a_number_used_again_is_another_process() -> None:
    here = ProcessId.of(os.getpid())
    assert here is not None and here.is_alive()
    assert not earlier(here).is_alive()


def test_a_clock_that_is_set_makes_no_other_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, by_clock = ProcessId.of(os.getpid()), psutil.Process().create_time()
    (tmp_path / str(os.getpid())).symlink_to(f"/proc/{os.getpid()}")
    (tmp_path / "stat").write_text(
        re.sub(r"(?<=btime )\d+", lambda was: str(int(was[0]) + 3600), PROC_STAT.read_text())
    )
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))
    assert psutil.Process().create_time() == pytest.approx(by_clock + 3600), "the control: the clock was set"
    assert here is not None and here.is_alive()


def test_a_process_of_another_start_of_the_machine_is_not_this_one(tmp_path: Path) -> None:
    here = ProcessId.of(os.getpid())
    assert here is not None and here.is_of_this_boot()
    before = ProcessId(here.pid, here.started.replace(here.started[:8], "00000000"))
    assert not before.is_alive() and not before.is_of_this_boot()


def test_what_cannot_be_written_down_is_not_left_running(tmp_path: Path) -> None:
    sleep = [sys.executable, "-c", "import time; time.sleep(60)", str(tmp_path)]
    kept = spawn_recorded(tmp_path / "pid", sleep, log=tmp_path / "log", env=os.environ)
    assert read_record(tmp_path / "pid") == kept and kept.is_alive()  # the control
    with pytest.raises(FileNotFoundError):
        spawn_recorded(tmp_path / "none" / "pid", sleep, log=tmp_path / "log", env=os.environ)
    stop_all([kept], grace_seconds=0)
    reap()
    lines = [" ".join(each.info["cmdline"] or ()) for each in psutil.process_iter(["cmdline"])]
    assert [line for line in lines if str(tmp_path) in line] == []


def test_a_zombie_counts_as_dead(tmp_path: Path) -> None:
    process = spawn([sys.executable, "-c", ""], log=tmp_path / "log", env=os.environ)
    assert wait_until(lambda: not process.is_alive(), 10)
    os.kill(process.pid, 0)  # the control: for the kernel it is still there
    reap()


@pytest.mark.slow
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
    kill_group(earlier(other), ["python"])
    assert other.is_alive()
    stop_all([other], grace_seconds=0)
    reap()


def test_the_log_is_private(tmp_path: Path) -> None:
    process = spawn([sys.executable, "-c", ""], log=tmp_path / "log", env=os.environ)
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600
    wait_until(lambda: not process.is_alive(), 10)
    reap()
