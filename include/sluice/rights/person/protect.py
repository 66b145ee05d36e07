"""Immediate protection: a person is kept out from the moment a request is received, before anything else.

By suppression runs: the gate and every return hold what they name.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sluice.exchange.house import House
from sluice.exchange.persons.suppressed import keep_out, lift, run_id_of
from sluice.rights.case.model import PROTECTED, CaseId, Hold
from sluice.rights.person.identifiers import Envelope
from sluice.rights.person.reach import scope_of_request
from sluice.rights.person.scope import Scoped, find_scope
from sluice.subject.suppression import Suppression
from sluice.terms import Principal


def protect(house: House, envelope: Envelope, now: datetime) -> Scoped:
    """Find who is meant and keep them out as far as they mean it, before anything else is known of the case."""
    scoped = find_scope(house, envelope)
    hold_at(house, envelope, scoped.refs, now)
    return scoped


def hold_at(house: House, envelope: Envelope, refs: Mapping[Principal, Sequence[str]], now: datetime) -> int:
    """Keep the person out at these principals, as the right that was asked for says; at how many.

    refs: SubjectRefs under the key of each principal; where there are none, nobody is held.
    """
    reason = PROTECTED.get(envelope.right)
    if reason is None:
        return 0
    wanted = {principal: own for principal, own in refs.items() if own}
    for principal, own in wanted.items():
        hold(house, envelope, principal, own, reason, now)
    return len(wanted)


def hold(
    house: House, envelope: Envelope, principal: Principal, refs: Sequence[str], reason: Hold, now: datetime
) -> None:
    """Keep a person out of the files of one principal, from when it returns; the same again changes nothing."""
    keep_out(
        house,
        principal,
        frozenset(refs),
        Suppression(reason.value),
        cause=envelope.case_id,
        case_id=envelope.case_id,
        now=now,
        scope=scope_of_request(envelope, reason),
    )


def release(house: House, case_id: CaseId, principal: Principal, now: datetime) -> bool:
    """End the hold of a case that was decided; what was objected or erased stays out. Whether there was one."""
    return lift(house, run_id_of(principal, Suppression.SOFT_HOLD, case_id), now)
