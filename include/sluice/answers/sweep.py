"""What the schedule does about answers: make every package that was decided and that nobody has made yet.

A package that an erasure removed before anybody took it out is made again, of what is left. So is one of which a
controller took its word back: of what is decided since.
"""

from collections.abc import Container, Iterator
from datetime import datetime

from sluice.answers.authority import is_given
from sluice.answers.decide import end_without
from sluice.answers.keep import note_waiting
from sluice.answers.make import is_known, make
from sluice.answers.model import AnswerKind, DecidedMeanwhile, ErasedMeanwhile, NothingPortable
from sluice.exchange.house import House
from sluice.exchange.sweeping import Tally, do_each
from sluice.rights.case import store as cases
from sluice.rights.case.model import Actor, Case, Role, SubCase
from sluice.rights.copies import answer_store


def make_decided(house: House, by: str, now: datetime) -> Tally:
    """Make what is owed; return how many packages, and how many cases failed and are met again. Raises ServiceMissing.

    If nothing may be taken along, the person is told so by letter, and nothing is owed any more. To wait for an erasure
    at one of the companies is no failure, unless that erasure is in error; the case is met again.
    """

    def one(owed: tuple[Case, AnswerKind]) -> int:
        return _one(house, *owed, by, now)

    return do_each(house.conn, lambda owed: f"case {owed[0].case_id}: its answer", list(_owed(house)), one)


def _one(house: House, case: Case, kind: AnswerKind, by: str, now: datetime) -> int:
    try:
        make(house, case.case_id, kind, now, Actor(Role.SYSTEM, by))
    except NothingPortable as nothing:
        told = answer_store.find_told(house.conn, case.case_id)
        ending = [part for part in nothing.parts if _is_owed(part, kind, told)]
        end_without(house, case.case_id, nothing.fields, ending, now)
        return 0
    except ErasedMeanwhile as erased:
        note_waiting(house, f"case {case.case_id}: its answer", erased)
        return 0
    except DecidedMeanwhile:
        return 0  # the next sweep makes what is decided by then
    return 1


def _owed(house: House) -> Iterator[tuple[Case, AnswerKind]]:
    """Yield cases with a part that we are to give and that no package is about."""
    for case in cases.list_open_cases(house.conn):
        kind = next((kind for kind in AnswerKind if kind.right is case.right), None)
        if kind is None or case.persons != 1 or not is_known(case):
            continue
        told = answer_store.find_told(house.conn, case.case_id)
        if any(_is_owed(part, kind, told) for part in case.sub_cases):
            yield case, kind


def _is_owed(part: SubCase, kind: AnswerKind, told: Container[str]) -> bool:
    return is_given(part, kind.action) and not part.is_answered and part.sub_case_id not in told
