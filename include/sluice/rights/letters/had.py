"""Find out what the person received about a part: the letter taken out, or the package fetched, booked or not."""

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
    """The answer about a part: the reason code of its step, the hash it is based on, and when the person had it."""

    word: str
    sha256: str
    at: datetime


def find_had(conn: Connection, case: Case, part: SubCase) -> Had | None:
    """Return the answer the person has about a part. None while there is none, or if the principal gives it.

    If a part was partly refused, the reasons belong to the answer, which is complete with the last of its letters.
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
    """Whether the letter about a part comes with a copy of the data, without which it is no answer."""
    return part.action in GIVEN and part.agreement_id is not None


def find_ready(conn: Connection, part: SubCase) -> datetime | None:
    """Return since when the copy is ready. None while there is none, as after an erasure that removed it unread."""
    return answer_store.find_told(conn, part.case_id).get(part.sub_case_id)


def final_letter(part: SubCase) -> LetterKind:
    """Return the kind of letter that answers the person about a part."""
    return LetterKind.REFUSAL if part.action is Action.REFUSE else LetterKind.COMPLETION


def is_missed(conn: Connection, case: Case, today: date) -> bool:
    """Whether a last day passed without an answer. An answer that came in time counts, however late it is booked.

    today: a Brussels date.
    """
    if case.state.is_over:
        return False
    if not case.sub_cases:  # it waits for the person to be found
        return today > case.last_day
    return any(_is_missed(conn, case, part, today) for part in case.sub_cases if not part.is_answered)


def without_answered(conn: Connection, cases: Iterable[Case], today: date) -> list[Case]:
    """Leave out the cases past their last day whose person had every answer in time, booked or not."""
    return [case for case in cases if today <= case.last_day or is_missed(conn, case, today)]


def _is_missed(conn: Connection, case: Case, part: SubCase, today: date) -> bool:
    last_day = case.last_day_of(part)
    if today <= last_day:
        return False
    had = find_had(conn, case, part)
    return had is None or received_on(had.at) > last_day
