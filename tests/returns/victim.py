"""The outbound path in a process that is killed at its n-th step; ``crash.py`` says how steps are counted.

Every line on stdin is ``<step to die at, 0 = never> <moment, ISO> [module whose steps alone count]``; a
fork makes what is due at that moment, lets go what waits for a second person, and answers
``status steps place<called from<...``.
"""

import os
import sys
import threading
from datetime import UTC, datetime
from types import CodeType, FrameType

from sluice.exchange.house import House, open_house
from sluice.exchange.read import list_exchanges
from sluice.returns.drain import drain_returns
from sluice.returns.model import NotReleasable
from sluice.returns.release import release
from sluice.settings import get_settings
from sluice.terms import Decision, Principal
from support.crash import WATCHED, Steps, answer, forked
from support.night import RESULTS

ALL = (*WATCHED, "/sluice/returns/", "/sluice/documents/statement", "/sluice/lake/write/table")


class Told(Steps):
    """Steps that say where they end."""

    def __init__(self, kill_at: int, pipe: int, watched: tuple[str, ...]) -> None:
        super().__init__(kill_at, watched)
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
    """Do what the outbound DAG and then the second person do."""
    principal = Principal("energy01")
    drain_returns(house, principal, RESULTS, now, {})
    for line in list_exchanges(house.conn, principal=principal, decision=Decision.OPEN):
        try:
            release(house, line.id, "an.peeters", datetime.now(UTC))
        except NotReleasable:
            continue  # released before the process died
    drain_returns(house, principal, RESULTS, now, {})


def run(line: str) -> str:
    """Make and deliver what is due, or die; how many steps were counted, and where it ended."""
    kill_at, moment, *place = line.split()

    def told(pipe: int) -> str:
        steps = Told(int(kill_at), pipe, tuple(f"/sluice/{each}." for each in place) or ALL)
        with open_house(get_settings()) as house:
            threading.setprofile(steps)  # what is put side by side, too
            sys.setprofile(steps)
            work(house, datetime.fromisoformat(moment))
            sys.setprofile(None)
        return f"{steps.count} end"

    return forked(told)


if __name__ == "__main__":
    answer(run)
