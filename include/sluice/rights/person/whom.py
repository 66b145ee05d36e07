"""Find the references of a person at a principal, including those that corrections lead to."""

from collections.abc import Sequence

from sluice.exchange.house import House
from sluice.exchange.persons.known_as import KnownAs
from sluice.rights.person.identifiers import Identifier, refs_of
from sluice.terms import Principal


def refs_at(
    house: House,
    identifiers: Sequence[Identifier],
    principal: Principal,
    *,
    nobodys: bool = False,
    known: KnownAs | None = None,
) -> dict[int, frozenset[str]]:
    """The references of a person at a principal, by place in the list. An identifier that names nobody there has none.

    If a telephone was corrected (Art. 16), its owner is found under the old and the right one. nobodys: as for
    :func:`sluice.rights.person.identifiers.places_at`. known: corrections at the principal, for a caller that looks
    for many persons at once.
    """
    given = refs_of(identifiers, house.subject_key(principal), principal, nobodys=nobodys)
    known = known or KnownAs.of(house, principal)
    return {place: known.lead(ref) for place, ref in given.items()}


def all_refs_at(
    house: House,
    identifiers: Sequence[Identifier],
    principal: Principal,
    *,
    nobodys: bool = False,
    known: KnownAs | None = None,
) -> frozenset[str]:
    """The references of all identifiers together, as :func:`refs_at` finds them."""
    return frozenset().union(*refs_at(house, identifiers, principal, nobodys=nobodys, known=known).values())
