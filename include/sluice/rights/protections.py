"""End the protection of a request at a principal, once everything there about the person is over or refused.

Before that, an upheld objection and a restriction become suppressions of their own. Until the request is over, it
protects at every principal that may send the person, including those that signed after it was opened. A request that
its person took back keeps nobody out any more; only a withdrawn consent comes back by being given again. What a
controller decided and took back ends too, once all is over there. Whoever objected to everything stays out of direct
marketing, even if the rest is refused (Art. 21(3)).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sluice.exchange.house import House
from sluice.exchange.persons.suppressed import lift, lift_case
from sluice.exchange.sweeping import Faults, Tally, do_each
from sluice.keys import SUBJECT
from sluice.rights import protection_store
from sluice.rights.case import store
from sluice.rights.case.clock import received_on
from sluice.rights.case.model import PROTECTED, Action, Case, Protection, Right, State, SubCase
from sluice.rights.case.states import CARRIED_OUT
from sluice.rights.copies.own_rows import runs_of
from sluice.rights.person.protect import keep_from_marketing, protect_at, release, suppress_person
from sluice.rights.person.reach import keeps_marketing_out, keeps_out, marketing_of
from sluice.rights.person.sealed import find_sealed, open_sealed
from sluice.rights.person.whom import all_refs_at
from sluice.subject.suppression import Suppression
from sluice.terms import Principal


@dataclass(frozen=True, slots=True)
class Settled:
    """Result of one pass over open protections. ``protected``: new ones at new principals; ``failed``: tried again."""

    released: int = 0
    failed: int = 0
    protected: int = 0


TAKEN_BACK = (Suppression.RESTRICTED, Suppression.OBJECTED)
"""Suppressions that end when the person takes the request back. Nobody has to be told first (Art. 18(3))."""


def settle_protections(house: House, now: datetime) -> Settled:
    """Turn upheld objections and restrictions into suppressions, and end the protections that have no reason any more.

    First protects those who asked everybody at principals that signed since.
    """
    protected, not_protected = _protect_since(house, now)
    released, not_settled = do_each(
        house.conn,
        lambda one: f"case {one.case_id}: its protection at {one.principal}",
        protection_store.find_open_protections(house.conn),
        lambda one: _settle(house, store.get_case(house.conn, one.case_id), one.principal, now),
    )
    return Settled(released, not_protected + not_settled, protected)


def _protect_since(house: House, now: datetime) -> Tally:
    """Protect the persons of open requests at principals whose agreement came into force since.

    Returns the number of new protections, and of cases that failed.
    """
    papers = store.find_agreement_bodies(house.conn, received_on(now), now)
    there = {Principal(name) for name, _, _, is_in_force in papers if is_in_force}
    there -= {name for name in there if house.keyring.is_destroyed(name, SUBJECT)}
    known, protected, faults = protection_store.find_protected(house.conn), 0, Faults(house.conn)
    for case in store.list_open_cases(house.conn):
        new = there - known.get(case.case_id, set())
        if not new or case.right not in PROTECTED or case.principal is not None or not case.sub_cases:
            continue  # no new principal; or one principal was asked; or nobody knows yet who the person is
        with faults.kept_apart(f"the protection of case {case.case_id}"):
            protected += _protect_at(house, case, new, now)
    return Tally(protected, faults.count)


def _protect_at(house: House, case: Case, principals: Iterable[Principal], now: datetime) -> int:
    envelope = open_sealed(house, case.subject_key).envelope
    found = {name: tuple(sorted(all_refs_at(house, envelope.identifiers, name))) for name in principals}
    return protect_at(house, envelope, found, now)


def protection_ends(case: Case, principal: str) -> bool:
    """Whether nothing of this request is left to wait for at a principal. Pure.

    If the principal has no part, the request as a whole must be over.
    """
    parts = [part for part in case.sub_cases if part.principal == principal]
    if _is_upheld(case, principal):
        return True
    done = [part.state.is_over or _is_settled(part) for part in parts]
    return all(done) if done else case.state.is_over


def _is_settled(part: SubCase) -> bool:
    """Whether a part needs no protection any more: it was refused, or what was decided was carried out.

    Then it is known what is right, or a restriction is in force.
    """
    is_done = part.action in (Action.RECTIFY, Action.RESTRICT) and part.state in CARRIED_OUT
    return is_done or part.action is Action.REFUSE


def _is_upheld(case: Case, principal: str) -> bool:
    return case.right is Right.OBJECTION and any(part.action is Action.STOP for part in _standing(case, principal))


def _standing(case: Case, principal: str) -> list[SubCase]:
    """Return the parts of a principal that the person did not take back."""
    mine = [part for part in case.sub_cases if part.principal == principal]
    return [part for part in mine if State.WITHDRAWN_BY_SUBJECT not in (case.state, part.state)]


def _settle(house: House, case: Case, principal: Principal, now: datetime) -> bool:
    for reason in _decided(case, principal):
        sealed = find_sealed(house, case.subject_key)
        if sealed is None:
            return False  # nobody can say any more whom to suppress, so the protection stays
        refs = tuple(sorted(all_refs_at(house, sealed.envelope.identifiers, principal)))
        if not refs:
            return False  # what the person gave names nobody here any more, but the protection still does, so it stays
        suppress_person(house, sealed.envelope, principal, refs, reason, now)
    if not _kept_from_marketing(house, case, principal, now):
        return False
    # the erasure itself keeps the person out; others who share a telephone with them may be in files again
    ends = protection_ends(case, principal) or protection_store.is_proven_at(house.conn, case.case_id, principal)
    released = ends and release(house, case.case_id, principal, now)
    groundless = [lift_case(house, principal, reason, case.case_id, now) for reason in _groundless(case, principal)]
    return _come_back(house, case, principal, now) or any(groundless) or released


def _kept_from_marketing(house: House, case: Case, principal: Principal, now: datetime) -> bool:
    """Keep whoever objected in general out of marketing, where their protection ends and nothing else was decided.

    Return False if that could not be done, so that the protection has to stay.
    """
    is_taken_back = any(part.principal == principal for part in case.sub_cases) and not _standing(case, principal)
    if case.right is not Right.OBJECTION or is_taken_back or case.state is State.WITHDRAWN_BY_SUBJECT:
        return True
    if _is_upheld(case, principal) or not protection_ends(case, principal):
        return True  # all of it is stopped, or the protection goes on
    sealed = find_sealed(house, case.subject_key)
    if sealed is None:
        return False
    if not keeps_marketing_out(case.right, sealed.envelope.purposes):
        return True
    refs = tuple(sorted(all_refs_at(house, sealed.envelope.identifiers, principal)))
    if refs:
        keep_from_marketing(house, sealed.envelope, principal, refs, now)
    return bool(refs)


def _groundless(case: Case, principal: str) -> list[Suppression]:
    """Return what no part of a principal decides any more, once they are all over: their controllers took it back.

    Before that a part may still come to the same decision again, and a suppression that ended is never in force again.
    To whom the principal's refusal was owed it was told by then. Protection that the right brings from the start is no
    decision (Art. 21(3)). Pure.
    """
    parts = [part for part in case.sub_cases if part.principal == principal]
    is_final = case.state.is_over or all(part.agreement_id is not None for part in parts)  # nobody is added any more
    if not parts or not is_final or not all(part.state.is_over for part in parts):
        return []
    stands = {keeps_out(case.right, part.action) for part in _standing(case, principal)} | {PROTECTED.get(case.right)}
    return [Suppression(each) for each in (Protection.RESTRICTED, Protection.OBJECTED) if each not in stands]


def _come_back(house: House, case: Case, principal: Principal, now: datetime) -> bool:
    """Let a person who took the request back into files again, whatever was decided.

    Where the erasure was proven before, the person stays out. Other requests of theirs have runs of their own.
    """
    if case.state is not State.WITHDRAWN_BY_SUBJECT:
        return False
    lifted = [lift_case(house, principal, reason, case.case_id, now) for reason in TAKEN_BACK]
    lifted.append(lift_case(house, principal, Suppression.OBJECTED, marketing_of(case.case_id), now))
    if not protection_store.is_proven_at(house.conn, case.case_id, principal):
        lifted += [lift(house, run.run_id, now) for run in runs_of(house.conn, case.case_id, principal)]
    return any(lifted)


def _decided(case: Case, principal: str) -> list[Protection]:
    """Return what was decided at a principal and replaces the protection; nothing once the person took it back."""
    actions = {part.action for part in _standing(case, principal)}
    found = {keeps_out(case.right, action) for action in actions}
    wanted = [Protection.RESTRICTED] + ([Protection.OBJECTED] if _is_upheld(case, principal) else [])
    return [each for each in wanted if each in found]
