"""Whose rows a rectification corrects: the person's own, not those of whoever shares a telephone with them.

Only a number of one person tells the rows of a household apart, so a correction is about the numbers that the person
gave, or about the only ones that accepted rows bear beside what they gave.
"""

from collections.abc import Iterable

from sluice.exchange.corrections import Number, find_numbers
from sluice.exchange.house import House
from sluice.exchange.suppressed import find_erased
from sluice.rights.identifiers import open_sealed, refs_of
from sluice.rights.model import Case
from sluice.subject.model import DEFINING
from sluice.terms import Principal


def refs_to_correct(house: House, case: Case, principal: Principal) -> frozenset[str] | None:
    """References of the person at a principal. None: nobody can tell which of several persons they are.

    What was erased is not corrected any more; empty where that is all that was given.
    """
    identifiers = open_sealed(house, case.subject_key).envelope.identifiers
    given = refs_of(identifiers, house.subject_key(principal))
    refs = frozenset(given.values())
    refs -= find_erased(house, principal, refs)
    if not refs:
        return refs
    own = refs & {ref for place, ref in given.items() if identifiers[place].kind in DEFINING}
    is_only = {each.principal for each in case.sub_cases} == {principal}
    numbers = numbers_of(find_numbers(house, principal, refs), own, must_match=is_only)
    return None if numbers is None else refs | numbers


def numbers_of(rows: Iterable[frozenset[Number]], given: frozenset[str], *, must_match: bool) -> frozenset[str] | None:
    """Numbers of the person, of those that the rows found bear; None where they are of several persons. Pure.

    must_match: no other principal is concerned, so a number that was given is one of this principal's.
    """
    mine = [row for row in rows if not given.isdisjoint(ref for _, ref in row)]
    numbers = frozenset[Number]().union(*(mine or rows))
    if mine:
        return frozenset(ref for _, ref in numbers)
    if must_match and given:
        return frozenset()  # what was found is somebody else's
    is_one = len({kind for kind, _ in numbers}) == len(numbers)
    return frozenset(ref for _, ref in numbers) if is_one else None
