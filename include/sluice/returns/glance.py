"""Find days on which a return may be due from counts alone, without reading a record or its inputs. Pure.

A day may be named needlessly, and :mod:`sluice.returns.due` then looks into it, but none is missed: the contacts and
results of a flow that were ever accepted only grow in number, so equal counts up to the same moment mean the same
files.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sluice.returns.model import LIFTED_BY_CONTACTS, Glance, Last, Stage
from sluice.subject.suppression import Suppression
from sluice.terms import Flow

MAY_END: frozenset[str] = frozenset(Suppression)
"""Reasons for holding rows because of their persons. Each can end again, an erasure where something has to stay."""
Lifted = Mapping[Suppression, datetime]
"""When a suppression of a principal last ended, by its reason."""


@dataclass(frozen=True, slots=True)
class World:
    """What is known about a flow besides its days.

    ``contacts_flow`` and ``results_flow``: the flows that its returns are made from. ``contacts``: when files of
    contacts that were ever accepted were closed, oldest first. ``staff``: number of the last staff import.
    """

    contacts_flow: Flow
    results_flow: Flow
    contacts: Sequence[datetime]
    staff: int
    lifted: Lifted

    def inputs_of(self, day: Glance, cut_off: datetime) -> str:
        """A name for everything that a return of a day can be made from, whether it still exists or not."""
        until = max(cut_off, day.newest_at)
        is_of_all = day.last is not None and bool(LIFTED_BY_CONTACTS & day.last.held)
        contacts = len(self.contacts) if is_of_all else bisect_right(self.contacts, until)
        of_flows = f"{self.results_flow}-{day.results}.{self.contacts_flow}-{contacts}"
        return f"{of_flows}.until-{until.isoformat()}"


def may_be_due(day: Glance, world: World, cut_off: datetime, contract: str, staff_news: str | None) -> bool:
    """Whether a day has to be looked into. ``contract``: as the name of a basis has it.

    A prepared return always has to be, because only its record says whom it names and which day is its last; so does
    one that is closed but not delivered yet.
    ``staff_news``: name of all news of staff; None if news of staff cannot make a return.
    """
    last = day.last
    return (
        last is None
        or last.stage in (Stage.PREPARED, Stage.ON_ITS_WAY)
        or last.inputs_seen != world.inputs_of(day, cut_off)
        or last.is_outdated_by(contract)
        or is_lifted_since(last, world.lifted)
        or (_asks_for_staff(last) and staff_news not in (None, last.staff_seen) and last.staff < world.staff)
    )


def is_lifted_since(last: Last, lifted: Lifted) -> bool:
    """Whether a return held rows because of their persons, and a suppression ended since that may have held them.

    A row of somebody who was erased is held under that reason before any other, so only the end of an erasure frees it.
    """
    held = MAY_END & last.held
    counted = MAY_END if held - {Suppression.ERASED} else held
    return any(at > last.opened_at for reason, at in lifted.items() if reason in counted)


def _asks_for_staff(last: Last) -> bool:
    """Whether news of staff may make another return: rows wait for their agent, or the day is closed and may have sent
    rows of an agent who, as is known since, was not ready."""
    return last.waits_for_agents or not last.is_open
