"""The level trigger: looks at what is there, opens exchanges, and only wakes the DAG.

It keeps no cursor: events get coalesced, stranded and lost, a state of the world does not. One
shared poll lists the whole exchange bucket, however many flows listen to it.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeVar

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from sluice.errors import SluiceError, place_of
from sluice.settings import get_settings
from sluice.terms import Direction

log = logging.getLogger(__name__)

STRAYS = ("*", "*")
"""Principal and flow of the trigger for whatever no flow DAG takes."""
WAKE_AGAIN_SECONDS, PAUSE_AFTER_FAULT_SECONDS = 15.0, 1.0
T = TypeVar("T")
Sight = dict[tuple[str, str], int]
"""Open exchanges that are due, per (principal, flow); STRAYS for all without a DAG."""


class ObjectsWaiting(BaseEventTrigger):
    """Fires when exchanges of one flow wait: at once when there are more, again while any are left."""

    def __init__(self, principal: str, flow: str) -> None:
        super().__init__()
        self.principal, self.flow = principal, flow

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return f"{__name__}.ObjectsWaiting", {"principal": self.principal, "flow": self.flow}

    def shared_stream_key(self) -> Hashable:
        return (__name__, "exchange bucket")

    @classmethod
    async def open_shared_stream(cls, kwargs: dict[str, Any]) -> AsyncIterator[Sight]:
        """One poll for all flows; a fault is logged by its code and the next poll tries again."""
        watch = Watch()
        while True:
            if (sight := await asyncio.to_thread(_quietly, watch.look)) is not None:
                yield sight
            if await asyncio.to_thread(_quietly, watch.wait) is None:
                await asyncio.sleep(PAUSE_AFTER_FAULT_SECONDS)

    async def filter_shared_stream(self, shared_stream: AsyncIterator[Sight]) -> AsyncIterator[TriggerEvent]:
        wake = Wake()
        async for sight in shared_stream:
            count = sight.get((self.principal, self.flow), 0)
            if wake.is_due(count, time.monotonic()):
                yield TriggerEvent({"waiting": count})

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Outside a shared stream (older triggerers): the same poll, alone."""
        async for event in self.filter_shared_stream(self.open_shared_stream({})):
            yield event


def _quietly(step: Callable[[], T]) -> T | None:
    """What ``step`` returns; None after a fault, which is logged by its code or type only."""
    try:
        return step()
    except SluiceError as error:
        log.warning("%s", error)
    except Exception as error:
        log.warning("SLU-000 %s", place_of(error))
    return None


@dataclass
class Wake:
    """When to fire: as soon as more wait than before, and every 15 s while any wait."""

    last_count: int = 0
    last_fired: float = float("-inf")

    def is_due(self, count: int, now: float) -> bool:
        """``now``: seconds of a monotonic clock."""
        fresh, self.last_count = count > self.last_count, count
        if count and (fresh or now - self.last_fired >= WAKE_AGAIN_SECONDS):
            self.last_fired = now
            return True
        return False


class Watch:
    """The poll itself, blocking: opens what is new and counts what waits."""

    def __init__(self) -> None:
        from sluice.exchange.open import Arrivals
        from sluice.exchange.wake import waker

        self._settings = get_settings()
        self._arrivals = Arrivals(self._settings.bucket_exchange)
        self._wait = waker(self._settings)

    def look(self) -> Sight:
        """One look at the bucket and the table."""
        from sluice.db import connect
        from sluice.exchange.store import find_waiting
        from sluice.lake.objects import ObjectStore
        from sluice.orchestration.flows import is_stray

        sight: Sight = {}
        with connect(self._settings) as conn:
            self._arrivals.open_new(conn, ObjectStore(self._settings))
            for waiting in find_waiting(conn, Direction.INBOUND):
                name = STRAYS if is_stray(waiting.principal, waiting.flow) else (waiting.principal, waiting.flow)
                sight[name] = sight.get(name, 0) + waiting.count
        return sight

    def wait(self) -> bool:
        """Until it is time to look again."""
        self._wait()
        return True
