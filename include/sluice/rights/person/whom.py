"""Whom the identifiers of a request are about at a principal: their references, and those that corrections lead to."""

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
    """By place in the list the references of a person at a principal; what names nobody there has none.

    Somebody whose telephone was corrected (Art. 16) is found under the old one and the right one. nobodys: as of
    :func:`sluice.rights.person.identifiers.places_at`. known: of the principal, where somebody looks for many
    persons at once.
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
    """The same of all identifiers together."""
    return frozenset().union(*refs_at(house, identifiers, principal, nobodys=nobodys, known=known).values())
