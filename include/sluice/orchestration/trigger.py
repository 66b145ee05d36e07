"""The trigger that lists the bucket, opens an exchange for every new file, and wakes the DAG of its flow.

It keeps no cursor: events get coalesced, stranded and lost, but the current state can always be read
again. One shared poll lists the whole exchange bucket, however many flows listen to it.
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

from sluice.errors import told_of
from sluice.settings import get_settings
from sluice.terms import ARRIVING

if TYPE_CHECKING:
    from sluice.lake.s3.objects import ObjectStore

log = logging.getLogger(__name__)

STRAYS = ("*", "*", "*")
"""Direction, principal and flow of the trigger for exchanges that no flow DAG takes."""
WAKE_AGAIN_SECONDS, PAUSE_AFTER_FAULT_SECONDS = 15.0, 1.0
BUSY_SECONDS = 60.0
"""Slots that take nothing new for so long may hang, still holding their locks although Airflow has replaced them."""
NEVER, EVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Seen:
    """Open exchanges that are due: how many, when the oldest and newest were opened; and how many are being judged."""

    count: int = 0
    oldest_at: datetime = EVER
    newest_at: datetime = NEVER
    taken: int = 0

    def __or__(self, other: "Seen") -> "Seen":
        oldest, newest = min(self.oldest_at, other.oldest_at), max(self.newest_at, other.newest_at)
        return Seen(self.count + other.count, oldest, newest, self.taken + other.taken)


NOTHING = Seen()
Sight = dict[tuple[str, str, str], Seen]
"""What was seen per (direction, principal, flow); under STRAYS for all flows without a DAG."""


class ObjectsWaiting(BaseEventTrigger):
    """Fires when exchanges of one flow wait and nothing is about to take them; again while any are left."""

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
        """Poll for all flows. A fault is logged by its code, and the next poll tries again."""
        while (watch := await asyncio.to_thread(_quietly, Watch)) is None:
            await asyncio.sleep(PAUSE_AFTER_FAULT_SECONDS)
        while True:
            if (sight := await asyncio.to_thread(_quietly, watch.look)) is not None:
                yield sight
            if await asyncio.to_thread(_quietly, watch.wait) is None:
                await asyncio.sleep(PAUSE_AFTER_FAULT_SECONDS)

    async def filter_shared_stream(self, shared_stream: AsyncIterator[Sight]) -> AsyncIterator[TriggerEvent]:
        wake = Wake(get_settings().slots)
        async for sight in shared_stream:
            seen = sight.get((self.direction, self.principal, self.flow), NOTHING)
            if wake.is_due(seen, time.monotonic()):
                yield TriggerEvent({"waiting": seen.count})

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """The same poll for this trigger alone, for older triggerers without shared streams."""
        async for event in self.filter_shared_stream(self.open_shared_stream({})):
            yield event


def _quietly(step: Callable[[], T]) -> T | None:
    """Call ``step`` and return its result; None after a fault, which is logged by code or type only."""
    try:
        return step()
    except Exception as error:
        log.warning("%s", told_of(error)[1])
    return None


@dataclass
class Wake:
    """Decides when to fire: for exchanges since the last wake was answered, and every 15 s while any wait.

    A wake is answered once everything that waited at that time is taken; until then, the run that it started also takes
    what comes meanwhile. When all slots are busy they take the next exchange by themselves, so there is no wake for a
    minute. A run costs a second, so none is started for nothing.
    """

    slots: int
    told: datetime = NEVER
    """When the newest exchange that waited at the last wake was opened."""
    is_waiting: bool = False
    last_fired: float = float("-inf")

    def is_due(self, seen: Seen, now: float) -> bool:
        """Whether to fire now. ``now``: seconds of a monotonic clock."""
        is_answered = not self.is_waiting or seen.oldest_at > self.told
        self.is_waiting = bool(seen.count)
        is_busy, waited = seen.taken >= self.slots, now - self.last_fired
        if seen.count and (
            waited >= (BUSY_SECONDS if is_busy else WAKE_AGAIN_SECONDS) or (is_answered and not is_busy)
        ):
            self.told, self.last_fired = max(self.told, seen.newest_at), now
            return True
        return False


class Watch:
    """The blocking poll itself: opens exchanges for new objects and counts what waits."""

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
                    sight[name] = sight.get(name, NOTHING) | Seen(
                        waiting.count, waiting.oldest_at, waiting.newest_at, waiting.taken
                    )
        return sight

    @cached_property
    def _objects(self) -> "ObjectStore":
        """One client for all looks, because making one takes a tenth of a second and blocks the event loop."""
        from sluice.lake.s3.objects import ObjectStore

        return ObjectStore(self._settings)

    def wait(self) -> bool:
        """Wait until it is time to look again; always True."""
        self._wait()
        return True
