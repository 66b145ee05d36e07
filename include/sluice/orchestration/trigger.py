"""The level trigger: looks at what is there, opens exchanges, and only wakes the DAG.

It keeps no cursor: events get coalesced, stranded and lost, a state of the world does not. One
shared poll lists the whole exchange bucket, however many flows listen to it.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Hashable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from sluice.errors import SluiceError, place_of
from sluice.settings import get_settings
from sluice.terms import ARRIVING

if TYPE_CHECKING:
    from sluice.lake.objects import ObjectStore

log = logging.getLogger(__name__)

STRAYS = ("*", "*", "*")
"""Direction, principal and flow of the trigger for whatever no flow DAG takes."""
WAKE_AGAIN_SECONDS, PAUSE_AFTER_FAULT_SECONDS = 15.0, 1.0
NEVER = datetime.min.replace(tzinfo=UTC)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Seen:
    """Open exchanges that are due: how many, and when the last of them was opened."""

    count: int = 0
    newest_at: datetime = NEVER

    def __or__(self, other: "Seen") -> "Seen":
        return Seen(self.count + other.count, max(self.newest_at, other.newest_at))


NOTHING = Seen()
Sight = dict[tuple[str, str, str], Seen]
"""What was seen per (direction, principal, flow); STRAYS for all without a DAG."""


class ObjectsWaiting(BaseEventTrigger):
    """Fires when exchanges of one flow wait: at once when there are more, again while any are left."""

    def __init__(self, direction: str, principal: str, flow: str) -> None:
        super().__init__()
        self.direction, self.principal, self.flow = direction, principal, flow

    def serialize(self) -> tuple[str, dict[str, Any]]:
        arguments = {"direction": self.direction, "principal": self.principal, "flow": self.flow}
        return f"{__name__}.ObjectsWaiting", arguments

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
            seen = sight.get((self.direction, self.principal, self.flow), NOTHING)
            if wake.is_due(seen, time.monotonic()):
                yield TriggerEvent({"waiting": seen.count})

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
    """When to fire: as soon as a new one or more than before wait, and every 15 s while any wait.

    The count alone is blind: one that closes and one that comes between two looks leave it as it was.
    """

    last: Seen = NOTHING
    last_fired: float = float("-inf")

    def is_due(self, seen: Seen, now: float) -> bool:
        """``now``: seconds of a monotonic clock."""
        fresh = seen.count > self.last.count or seen.newest_at > self.last.newest_at
        self.last = Seen(seen.count, max(seen.newest_at, self.last.newest_at))
        if seen.count and (fresh or now - self.last_fired >= WAKE_AGAIN_SECONDS):
            self.last_fired = now
            return True
        return False


class Watch:
    """The poll itself, blocking: opens what is new and counts what waits."""

    def __init__(self) -> None:
        from sluice.exchange.open import Arrivals
        from sluice.exchange.wake import waker

        self._settings = get_settings()
        self._arrivals = Arrivals.of(self._settings)
        self._wait = waker(self._settings)

    def look(self) -> Sight:
        """One look at the bucket and the table."""
        from sluice.db import connect
        from sluice.exchange.store import find_waiting
        from sluice.orchestration.flows import is_stray

        sight: Sight = {}
        with connect(self._settings) as conn:
            self._arrivals.open_new(conn, self._objects)
            for direction in ARRIVING:
                for waiting in find_waiting(conn, direction):
                    whole = (direction.value, waiting.principal, waiting.flow)
                    name = STRAYS if is_stray(*whole) else whole
                    sight[name] = sight.get(name, NOTHING) | Seen(waiting.count, waiting.newest_at)
        return sight

    @cached_property
    def _objects(self) -> "ObjectStore":
        """One client for all looks: making one costs a tenth of a second and stops the event loop meanwhile."""
        from sluice.lake.objects import ObjectStore

        return ObjectStore(self._settings)

    def wait(self) -> bool:
        """Until it is time to look again."""
        self._wait()
        return True
