"""Find by what else a principal knows a person: what their own accepted rows tie to what they gave.

These are their customer and national numbers, if all rows with what they gave are of one person. It is also
whatever else stands in the rows with these numbers, unless a row with another number has it too: the telephone
of a household leads to nobody. A row with two numbers of a kind (of a customer and of who pays) ties nothing.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from sluice.exchange.house import House
from sluice.exchange.persons.corrections import Row, find_pairs, find_rows
from sluice.exchange.persons.known_as import KnownAs
from sluice.exchange.persons.merged import named_in
from sluice.rights.person.envelope import Envelope
from sluice.rights.person.identifiers import is_unowned
from sluice.rights.person.rectify_whom import is_of_one, numbers_of
from sluice.rights.person.whom import refs_at
from sluice.subject.model import DEFINING
from sluice.terms import Principal

NOTHING = frozenset[str]()


@dataclass(frozen=True, slots=True)
class Known:
    """One person at a principal.

    ``refs``: all they gave. ``numbers``: those of one person only, also if no principal knew them.
    """

    refs: frozenset[str] = field(repr=False)
    numbers: frozenset[str] = field(repr=False)


def find_tied(house: House, envelope: Envelope, principal: Principal) -> frozenset[str]:
    """References tied to what the persons of a request gave; none where nobody can tell whose rows those are.

    Rows are read three times: those with what was given, those with the numbers found in them, and, as far as needed
    to tell who else has it, those with whatever else stands in these.
    """
    known = KnownAs.of(house, principal)
    persons = [each for each in _persons(house, envelope, principal, known) if each.refs]
    asked = NOTHING.union(*(each.refs for each in persons))
    rows = _read(house, principal, asked, find_rows)
    by_ref = _by_ref(rows)
    numbers = NOTHING.union(*(_numbers(each, by_ref) for each in persons))
    rows |= _read(house, principal, numbers - asked, find_rows)
    by_ref = _by_ref(rows)
    beside = NOTHING.union(*(_beside(each, by_ref) for each in persons))
    by_ref = _by_ref(rows | _read(house, principal, beside, find_pairs))
    tied = NOTHING.union(*(tied_of(each, by_ref) for each in persons))
    return tied.union(*map(known.lead, tied)) - NOTHING.union(*(each.refs for each in persons))


def tied_of(person: Known, by_ref: Mapping[str, Collection[Row]]) -> frozenset[str]:
    """A person's numbers, and what else is in rows with these but in no row with other numbers only. Pure."""
    numbers = _numbers(person, by_ref)
    mine = _rows_of(numbers, by_ref)
    every = numbers.union(*(_refs(row.numbers) for row in mine))
    beside = NOTHING.union(*(row.others for row in mine))
    return every | {ref for ref in beside if not any(_is_of_another(row, every) for row in by_ref[ref])}


def _rows_of(numbers: frozenset[str], by_ref: Mapping[str, Collection[Row]]) -> list[Row]:
    """The rows with these numbers, each of one person only."""
    return [row for number in numbers for row in by_ref[number] if is_of_one(row.numbers)]


def _numbers(person: Known, by_ref: Mapping[str, Collection[Row]]) -> frozenset[str]:
    """The person's numbers in the rows with what they gave; none if those rows are of several persons."""
    found = {row.numbers for ref in person.refs for row in by_ref.get(ref, ()) if row.numbers}
    return (numbers_of(found, person.numbers) or NOTHING) & by_ref.keys()


def _beside(person: Known, by_ref: Mapping[str, Collection[Row]]) -> frozenset[str]:
    """Whatever else than numbers stands in the rows of a person."""
    return NOTHING.union(*(row.others for row in _rows_of(_numbers(person, by_ref), by_ref)))


def _is_of_another(row: Row, numbers: frozenset[str]) -> bool:
    return bool(row.numbers) and (numbers.isdisjoint(_refs(row.numbers)) or not is_of_one(row.numbers))


def _refs(numbers: Iterable[tuple[object, str]]) -> frozenset[str]:
    return frozenset(ref for _, ref in numbers)


def _by_ref(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found = defaultdict[str, list[Row]](list)
    for row in rows:
        for ref in row.others | _refs(row.numbers):
            found[ref].append(row)
    return dict(found)


Find = Callable[[House, Principal, frozenset[str], Collection[str]], set[Row]]


def _read(house: House, principal: Principal, refs: frozenset[str], find: Find) -> set[Row]:
    """Accepted rows with one of these references, in the files that the index, or a merge of it, names."""
    if not refs:
        return set()
    named = frozenset(run.exchange_id for run, _ in named_in(house, principal, sorted(refs)))
    return find(house, principal, refs, named)


def _persons(house: House, envelope: Envelope, principal: Principal, known: KnownAs) -> Iterator[Known]:
    """Yield the persons of a request to whom something can be tied.

    Nothing is tied to somebody who gave numbers of other principals only: they may be family of the person found
    here. Nor if somebody gave a number without saying whose: at another principal, that number is somebody else's.
    """
    every, place = envelope.identifiers, 0
    usable = refs_at(house, every, principal, known=known)
    given = refs_at(house, every, principal, nobodys=True, known=known)
    for person in envelope.persons:
        places = range(place, place + len(person))
        place += len(person)
        defining = [at for at in places if every[at].kind in DEFINING]
        numbers = NOTHING.union(*(given.get(at, NOTHING) for at in defining))
        is_of_others = bool(defining) and not numbers
        if not is_of_others and not any(map(is_unowned, person)):
            yield Known(NOTHING.union(*(usable.get(at, NOTHING) for at in places)), numbers)
