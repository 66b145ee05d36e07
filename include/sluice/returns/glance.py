"""Which days may be due, by a look at what was counted: no record, and no input of a return, is read for it. Pure.

It may name a day too many, which :mod:`sluice.returns.due` then looks at whole, and never one too few: contacts and
results of a flow that were ever accepted only become more, so the same number of them up to the same moment are the
same files.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sluice.returns.model import LIFTED_BY_CONTACTS, Glance
from sluice.subject.suppression import Suppression
from sluice.terms import Flow

MAY_END: frozenset[str] = frozenset(Suppression) - {Suppression.ERASED}
"""Reasons that rows are held for, for their persons, and that can end."""


@dataclass(frozen=True, slots=True)
class World:
    """What is known of a flow beside its days.

    ``contacts``: when contacts ever accepted were closed, oldest first. ``staff``: number of the last staff import.
    ``lifted_at``: when a suppression of the principal ended last. The flows are those its returns are made of.
    """

    contacts_flow: Flow
    results_flow: Flow
    contacts: Sequence[datetime]
    staff: int
    lifted_at: datetime | None

    def inputs_of(self, day: Glance, cut_off: datetime) -> str:
        """The name of all that a return of a day can be made of, whether it is there still or not."""
        until = max(cut_off, day.newest_at)
        is_of_all = day.last is not None and bool(LIFTED_BY_CONTACTS & day.last.held)
        contacts = len(self.contacts) if is_of_all else bisect_right(self.contacts, until)
        of_flows = f"{self.results_flow}-{day.results}.{self.contacts_flow}-{contacts}"
        return f"{of_flows}.until-{until.isoformat()}"


def may_be_due(day: Glance, world: World, cut_off: datetime, contract: str, staff_news: str | None) -> bool:
    """Whether a day has to be looked at whole. ``contract``: as a basis names it.

    What lies prepared always has: whom it names, and its last day, stand in its record only. ``staff_news``: name of
    all news of staff; None where none can make a return.
    """
    last = day.last
    return (
        last is None
        or last.is_prepared
        or last.inputs_seen != world.inputs_of(day, cut_off)
        or last.is_outdated_by(contract)
        or bool(MAY_END & last.held and world.lifted_at and world.lifted_at > last.opened_at)
        or (last.waits_for_agents and staff_news not in (None, last.staff_seen) and last.staff < world.staff)
    )
