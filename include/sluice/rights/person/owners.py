"""Find out whose a customer number is. It belongs to one principal: elsewhere, the same number is somebody else's.

If the request addresses a principal, that principal's number is meant. Otherwise every principal is asked when
the case is opened, and the answer is sealed with the request. A number that none of them knew then belongs to
nobody in this case, even if somebody delivers such a number later.
"""

from sluice.errors import Ref, UsageError
from sluice.exchange.house import House
from sluice.rights.case.errors import IdentifierInvalid, NumberOfSeveral
from sluice.rights.person.envelope import Envelope, name_owners
from sluice.rights.person.identifiers import is_unowned
from sluice.rights.person.scope import candidates_of, check_principal, find_hits
from sluice.rights.person.whom import refs_at
from sluice.terms import Principal, SubjectKind


def with_owners(house: House, envelope: Envelope) -> Envelope:
    """Return the request with an owner for every customer number, before it is sealed.

    Raises NumberOfSeveral; PrincipalUnknown for an owner that never had an agreement; UsageError for one that is
    not the principal addressed; IdentifierInvalid for an owner of another kind of identifier.
    """
    for place, each in enumerate(envelope.identifiers, 1):
        if each.owner is not None and each.kind is not SubjectKind.PRINCIPAL_CUSTOMER_ID:
            raise IdentifierInvalid(Ref("identifier", place))
        if each.owner is not None:
            check_principal(house, each.owner, envelope.opened_at)
            if envelope.principal not in (None, each.owner):
                raise UsageError(Ref("identifier", place), Ref("rule", "OF_ANOTHER_PRINCIPAL"))
    knew = _ask(house, envelope)
    for place, each in enumerate(envelope.identifiers):
        count = sum(place in places for places in knew.values())
        if is_unowned(each) and count > 1:
            raise NumberOfSeveral(Ref("identifier", place + 1), Ref("principals", count))
    return name_owners(envelope, knew)


def _ask(house: House, envelope: Envelope) -> dict[Principal, tuple[int, ...]]:
    """Per principal, the places of the customer numbers without owner that its index knows."""
    open_ = {place for place, each in enumerate(envelope.identifiers) if is_unowned(each)}
    if not open_:
        return {}
    found = {}
    for each in candidates_of(house, envelope):
        refs = refs_at(house, envelope.identifiers, each.principal)
        own = {place: every for place, every in refs.items() if place in open_}
        found[each.principal] = find_hits(house, each.principal, own)
    return found
