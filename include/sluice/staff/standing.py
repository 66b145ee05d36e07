"""How an agent stands at a moment: ready or why not, and the last of each step that was taken. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from sluice.staff.model import CodeVersion, Credential, Kind, Readiness
from sluice.staff.rules import readiness

SOON: Final = timedelta(days=30)
"""How long before the end of an exam or a signature somebody has to see it."""


class State(StrEnum):
    """What an agent's page begins with; in the order in which somebody has to act."""

    NOT_READY = "not_ready"
    SOON = "soon"
    READY = "ready"


@dataclass(frozen=True, slots=True)
class Standing:
    """One agent by reference. ``course``, ``exam``, ``signature``: the last one taken up to the moment."""

    agent_ref: str
    readiness: Readiness
    course: Credential | None
    exam: Credential | None
    signature: Credential | None

    def state(self, at: datetime, within: timedelta) -> State:
        """Soon: ready, and not any more within a time, as far as is known at the moment."""
        if not self.readiness.ready:
            return State.NOT_READY
        until = self.readiness.valid_until
        return State.SOON if until is not None and until <= at + within else State.READY


def in_order(standings: Iterable[Standing], at: datetime) -> list[tuple[State, Standing]]:
    """First who is not ready, then who will not be within :data:`SOON`, the earliest first."""
    found = [(each.state(at, SOON), each) for each in standings]
    order = list(State)
    return sorted(found, key=lambda one: (order.index(one[0]), str(one[1].readiness.valid_until), one[1].agent_ref))


def standing_of(
    agent_ref: str, events: Sequence[Credential], codes: Sequence[CodeVersion], at: datetime, minimum: Decimal
) -> Standing:
    """The answer of the rules with what it was made of. minimum: percent, inclusive."""
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
