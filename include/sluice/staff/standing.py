"""The standing of an agent at a moment: ready or why not, and the latest of each step taken. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from sluice.staff.model import CodeVersion, Credential, Kind, Readiness
from sluice.staff.rules import readiness

SOON: Final = timedelta(days=30)
"""How long before an exam or signature expires somebody must be shown it."""


class State(StrEnum):
    """The state shown first on an agent's page, in order of urgency."""

    NOT_READY = "not_ready"
    SOON = "soon"
    READY = "ready"


@dataclass(frozen=True, slots=True)
class Standing:
    """One agent, by reference. ``course``, ``exam``, ``signature``: the latest one up to the moment."""

    agent_ref: str
    readiness: Readiness
    course: Credential | None
    exam: Credential | None
    signature: Credential | None

    def state(self, at: datetime, within: timedelta) -> State:
        """The state at a moment. SOON: ready, but by what is known at that moment not for longer than ``within``."""
        if not self.readiness.ready:
            return State.NOT_READY
        until = self.readiness.valid_until
        return State.SOON if until is not None and until <= at + within else State.READY


def in_order(standings: Iterable[Standing], at: datetime) -> list[tuple[State, Standing]]:
    """Sort: agents who are not ready first, then those who will not be within :data:`SOON`; earliest expiry first."""
    found = [(each.state(at, SOON), each) for each in standings]
    order = list(State)
    return sorted(found, key=lambda one: (order.index(one[0]), str(one[1].readiness.valid_until), one[1].agent_ref))


def standing_of(
    agent_ref: str, events: Sequence[Credential], codes: Sequence[CodeVersion], at: datetime, minimum: Decimal
) -> Standing:
    """The readiness of an agent, with the latest events it is based on. minimum: percent, inclusive."""
    last: dict[Kind, Credential] = {}
    for event in sorted(events, key=lambda each: each.happened_at):
        if event.happened_at <= at:
            last[event.kind] = event
    return Standing(
        agent_ref,
        readiness(events, codes, at, minimum),
        last.get(Kind.COURSE),
        last.get(Kind.EXAM),
        last.get(Kind.SIGNATURE),
    )
