"""What the schedule does for requests of persons, every five minutes: two sweeps over the open cases.

``follow`` tells those who wait: persons by letter, principals by notice. ``sweep`` tells recipients, and then takes the
last steps of cases.
"""

from dataclasses import dataclass
from datetime import datetime

from sluice.exchange.house import House
from sluice.exchange.inbox import list_principals
from sluice.exchange.sweeping import Tally, do_each
from sluice.rights.case import store
from sluice.rights.case.model import FILE, LetterKind, Right
from sluice.rights.case.states import left_to_decide
from sluice.rights.case.steps import accept_marketing
from sluice.rights.due_steps import DueTaken, take_due
from sluice.rights.finish import Finished, finish
from sluice.rights.letters.write import write_owed
from sluice.rights.notices import follow as answered
from sluice.rights.notices.over import drop_over
from sluice.rights.notices.tell import Told, tell
from sluice.rights.protections import settle_protections


@dataclass(frozen=True, slots=True)
class Followed(DueTaken):
    """Result of one sweep. ``failed``: logged, and tried again.

    ``protected``: protections of persons at principals whose agreement came into force since they asked.
    """

    withdrawn: int = 0
    released: int = 0
    letters: int = 0
    protected: int = 0


def follow(house: House, now: datetime) -> Followed:
    """Do everything that is due at ``now`` before a case ends.

    Writes owed letters, takes due steps, accepts objections to direct marketing, ends protections, tells of withdrawals
    and removes notices of requests that are over.
    """
    letters = write_owed(house, now)
    taken = take_due(house, now)
    not_accepted = _accept_marketing(house, now)
    settled = settle_protections(house, now)
    withdrawn, not_dropped = _drop_over(house)
    return Followed(
        forwarded=taken.forwarded,
        late=taken.late,
        reminded=taken.reminded,
        escalated=taken.escalated,
        breached=taken.breached,
        withdrawn=withdrawn,
        released=settled.released,
        protected=settled.protected,
        letters=letters.letters,
        failed=taken.failed + settled.failed + letters.failed + not_dropped + not_accepted,
    )


@dataclass(frozen=True, slots=True)
class CaseSweep:
    """What was told to recipients, what followed of what they had been told, and the last steps that were ready."""

    told: Told
    followed: answered.NoticesFollowed
    finished: Finished

    @property
    def failed(self) -> int:
        return self.told.failed + self.followed.failed + self.finished.failed


def sweep(house: House, now: datetime) -> CaseSweep:
    """Do everything about recipients and the end of cases that is due at ``now``. Raises ServiceMissing."""
    return CaseSweep(tell(house, now), answered.follow(house, now), finish(house, now))


def _accept_marketing(house: House, now: datetime) -> int:
    """Accept objections to direct marketing with a written receipt, or that came by file. Returns how many failed."""
    cases = store.list_open_cases(house.conn, Right.DIRECT_MARKETING)
    received = [case for case in cases if case.channel == FILE or case.find_letter(LetterKind.RECEIPT, None)]
    wanted = [case for case in received if left_to_decide(case)]
    _, failed = do_each(
        house.conn,
        "an objection to direct marketing",
        wanted,
        lambda case: accept_marketing(house.conn, case.case_id, now),
    )
    return failed


def _drop_over(house: House) -> Tally:
    """Remove what names persons in requests that are over, at every principal. Returns how many were told, and how many
    failed.
    """
    there = list(list_principals(house))
    return do_each(
        house.conn, "what requests that are over leave", there, lambda principal: drop_over(house, principal)
    )
