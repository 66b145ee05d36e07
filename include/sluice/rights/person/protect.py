"""Immediate protection: a person is kept out from the moment a request is received, before anything else.

This is done by suppression runs. The gate and every return keep out whoever these name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sluice.exchange.house import House
from sluice.exchange.persons.sealed_runs import read_runs
from sluice.exchange.persons.suppressed import keep_out, lift_case, run_id_of, tied
from sluice.exchange.persons.suppressed_store import SuppressedRun, find_runs
from sluice.exchange.sweeping import Faults
from sluice.rights.case.model import PROTECTED, CaseId, Protection, Right
from sluice.rights.person.envelope import Envelope
from sluice.rights.person.reach import marketing_of, scope_of_request
from sluice.rights.person.scope import Scoped, find_scope
from sluice.rights.person.tied import find_tied
from sluice.subject.suppression import Suppression
from sluice.terms import Principal


def protect(house: House, envelope: Envelope, now: datetime) -> Scoped:
    """Find the person and keep them out, as far as their request reaches, before anything else is done for the case."""
    scoped = find_scope(house, envelope)
    protect_at(house, envelope, scoped.refs, now)
    return scoped


def protect_at(house: House, envelope: Envelope, refs: Mapping[Principal, Sequence[str]], now: datetime) -> int:
    """Keep the person out at these principals, as the right asked for requires; return at how many.

    refs: SubjectRefs under the key of each principal; a principal without any is left out.
    """
    reason = PROTECTED.get(envelope.right)
    if reason is None:
        return 0
    wanted = {principal: own for principal, own in refs.items() if own}
    for principal, own in wanted.items():
        suppress_person(house, envelope, principal, own, reason, now)
    return len(wanted)


def suppress_person(
    house: House,
    envelope: Envelope,
    principal: Principal,
    refs: Sequence[str],
    reason: Protection,
    now: datetime,
    cause: str | None = None,
) -> None:
    """Keep a person out of the files of one principal, from when this returns. Repeating it changes nothing.

    ``cause``: what makes the suppression one of its own; the case if not given.

    The person is first kept out under what they gave, then under what accepted rows tie to it. The latter is looked for
    until something is found, and a row that cannot be read does not make the request wait. Whatever the protection
    tied stays tied by what replaces it. If a file withdraws the consent of many persons, nothing is tied: a consent
    that one of them gives again could not be told from that of the others.
    """
    case_id, as_what, own = envelope.case_id, Suppression(reason.value), cause or envelope.case_id

    def keep(found: frozenset[str], cause: str) -> None:
        scope = scope_of_request(envelope, reason)
        keep_out(house, principal, found, as_what, cause=cause, case_id=case_id, now=now, scope=scope)

    keep(frozenset(refs), own)
    is_of_many = reason is Protection.CONSENT_WITHDRAWN and len(envelope.persons) > 1
    if is_of_many or _find_tied_run(house, principal, as_what, own):
        return
    found = _held_as_tied(house, principal, case_id)
    with Faults(house.conn).kept_apart(f"case {case_id}: what is tied to its person at {principal}"):
        found |= find_tied(house, envelope, principal)
    if more := found - frozenset(refs):
        keep(more, tied(own))


def keep_from_marketing(
    house: House, envelope: Envelope, principal: Principal, refs: Sequence[str], now: datetime
) -> None:
    """Keep whoever objected in general out of marketing from now on, whatever is decided of the rest (Art. 21(3)).

    Repeating it changes nothing.
    """
    asked = replace(envelope, right=Right.DIRECT_MARKETING)
    suppress_person(house, asked, principal, refs, Protection.OBJECTED, now, marketing_of(envelope.case_id))


def _find_tied_run(house: House, principal: Principal, reason: Suppression, cause: str) -> list[SuppressedRun]:
    return find_runs(house.conn, principal, only=[run_id_of(principal, reason, tied(cause))])


def _held_as_tied(house: House, principal: Principal, case_id: CaseId) -> frozenset[str]:
    """References that the protection of a case tied to its person."""
    runs = [run for run in _find_tied_run(house, principal, Suppression.SOFT_HOLD, case_id) if run.lifted_at is None]
    return frozenset(ref for frame in read_runs(house, runs) for ref in frame["ref"].to_list())


def release(house: House, case_id: CaseId, principal: Principal, now: datetime) -> bool:
    """End the protection by a case that was decided. Returns whether there was one. Objections and erasures stay."""
    return lift_case(house, principal, Suppression.SOFT_HOLD, case_id, now)
