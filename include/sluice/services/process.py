"""Our processes: start them detached from the terminal, recognise them again, stop them reliably."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psutil

STATE, START_TICKS = 0, 19
"""Indexes of the fields in /proc/<pid>/stat, counted after the name."""


@dataclass(frozen=True, slots=True)
class ProcessId:
    """Identifies a process so that it cannot be mistaken for a later one with the same pid.

    started: the boot of the machine, and the time since then. Wall-clock time is not used: when that clock is set,
    every process would seem to be another one. Empty if the process was never seen alive.
    """

    pid: int
    started: str = ""

    @classmethod
    def of(cls, pid: int) -> "ProcessId | None":
        """The process that has this pid now; None if there is none, or only a zombie."""
        started = _started(pid)
        return cls(pid, f"{_boot()}:{started}") if started else None

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "ProcessId":
        """Read what ``asdict`` wrote."""
        return cls(record["pid"], record["started"])

    def is_alive(self) -> bool:
        """Whether this very process is running, and not a zombie."""
        return ProcessId.of(self.pid) == self

    def is_of_this_boot(self) -> bool:
        """Whether the process is of this boot. If not, everything that belonged to it is gone."""
        return self.started.partition(":")[0] in ("", _boot())


def close_to_others() -> None:
    """Let nobody else write to what this process, and those it starts, make from now on.

    The usual umask of many systems lets the group write, also into the folder of bytecode that Python makes.
    """
    os.umask(os.umask(0o077) | 0o022)


def spawn(command: Sequence[str], *, log: Path, env: Mapping[str, str]) -> ProcessId:
    """Start ``command`` in a session of its own, with output appended to ``log`` (0600).

    The process outlives us and is known by its ProcessId, so no object has to be kept for it.
    """
    log.touch(mode=0o600, exist_ok=True)
    pid = os.posix_spawn(
        command[0],
        list(command),
        env,
        setsid=True,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_APPEND, 0),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
    )
    return ProcessId.of(pid) or ProcessId(pid)


def family(pid: int) -> list[ProcessId]:
    """The process and everything below it, the process first; empty when it is gone."""
    try:
        parent = psutil.Process(pid)
        members = [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
    return [found for member in members if (found := ProcessId.of(member.pid))]


def stop_all(processes: Iterable[ProcessId], grace_seconds: float) -> None:
    """Send SIGTERM to all processes at once, wait, then kill those that are left."""
    waiting = list(processes)
    send(waiting, signal.SIGTERM)
    if not wait_until(lambda: not _alive(waiting), grace_seconds):
        kill_all(waiting)


def kill_all(processes: Iterable[ProcessId]) -> None:
    """Kill these processes, and wait until they are gone."""
    waiting = list(processes)
    send(waiting, signal.SIGKILL)
    wait_until(lambda: not _alive(waiting), 5)


def send(processes: Iterable[ProcessId], number: signal.Signals) -> None:
    """Send a signal to those that are alive."""
    for process in processes:
        if process.is_alive():
            with suppress(ProcessLookupError):  # it ended meanwhile
                os.kill(process.pid, number)


def reap() -> None:
    """Reap children that ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue
    except ChildProcessError:
        return


def kill_group(leader: ProcessId, words: Sequence[str]) -> None:
    """Kill what is left of the process group of ``leader``, if its command line contains one of ``words``.

    Pids are reused, so a group whose leader is now another process is left alone.
    """
    if not leader.is_of_this_boot() or (ProcessId.of(leader.pid) and not leader.is_alive()):
        return
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or ())
        if _group_of(process.pid) == leader.pid and any(word in line for word in words):
            send(filter(None, [ProcessId.of(process.pid)]), signal.SIGKILL)


def wait_until(is_done: Callable[[], bool], seconds: float, every: float = 0.1) -> bool:
    """Poll until ``is_done``; False when it is not after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not is_done():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True


def _alive(processes: Iterable[ProcessId]) -> list[ProcessId]:
    return [process for process in processes if process.is_alive()]


def _group_of(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None


@cache
def _boot() -> str:
    """The id of this boot of the machine; empty if the system (macOS) has none."""
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text().strip() if path.exists() else ""


def _started(pid: int) -> str | None:
    """When a process started, as text to compare; None for a zombie or if there is no process."""
    if sys.platform != "linux":
        return _started_by_clock(pid)
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[STATE] in (b"Z", b"X") else fields[START_TICKS].decode()


def _started_by_clock(pid: int) -> str | None:
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else repr(process.create_time())
    except psutil.NoSuchProcess:
        return None
