"""Find persons who still need their data at a principal.

They restricted its use (GDPR Art. 18(2)), or are owed an answer with it (Art. 15, 20). Retention waits for
them, and so does the erasure that a principal asks for by file.
"""

from collections.abc import Collection, Mapping
from datetime import date

from sluice.exchange.house import House
from sluice.exchange.persons import suppressed_store
from sluice.exchange.persons.known_as import KnownAs
from sluice.exchange.persons.sealed_runs import read_run
from sluice.rights.case import store
from sluice.rights.case.model import CaseId
from sluice.rights.copies import answer_store, needed_store
from sluice.rights.copies.needed_model import Need, Needed
from sluice.rights.person.sealed import find_sealed
from sluice.rights.person.whom import all_refs_at
from sluice.terms import Principal


def find_needed(house: House, principal: Principal, undecided_on: date | None = None) -> frozenset[Needed]:
    """What persons need copies of a principal for, now.

    ``undecided_on``: a Brussels day; then also what nobody has decided yet to give them and can still give in time.
    Nothing goes by itself meanwhile, but an erasure does not wait for it: its controller may decide both.
    """
    parts = [store.find_part(house.conn, each) for each in needed_store.find_decided(house.conn, principal)]
    owed = {part.case_id for part in parts if part is not None and answer_store.find_made(house.conn, part) is None}
    if undecided_on is not None:
        owed |= set(needed_store.find_undecided(house.conn, principal, undecided_on))
    restricted = needed_store.find_restricted(house.conn, principal)
    return frozenset(
        {*(Needed(Need.ANSWER, each) for each in owed), *(Needed(Need.RESTRICTION, each) for each in restricted)}
    )


def refs_by_need(house: House, principal: Principal, needed: Collection[Needed]) -> Mapping[Needed, frozenset[str]]:
    """By need, the references of its person, restrictions first. Left out if the person cannot be answered any more."""
    restricted = {each.cause: each for each in needed if each.need is Need.RESTRICTION}
    found: dict[Needed, frozenset[str]] = {}
    for run in suppressed_store.find_runs(house.conn, principal, only=restricted):
        found[restricted[run.run_id]] = frozenset(read_run(house, run)["ref"].to_list())
    owed = sorted((each for each in needed if each.need is Need.ANSWER), key=lambda one: one.cause)
    known = KnownAs.of(house, principal) if owed else None
    for each in owed:
        sealed = find_sealed(house, store.get_case(house.conn, CaseId(each.cause)).subject_key)
        if sealed is not None:
            found[each] = all_refs_at(house, sealed.envelope.identifiers, principal, known=known)
    return {each: refs for each, refs in found.items() if refs}
