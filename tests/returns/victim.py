"""The outbound path in a process that is killed at its n-th step; ``crash.py`` says how steps are counted.

Every line on stdin is ``<step to die at, 0 = never> <moment, ISO>``; a fork makes what is due at that
moment, lets go what waits for a second person, and answers ``status steps place<called from<...``.
"""

import os
import sys
import warnings
from datetime import UTC, datetime
from types import CodeType, FrameType

from crash import WATCHED, Steps
from night import RESULTS
from sluice.exchange.house import House, open_house
from sluice.exchange.read import list_exchanges
from sluice.returns.drain import drain_returns
from sluice.returns.model import NotReleasable
from sluice.returns.release import release
from sluice.settings import get_settings
from sluice.terms import Decision, Principal

ALL = (*WATCHED, "/sluice/returns/", "/sluice/documents/statement", "/sluice/lake/write_table")


class Told(Steps):
    """Steps that say where they end."""

    def __init__(self, kill_at: int, pipe: int) -> None:
        super().__init__(kill_at, ALL)
        self._pipe = pipe

    def die(self, code: CodeType) -> None:
        frame: FrameType | None = sys._getframe(1)
        places = []
        while frame is not None:
            if "/sluice/" in frame.f_code.co_filename:
                places.append(frame.f_code.co_filename.rpartition("/sluice/")[2].removesuffix(".py"))
            frame = frame.f_back
        os.write(self._pipe, f"{self.count} {'<'.join(dict.fromkeys(places))}".encode())
        super().die(code)


def work(house: House, now: datetime) -> None:
    """What the outbound DAG does, then what the second person does."""
    principal = Principal("energy01")
    drain_returns(house, principal, RESULTS, now, {})
    for line in list_exchanges(house.conn, principal=principal, decision=Decision.OPEN):
        try:
            release(house, line.id, "an.peeters", datetime.now(UTC))
        except NotReleasable:
            continue  # released before the process died
    drain_returns(house, principal, RESULTS, now, {})


def run(kill_at: int, now: datetime) -> str:
    """Fork, work, die or not."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        steps = Told(kill_at, writer)
        with open_house(get_settings()) as house:
            sys.setprofile(steps)
            work(house, now)
            sys.setprofile(None)
        os.write(writer, f"{steps.count} end".encode())
        os._exit(0)
    os.close(writer)
    _, status = os.waitpid(pid, 0)
    told = os.read(reader, 2000).decode() or "0 unknown"
    os.close(reader)
    return f"{status} {told}"


def main() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import great_expectations  # noqa: F401  # not a step of ours
    print("ready", flush=True)
    for line in sys.stdin:
        kill_at, moment = line.split()
        print(run(int(kill_at), datetime.fromisoformat(moment)), flush=True)


if __name__ == "__main__":
    main()
