"""What the schedule does about handovers: send what was asked and decided, finish what a dead worker left."""

from collections.abc import Iterator
from datetime import datetime

from sluice.answers import handover_store
from sluice.answers.authority import is_given, parts_of_principals
from sluice.answers.decide import end_without
from sluice.answers.handover import close_left, give_to_principals, send_on
from sluice.answers.handover_model import Handover
from sluice.answers.keep import note_waiting
from sluice.answers.make import is_known
from sluice.answers.model import AnswerKind, ErasedMeanwhile, NothingPortable
from sluice.exchange.house import House
from sluice.exchange.model import NO_RUN, AirflowRun, Opened
from sluice.exchange.sweeping import Tally, do_each
from sluice.rights.case import store as cases
from sluice.rights.case.model import Case

Owed = tuple[Case, AnswerKind, str | None]
"""A case, what it asks, and the next controller; None for its principals themselves."""
Left = tuple[Opened, Handover]


def hand_owed(house: House, now: datetime, run: AirflowRun = NO_RUN) -> Tally:
    """Hand over what is owed; return how many packages went, and how many cases failed and are met again.

    If nothing may be taken along of what a principal itself decided to give, its part ends with the reasons. To wait
    for an erasure at that principal is no failure, unless the erasure is in error; the case is met again. Raises
    ServiceMissing.
    """

    def left(one: Left) -> int:
        close_left(house, *one, run)
        return 0

    def owed(one: Owed) -> int:
        return _one(house, *one, now, run)

    closed = do_each(
        house.conn,
        lambda one: f"case {one[1].case_id}: a handover that was left",
        handover_store.find_left(house.conn),
        left,
    )
    handed = do_each(house.conn, lambda one: f"case {one[0].case_id}: its handover", list(_owed(house)), owed)
    return Tally.total((closed, handed))


def _one(house: House, case: Case, kind: AnswerKind, code: str | None, now: datetime, run: AirflowRun) -> int:
    before = {one.opened.exchange_id for one in handover_store.find_handed(house.conn, case.case_id) if one.is_there}
    try:
        if code is None:
            give_to_principals(house, case.case_id, kind, now, run)
        else:
            send_on(house, case.case_id, code, now, run)
    except NothingPortable as nothing:
        if code is None:
            end_without(house, case.case_id, nothing.fields, nothing.parts, now, to_principal=True)
        return 0
    except ErasedMeanwhile as erased:
        note_waiting(house, f"case {case.case_id}: its handover", erased)
    after = {one.opened.exchange_id for one in handover_store.find_handed(house.conn, case.case_id) if one.is_there}
    return len(after - before)


def _owed(house: House) -> Iterator[Owed]:
    """Yield open cases with something that was decided and that a controller has not got yet.

    A principal knows itself who its customer is. What goes on because the person asked waits until it is settled who
    asks.
    """
    for case in cases.list_open_cases(house.conn):
        kind = next((kind for kind in AnswerKind if kind.right is case.right), None)
        if kind is None or case.persons != 1:
            continue
        done = {
            (one.opened.principal, one.receiver)
            for one in handover_store.find_handed(house.conn, case.case_id)
            if one.sha256 and one.delete_after
        }
        if any((part.principal, part.principal) not in done for part in parts_of_principals(case, kind.action)):
            yield case, kind, None
        if not is_known(case):
            continue
        givers = {part.principal for part in case.sub_cases if part.agreement_id and is_given(part, kind.action)}
        for wish in handover_store.find_wishes(house.conn, case.case_id):
            if any((giver, wish.controller) not in done for giver in givers):
                yield case, kind, wish.controller
