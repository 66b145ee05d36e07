"""Let a person confirm who is meant by a case with only a name and a birth date: a candidate, or nobody.

Until then the case has no part, so no guard lets it go on: nobody is kept out, nothing is erased, but its clock runs.
The request stays sealed as it was asked. The confirmed request is sealed beside it, and the case is about that one
from then on.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import ClassVar

from sluice.errors import Exit, NotFound, Ref, SluiceError
from sluice.exchange.house import House
from sluice.exchange.read import pick_principals
from sluice.ledger.names import check_name
from sluice.rights.case import store
from sluice.rights.case.book import open_book
from sluice.rights.case.model import Case, CaseId
from sluice.rights.case.steps import desk_order
from sluice.rights.copies.candidates import Search, find_candidates, identifier_of
from sluice.rights.person.envelope import Envelope
from sluice.rights.person.protect import protect
from sluice.rights.person.sealed import PREFIX, Sealed, open_sealed, seal
from sluice.terms import Principal

CONFIRMED, NOBODY = "CANDIDATE_CONFIRMED", "CANDIDATE_NONE"
Chosen = tuple[Principal, str]
"""A principal and one of its candidates, in the form that :class:`Candidate` shows."""


class CaseNotWaiting(SluiceError):
    code: ClassVar[str] = "SLU-526"
    summary: ClassVar[str] = "this case does not wait for a candidate"
    cure: ClassVar[str] = "`sluice case show` says where it stands; another person is another case"
    exit: ClassVar[Exit] = Exit.REFUSED


def candidates_of(house: House, case_id: CaseId) -> Search:
    """Return the persons who may be meant by a case that waits. Raises CaseNotWaiting, NotFound, SubjectUnreadable."""
    _, sealed = _waiting(house, case_id)
    assert sealed.envelope.sought is not None  # it waits
    return find_candidates(house, sealed.envelope.sought, _principals(house, sealed.envelope))


def confirm_candidate(house: House, case_id: CaseId, chosen: Sequence[Chosen], now: datetime, by: str) -> Case:
    """Confirm that these candidates are the person, so that the case goes on. None chosen means that it is nobody.

    A principal of whom none is chosen gets no part. The first confirmation is sealed before anybody is kept out, and it
    counts: if a worker dies after it, only the same confirmation can follow. Raises CaseNotWaiting, NotFound for
    somebody who is no candidate of this case.
    """
    name, (case, asked) = check_name(by), _waiting(house, case_id)
    known = {(one.principal, one.candidate) for one in candidates_of(house, case_id).candidates}
    if not known.issuperset(chosen):
        raise NotFound(Ref("case", case_id), Ref("candidate", "of this case"))
    said = _confirmed(house, asked.envelope, chosen)
    sealed = seal(house, said, f"{PREFIX}{case_id}/confirmed.age")
    if (sealed.envelope.principal, sealed.envelope.persons) != (said.principal, said.persons):
        raise CaseNotWaiting(Ref("case", case_id), Ref("because", "ANOTHER_WAS_CONFIRMED"))
    scoped = protect(house, sealed.envelope, now)
    order = replace(desk_order(name, now, CONFIRMED if chosen else NOBODY, sealed.sha256), is_protected=True)
    with open_book(house.conn, case_id) as book:
        if book.case.sub_cases or book.case.state.is_over:
            raise CaseNotWaiting(Ref("case", case_id))
        changed = replace(
            case, subject_key=sealed.key, subject_sha256=sealed.sha256, searched=scoped.searched, sub_cases=scoped.parts
        )
        book.scope(changed, order)
        return book.case


def _waiting(house: House, case_id: CaseId) -> tuple[Case, Sealed]:
    case = store.get_case(house.conn, case_id)
    if case.sub_cases or case.state.is_over:
        raise CaseNotWaiting(Ref("case", case_id))
    sealed = open_sealed(house, case.subject_key)
    if not sealed.envelope.is_waiting:
        raise CaseNotWaiting(Ref("case", case_id))
    return case, sealed


def _principals(house: House, envelope: Envelope) -> list[Principal]:
    return [envelope.principal] if envelope.principal else pick_principals(house.conn)


def _confirmed(house: House, asked: Envelope, chosen: Sequence[Chosen]) -> Envelope:
    """Return the request as it would have been with the identifiers of these rows; without rows, about nobody.

    If rows of several principals were chosen, each identifier counts only at the principal whose rows have it:
    somebody else may have the same number, or share the telephone, at another, and nobody confirmed those.
    """
    if not chosen:
        return replace(asked, sought=None)
    found = ((principal, identifier_of(house, principal, candidate)) for principal, candidate in chosen)
    principals = {principal for principal, _ in chosen}
    if len(principals) == 1:
        return replace(asked, principal=chosen[0][0], persons=(tuple(each for _, each in found),))
    return replace(asked, persons=(tuple(replace(each, owner=principal) for principal, each in found),))
