"""Processes of ours: start them apart from the terminal, know them again, stop them for sure."""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process that cannot be mistaken for a later one with the same number."""

    pid: int
    started_at: float

    @classmethod
    def of(cls, pid: int) -> "ProcessId | None":
        """The process that has this number now; None if there is none, or only a zombie."""
        try:
            process = psutil.Process(pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                return None
            return cls(pid, process.create_time())
        except psutil.NoSuchProcess:
            return None

    def is_alive(self) -> bool:
        """Running, not a zombie, and the same process."""
        now = ProcessId.of(self.pid)
        return now is not None and abs(now.started_at - self.started_at) < 1


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
    return ProcessId.of(pid) or ProcessId(pid, 0.0)


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
    _send(waiting, signal.SIGTERM)
    if not wait_until(lambda: not _alive(waiting), grace_seconds):
        kill_all(waiting)


def kill_all(processes: Iterable[ProcessId]) -> None:
    """Kill, and wait until they are gone."""
    waiting = list(processes)
    _send(waiting, signal.SIGKILL)
    wait_until(lambda: not _alive(waiting), 5)


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
    if ProcessId.of(leader.pid) and not leader.is_alive():
        return
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or ())
        if _group_of(process.pid) == leader.pid and any(word in line for word in words):
            _send(filter(None, [ProcessId.of(process.pid)]), signal.SIGKILL)


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


def _send(processes: Iterable[ProcessId], number: signal.Signals) -> None:
    for process in processes:
        if process.is_alive():
            os.kill(process.pid, number)


def _group_of(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None
