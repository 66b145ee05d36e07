"""Find whose rows a rectification corrects: the person's own, not those of somebody who shares their telephone.

Only a number that belongs to one person tells the rows of a household apart. A correction is therefore about
the numbers that the person gave, or about the only ones that accepted rows have beside what they gave.
"""

from collections.abc import Collection, Iterable

from sluice.exchange.house import House
from sluice.exchange.persons.corrections import Number, find_numbers
from sluice.exchange.persons.gone import find_gone
from sluice.exchange.persons.known_as import KnownAs
from sluice.rights.case.model import Case
from sluice.rights.person.sealed import open_sealed
from sluice.rights.person.whom import all_refs_at, refs_at
from sluice.subject.model import DEFINING
from sluice.terms import Principal


def refs_to_correct(house: House, case: Case, principal: Principal) -> frozenset[str] | None:
    """References by which a person's rows at a principal are corrected.

    None if nobody can tell which of several persons they are, or whether they are the one that was found, who has
    another number than they gave. Nothing is corrected that was erased and of which no row stayed by decision: the
    result is empty if all that was given was erased, or if a number of theirs was and no row has another one that they
    gave, because whoever has the same telephone is somebody else.
    """
    identifiers = open_sealed(house, case.subject_key).envelope.identifiers
    known = KnownAs.of(house, principal)
    every = all_refs_at(house, identifiers, principal, known=known)
    erased = find_gone(house, principal, every)
    refs = every - erased
    if not refs:
        return refs
    given = refs_at(house, identifiers, principal, nobodys=True, known=known)
    own = frozenset(ref for place, refs in given.items() if identifiers[place].kind in DEFINING for ref in refs)
    if not own and any(each.kind in DEFINING for each in identifiers):
        return None  # they gave another principal's number: whoever has their telephone here may be somebody else
    rows = find_numbers(house, principal, refs)
    if own & erased and not any(ref in own for row in rows for _, ref in row):
        return frozenset()
    numbers = numbers_of(rows, own - erased)
    return None if numbers is None else refs | numbers


def numbers_of(rows: Iterable[frozenset[Number]], given: frozenset[str]) -> frozenset[str] | None:
    """The person's own numbers, among those in the rows that were found. Pure.

    given: the numbers at this principal that the person gave. None: the rows are of several persons, or have none
    of these numbers. A row with two numbers of a kind (of a customer and of who pays) adds none to those given.
    """
    rows = list(rows)
    mine = [row for row in rows if not given.isdisjoint(ref for _, ref in row)]
    if mine:
        own = frozenset(ref for row in mine if is_of_one(row) for _, ref in row)
        return own | (given & frozenset(ref for row in mine for _, ref in row))
    if given:
        return None if rows else frozenset()  # the rows are somebody else's, or theirs and the number was mistyped
    numbers = frozenset[Number]().union(*rows)
    return frozenset(ref for _, ref in numbers) if is_of_one(numbers) else None


def is_of_one(numbers: Collection[Number]) -> bool:
    """Whether numbers can be of one person, who has at most one of each kind. Pure."""
    return len({kind for kind, _ in numbers}) == len(numbers)
