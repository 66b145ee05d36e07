"""What the person has of a part: the letter that was taken out, or the package that was fetched, booked or not yet."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

from sluice.db import Connection
from sluice.rights.case.clock import received_on
from sluice.rights.case.letter_due import GIVEN, answers, is_refusal_out, is_told_by_file, refusal_out_at
from sluice.rights.case.model import Action, Case, LetterKind, SubCase
from sluice.rights.copies import answer_store


@dataclass(frozen=True, slots=True)
class Had:
    """The answer about a part: the word of the step it is booked as, what it stands on, and when the person had it."""

    word: str
    sha256: str
    at: datetime


def find_had(conn: Connection, case: Case, part: SubCase) -> Had | None:
    """None while the person has no answer of ours, or it is the principal's to give.

    Of what was refused in part the reasons belong to the answer: it is there with the last of its letters.
    """
    if not answers(part) or is_told_by_file(case, part) or not is_refusal_out(case, part):
        return None
    had = _find_answer(conn, case, part)
    reasons_at = refusal_out_at(case, part)
    return replace(had, at=max(had.at, reasons_at)) if had and reasons_at else had


def _find_answer(conn: Connection, case: Case, part: SubCase) -> Had | None:
    if part.action in GIVEN and (taken := answer_store.find_taken(conn, part)):
        return Had("PACKAGE_FETCHED", *taken)
    letter = case.find_letter(final_letter(part), part.sub_case_id)
    if letter is None or letter.opened_at is None:
        return None
    ready = find_ready(conn, part) if comes_with_package(part) else letter.opened_at
    return None if ready is None else Had("LETTER_TAKEN_OUT", letter.sha256, max(letter.opened_at, ready))


def comes_with_package(part: SubCase) -> bool:
    """Whether the letter about a part says that there is a copy: it is no answer while there is none."""
    return part.action in GIVEN and part.agreement_id is not None


def find_ready(conn: Connection, part: SubCase) -> datetime | None:
    """Since when the copy lies ready; None while there is none, as after an erasure that removed it unread."""
    return answer_store.find_told(conn, part.case_id).get(part.sub_case_id)


def final_letter(part: SubCase) -> LetterKind:
    """The letter that is the answer about a part."""
    return LetterKind.REFUSAL if part.action is Action.REFUSE else LetterKind.COMPLETION


def is_missed(conn: Connection, case: Case, today: date) -> bool:
    """Whether a last day went by without an answer; one that the person had by then counts, however late it is booked.

    today: a Brussels date.
    """
    if case.state.is_over:
        return False
    if not case.sub_cases:  # it waits for its person
        return today > case.last_day
    return any(_is_missed(conn, case, part, today) for part in case.sub_cases if not part.is_answered)


def without_answered(conn: Connection, cases: Iterable[Case], today: date) -> list[Case]:
    """Cases but those past their last day of which the person had every answer in time, booked or not."""
    return [case for case in cases if today <= case.last_day or is_missed(conn, case, today)]


def _is_missed(conn: Connection, case: Case, part: SubCase, today: date) -> bool:
    last_day = case.last_day_of(part)
    if today <= last_day:
        return False
    had = find_had(conn, case, part)
    return had is None or received_on(had.at) > last_day
