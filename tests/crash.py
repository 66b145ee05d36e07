"""Inbound work that is killed at its n-th step; a step is a call into, or a return from, our rooms.

Nothing is patched: Python's profile hook counts the functions that talk to S3, PostgreSQL and the
nursery, and SIGKILL falls exactly there. Great Expectations is imported once; every line on stdin
(the step to die at, 0 = never) forks a process that does the work and answers ``status steps``.
"""

import os
import signal
import sys
from types import CodeType, FrameType
from typing import Any

from sluice.exchange.drain import drain_all
from sluice.exchange.house import open_house
from sluice.settings import get_settings

WATCHED = tuple(
    f"/sluice/{place}"
    for place in ("exchange/", "lake/objects", "lake/quarantine", "ledger/append", "ledger/store", "db.py", "keys.py")
)


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
        """Called in ``code``, at the step to die at."""
        os.kill(os.getpid(), signal.SIGKILL)


def work() -> None:
    """Everything the trigger, the slots and reconcile do, once."""
    with open_house(get_settings()) as house:
        drain_all(house)


def run(kill_at: int) -> str:
    """Fork, work, die or not; the exit status and how many steps were counted."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        steps = Steps(kill_at)
        sys.setprofile(steps)
        work()
        sys.setprofile(None)
        os.write(writer, str(steps.count).encode())
        os._exit(0)
    os.close(writer)
    _, status = os.waitpid(pid, 0)
    counted = os.read(reader, 32).decode() or "0"
    os.close(reader)
    return f"{status} {counted}"


def main() -> None:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import great_expectations  # noqa: F401  # not a step of ours
    print("ready", flush=True)
    for line in sys.stdin:
        print(run(int(line)), flush=True)


if __name__ == "__main__":
    main()
