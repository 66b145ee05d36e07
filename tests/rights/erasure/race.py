"""A second worker of the house, in a process of its own: it begins when it is told to, beside whatever the test does.

One line of stdin is a JSON object ``{"at": seconds, "what": ..., ...}``; ``at`` is on the clock that all processes
of a machine share (``time.monotonic``). It answers ``ok`` or the code of the error that the work ended with.
"""

import json
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from sluice.errors import SluiceError
from sluice.exchange.drain import drain_all, reconcile
from sluice.exchange.house import House, open_house
from sluice.exchange.persons.merged import merge_index
from sluice.returns.drain import drain_returns
from sluice.returns.model import NotDelivered
from sluice.returns.release import deliver_again, release
from sluice.returns.store import waiting_for_release
from sluice.rights.case.model import CaseId
from sluice.rights.erasure.erase import run
from sluice.settings import get_settings
from sluice.terms import Flow, Principal


def arrive(house: House, bucket: str, key: str, content: str) -> None:
    """Have a file arrive, be judged, kept, closed and receipted."""
    house.objects.put(bucket, key, content.encode(), "text/csv")
    drain_all(house)


def give(house: House, principal: str, flow: str) -> None:
    """The return that is due is made, let go by a second person, and delivered."""
    now, name, of = datetime.now(UTC), Principal(principal), Flow(flow)
    drain_returns(house, name, of, now, {})
    for exchange_id in waiting_for_release(house.conn, name, of):
        release(house, exchange_id, "an", now)
    drain_returns(house, name, of, now, {})


def again(house: House, line: str, times: int) -> None:
    """A return is delivered again and again, while nobody in it has to stay out; effects are finished in between."""
    for _ in range(times):
        with suppress(NotDelivered):
            deliver_again(house, line, "an", datetime.now(UTC))
        reconcile(house)


def erase(house: House, case: str) -> None:
    """Erase another person."""
    run(house, CaseId(case), datetime.now(UTC))


def merge(house: House, principal: str, times: int) -> None:
    """Merge index runs again and again."""
    for _ in range(times):
        merge_index(house, Principal(principal), datetime.now(UTC), fewest=1)


WORK: dict[str, Callable[..., None]] = {"arrive": arrive, "give": give, "again": again, "erase": erase, "merge": merge}


def once(house: House, line: str) -> str:
    """Wait for the start, do the deed, and say how it ended."""
    said: dict[str, Any] = json.loads(line)
    at, work = said.pop("at"), WORK[said.pop("what")]
    time.sleep(max(0.0, at - time.monotonic()))
    try:
        work(house, **said)
    except SluiceError as error:
        return error.code
    return "ok"


def main() -> None:
    """Run ``once`` for every line of stdin."""
    with open_house(get_settings()) as house:
        house.nursery.warm()
        print("ready", flush=True)
        for line in sys.stdin:
            print(once(house, line), flush=True)


if __name__ == "__main__":
    main()
