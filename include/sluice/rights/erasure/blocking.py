"""Find the cases in error that keep the erasure of another case from beginning."""

from collections.abc import Mapping
from contextlib import suppress

from sluice.errors import NotFound
from sluice.exchange.house import House
from sluice.rights.case.errors import MaterialGone, SubjectUnreadable
from sluice.rights.case.model import CaseId
from sluice.rights.copies.find import open_request, targets_of
from sluice.rights.erasure import control_store
from sluice.terms import Principal

Reach = Mapping[Principal, frozenset[str]]
"""By principal where an erasure was decided, the references it goes by."""


def find_in_the_way(house: House, case_id: CaseId) -> list[CaseId]:
    """Return the cases in error that this one has to wait for.

    It does not wait for a case that it reaches too, by the same references and by more: that one may be in error for
    want of the others, where a flow knows the person by an identifier that its request did not name.
    """
    erring = [each for each in control_store.find_erring(house.conn) if each != case_id]
    own = _reach(house, case_id) if erring else {}
    return [each for each in erring if not _goes_further(own, _reach(house, each))]


def _reach(house: House, case_id: CaseId) -> Reach:
    """Whom a case reaches, and where; nobody if its request cannot be opened any more."""
    with suppress(NotFound, SubjectUnreadable, MaterialGone):
        case, envelope = open_request(house, case_id)
        return {each.principal: each.refs for each in targets_of(house, case, envelope, decided_only=True)}
    return {}


def _goes_further(own: Reach, other: Reach) -> bool:
    shared = [(own.get(principal, frozenset()), refs) for principal, refs in other.items()]
    return all(refs <= mine for mine, refs in shared) and any(refs < mine for mine, refs in shared if refs)
