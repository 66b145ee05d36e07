"""Take the steps that are due on the open cases: forward, remind, escalate, and set the flag of a missed deadline.

A notice is put first, and its hash is the evidence of the step. If a worker is killed in between, a rerun finds the
same bytes.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from sluice.exchange.house import House
from sluice.exchange.sweeping import Faults
from sluice.returns.notices import give_notice
from sluice.rights.case import store
from sluice.rights.case.book import open_book
from sluice.rights.case.clock import received_on
from sluice.rights.case.due import Due, DueAction, due_actions
from sluice.rights.case.letter_due import goes_to_person
from sluice.rights.case.model import ACTIONS, SYSTEM, Case, Flag, Order, State
from sluice.rights.letters.had import is_missed
from sluice.rights.notices.to_controller import forward_document, notice_key, told_document
from sluice.rights.person.sealed import open_sealed

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DueTaken:
    """Due steps that were taken. ``late``: forwarded after the agreed hours. ``failed``: logged, and tried again."""

    forwarded: int = 0
    late: int = 0
    reminded: int = 0
    escalated: int = 0
    breached: int = 0
    failed: int = 0


def take_due(house: House, now: datetime) -> DueTaken:
    """Take every step that is due at ``now``. Raises ServiceMissing; other faults are counted and tried again."""
    cases = store.list_open_cases(house.conn)
    counts, faults = dict.fromkeys((*Due, "late"), 0), Faults(house.conn)
    for action in due_actions(cases, now):
        with faults.kept_apart(f"case {action.case.case_id}: {action.what}"):
            counts[action.what] += _STEPS[action.what](house, action, now)
            counts["late"] += action.is_late
    return DueTaken(
        forwarded=counts[Due.FORWARD],
        late=counts["late"],
        reminded=counts[Due.REMIND],
        escalated=counts[Due.ESCALATE],
        breached=counts[Due.BREACH],
        failed=faults.count,
    )


def _forward(house: House, action: DueAction, now: datetime) -> bool:
    case, part = action.case, action.part
    assert part is not None
    envelope = open_sealed(house, case.subject_key).envelope
    notice = give_notice(house, notice_key(part), forward_document(case, part, envelope))
    order = Order(SYSTEM, now, "FORWARDED_LATE" if action.is_late else "FORWARDED_IN_TIME", notice.sha256 or "")
    with open_book(house.conn, case.case_id) as book:
        if not _still(book.case, action):
            return False
        book.take_part(part.sub_case_id, State.FORWARDED, order)
        book.take_part(part.sub_case_id, State.AWAITING_INSTRUCTION, replace(order, reason_code="NOTICE_GIVEN"))
    return True


def _tell(target: State) -> Callable[[House, DueAction, datetime], bool]:
    def tell(house: House, action: DueAction, now: datetime) -> bool:
        case, part = action.case, action.part
        assert part is not None
        end = f"-reminder-{part.reminders + 1}" if target is State.REMINDED else "-escalated"
        word = target.value
        if case.has_failed_identity and any(goes_to_person(part, what) for what in ACTIONS[case.right]):
            end, word = f"{end}-identity", "IDENTITY_FAILED"
        notice = give_notice(house, notice_key(part, end), told_document(case, part, word))
        with open_book(house.conn, case.case_id) as book:
            if not _still(book.case, action):
                return False
            book.take_part(part.sub_case_id, target, Order(SYSTEM, now, "NO_INSTRUCTION_YET", notice.sha256 or ""))
        if target is State.ESCALATED:
            log.warning("case %s: %s has not instructed; call them", part.sub_case_id, part.principal)
        return True

    return tell


def _breach(house: House, action: DueAction, now: datetime) -> bool:
    case = action.case
    with open_book(house.conn, case.case_id) as book:
        if not is_missed(house.conn, book.case, received_on(now)):
            return False  # the person has the answer, but it is not booked yet
        book.flag(Flag.BREACHED_DEADLINE, Order(SYSTEM, now, "DEADLINE_PASSED", case.subject_sha256))
    log.warning("case %s is past its legal due date and not answered", case.case_id)
    return True


def _still(case: Case, action: DueAction) -> bool:
    """Whether the part is as it was when the action was found. Another worker may have been first."""
    return any(part == action.part for part in case.sub_cases)


_STEPS: dict[Due, Callable[[House, DueAction, datetime], bool]] = {
    Due.FORWARD: _forward,
    Due.REMIND: _tell(State.REMINDED),
    Due.ESCALATE: _tell(State.ESCALATED),
    Due.BREACH: _breach,
}
