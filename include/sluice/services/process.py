"""Processes of ours: start them apart from the terminal, know them again, stop them for sure."""

import ctypes
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

PR_SET_CHILD_SUBREAPER = 36
STATE, START_TICKS = 0, 19
"""Places in /proc/<pid>/stat, counted after the name."""


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process that cannot be mistaken for a later one with the same number.

    started: which boot of the machine, and when in it. The clock of the wall is no part of that: it is set
    forward and back, and then everything would seem to be another process. Empty: it was never seen alive.
    """

    pid: int
    started: str = ""

    @classmethod
    def of(cls, pid: int) -> "ProcessId | None":
        """The process that has this number now; None if there is none, or only a zombie."""
        started = _started(pid)
        return cls(pid, f"{_boot()}:{started}") if started else None

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "ProcessId":
        """As ``asdict`` wrote it, or as an older Sluice did, by the clock of the wall (``started_at``)."""
        if "started" in record:
            return cls(record["pid"], record["started"])
        with suppress(psutil.NoSuchProcess):
            now = cls.of(record["pid"])
            if now and abs(psutil.Process(now.pid).create_time() - record["started_at"]) < 1:
                return now
        return cls(record["pid"])

    def is_alive(self) -> bool:
        """Running, not a zombie, and the same process."""
        return ProcessId.of(self.pid) == self

    def is_of_this_boot(self) -> bool:
        """False when the machine was started since: all that belonged to it is gone."""
        return self.started.partition(":")[0] in ("", _boot())


def spawn(command: Sequence[str], *, log: Path, env: Mapping[str, str]) -> ProcessId:
    """Start ``command`` in a session of its own, output appended to ``log`` (0600).

    Nobody has to keep an object for it: it outlives us, and is known by its ProcessId.
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
    """Ask all at once, wait, then kill what is left."""
    waiting = list(processes)
    send(waiting, signal.SIGTERM)
    if not wait_until(lambda: not _alive(waiting), grace_seconds):
        kill_all(waiting)


def kill_all(processes: Iterable[ProcessId]) -> None:
    """Kill, and wait until they are gone."""
    waiting = list(processes)
    send(waiting, signal.SIGKILL)
    wait_until(lambda: not _alive(waiting), 5)


def send(processes: Iterable[ProcessId], number: signal.Signals) -> None:
    """Send a signal to those that live."""
    for process in processes:
        if process.is_alive():
            with suppress(ProcessLookupError):  # it ended meanwhile
                os.kill(process.pid, number)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent dies (Linux), so none is lost.

    PostgreSQL refuses to start while its dead postmaster is a zombie, and in a container there may
    be nobody else to collect it.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap() -> None:
    """Collect children that ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue
    except ChildProcessError:
        return


def kill_group(leader: ProcessId, words: Sequence[str]) -> None:
    """Kill what is left of the process group that ``leader`` led and whose command has one of ``words``.

    A number can be used again, so a group whose leader is now another process is left alone.
    """
    if not leader.is_of_this_boot() or (ProcessId.of(leader.pid) and not leader.is_alive()):
        return
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or ())
        if _group_of(process.pid) == leader.pid and any(word in line for word in words):
            send(filter(None, [ProcessId.of(process.pid)]), signal.SIGKILL)


def wait_until(is_done: Callable[[], bool], seconds: float, every: float = 0.1) -> bool:
    """Ask again and again; False when ``seconds`` passed without a yes."""
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
    """The number of this start of the machine; empty where the system (macOS) has none."""
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text().strip() if path.exists() else ""


def _started(pid: int) -> str | None:
    """When a process started, as a word to compare; None for a zombie and where there is none."""
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
