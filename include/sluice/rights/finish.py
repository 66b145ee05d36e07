"""The end of a case, as far as it goes by itself: every step whose evidence is there. Nothing is assumed.

What needs a person's word (an answer that was posted, a recipient without a prefix) waits for it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sluice.exchange.house import House
from sluice.rights import notice_store, store
from sluice.rights.cases import advance
from sluice.rights.certificate import is_clean, last_scans
from sluice.rights.model import SYSTEM, Action, Case, Order, State, SubCase, Track
from sluice.rights.notice_follow import Followed, follow
from sluice.rights.sweeping import each
from sluice.rights.tell import Told, tell


@dataclass(frozen=True, slots=True)
class Finished:
    """What one sweep did: steps taken, cases closed; ``failed``: logged, met again."""

    steps: int = 0
    closed: int = 0
    failed: int = 0


def finish(house: House, now: datetime) -> Finished:
    """Take every step that is ready, of every open case. Raises ServiceMissing; other faults are met again."""
    closed = 0

    def end(case: Case) -> int:
        nonlocal closed
        taken, is_over = finish_case(house, case, now)
        closed += is_over
        return taken

    steps, failed = each("the end of a case", store.list_cases(house.conn, only_open=True, limit=None), end)
    return Finished(steps, closed, failed)


@dataclass(frozen=True, slots=True)
class Sweep:
    """What the schedule does: tell, follow what was told, then take the steps that are ready."""

    told: Told
    followed: Followed
    finished: Finished

    @property
    def failed(self) -> int:
        return self.told.failed + self.followed.failed + self.finished.failed


def sweep(house: House, now: datetime) -> Sweep:
    """Everything about notices and the end of cases that is due at ``now``. Raises ServiceMissing."""
    return Sweep(tell(house, now), follow(house, now), finish(house, now))


def finish_case(house: House, case: Case, now: datetime) -> tuple[int, bool]:
    """Take every step of one case that is ready: how many, and whether the case is over now."""
    taken = 0
    for part in case.sub_cases:
        while step := _STEPS.get((part.track, part.state)):
            stands = step(house, case, part, now)
            if stands is None:
                break
            case, taken = stands, taken + 1
            part = next(each for each in case.sub_cases if each.sub_case_id == part.sub_case_id)
    return taken, case.state.is_over


def _notified(house: House, case: Case, part: SubCase, now: datetime) -> Case | None:
    """Every recipient was told; the evidence is the entry that says who they are."""
    evidence = notice_store.find_propagation(house.conn, part.sub_case_id)
    untold = notice_store.count_untold(house.conn, part.sub_case_id)
    if evidence is None or untold or not _is_proven(house, case, part):
        return None
    order = Order(SYSTEM, now, "RECIPIENTS_TOLD", evidence, residue=0, untold=untold)
    return advance(house.conn, case.case_id, State.RECIPIENTS_NOTIFIED, order, part.sub_case_id)


def _is_proven(house: House, case: Case, part: SubCase) -> bool:
    """Whether the last second scan was clean, where something had to go."""
    if part.action is not Action.ERASE:
        return True
    scan = last_scans(house, case.case_id).get(part.principal)
    return scan is not None and is_clean(scan[0])


Step = Callable[[House, Case, SubCase, datetime], Case | None]
_STEPS: Mapping[tuple[Track, State], Step] = {
    (Track.CONTROLLER, State.EXECUTING): _notified,
}
