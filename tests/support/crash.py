"""Inbound work that is killed at its n-th step; a step is a call into, or a return from, our rooms.

Nothing is patched: Python's profile hook counts the functions that talk to S3, PostgreSQL and the
nursery, and SIGKILL falls exactly there. Everything was imported before (``forks.py``); every line on
stdin (the step to die at, 0 = never) forks a process that does the work and answers ``status steps``.
"""

import os
import signal
import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

from sluice.exchange.drain import drain_all
from sluice.exchange.house import House, open_house
from sluice.settings import get_settings

WATCHED = tuple(
    f"/sluice/{place}"
    for place in (
        "exchange/",
        "lake/s3/objects",
        "lake/quarantine",
        "ledger/append",
        "ledger/store",
        "db.py",
        "locks.py",
        "keys.py",
    )
)

WRITES = tuple(f"/sluice/{place}" for place in ("lake/s3/objects", "ledger/append", "db.py"))
"""What every write to S3, to the ledger and to the database goes through."""


class Steps:
    """Counts calls and returns of watched functions; kills the process at ``kill_at``."""

    def __init__(self, kill_at: int, watched: tuple[str, ...] = WATCHED) -> None:
        self.kill_at, self.count, self.watched = kill_at, 0, watched
        self._known: dict[CodeType, bool] = {}

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        if event not in ("call", "return"):
            return
        code = frame.f_code
        is_watched = self._known.get(code)
        if is_watched is None:
            is_watched = self._known[code] = any(place in code.co_filename for place in self.watched)
        if is_watched:
            self.count += 1
            if self.count == self.kill_at:
                self.die(code)

    def die(self, code: CodeType) -> None:
        """Kill this process; called in ``code`` at the step at which it has to die."""
        os.kill(os.getpid(), signal.SIGKILL)


def forked(work: Callable[[int], str]) -> str:
    """Fork, work, die or not: exit status and what the child said. ``work`` gets the pipe to its parent.

    The parent never computes, so that its children may.
    """
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        os.write(writer, work(writer).encode())
        os._exit(0)
    os.close(writer)
    _, status = os.waitpid(pid, 0)
    said = os.read(reader, 2000).decode() or "0"
    os.close(reader)
    return f"{status} {said}"


def answer(line_by_line: Callable[[str], str]) -> None:
    """Run ``once`` for every line of stdin, and print its answer."""
    print("ready", flush=True)
    for line in sys.stdin:
        print(line_by_line(line), flush=True)


def dying_at(kill_at: int, work: Callable[[House], object], watched: tuple[str, ...] = WATCHED) -> str:
    """Work in a house of a child's own, or die at the step: what :func:`forked` answers, with the steps counted."""

    def counted(_: int) -> str:
        steps = Steps(kill_at, watched)
        sys.setprofile(steps)
        with open_house(get_settings()) as house:
            work(house)
        sys.setprofile(None)
        return str(steps.count)

    return forked(counted)


def run(line: str) -> str:
    """Everything the trigger, the slots and reconcile do, once, or die at the step that the line says.

    ``12 writes``: at the twelfth step of what writes.
    """
    step, *watched = line.split()
    return dying_at(int(step), drain_all, WRITES if watched else WATCHED)


if __name__ == "__main__":
    answer(run)
