"""Copies that a person still needs: they restricted what is done with them (GDPR Art. 18(2)), or are owed an answer
of them (Art. 15, 20).

Whose a copy is, the index of its exchange says. Nothing is read where nobody at the principal needs anything.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from sluice.errors import NotFound
from sluice.exchange import merged_store, suppressed_store
from sluice.exchange.house import House
from sluice.exchange.merged import RUNS, ask_merged
from sluice.exchange.sealed_runs import read_run
from sluice.retention import store
from sluice.retention.model import Due, Need, Needed
from sluice.rights import answer_store
from sluice.rights import store as cases
from sluice.rights.identifiers import find_sealed, refs_of
from sluice.rights.model import CaseId
from sluice.subject.index import find_in_run
from sluice.terms import ExchangeId, Principal


def find_needed(house: House, principal: Principal) -> frozenset[Needed]:
    """What persons need copies of a principal for, now."""
    parts = [cases.find_part(house.conn, each) for each in store.find_decided(house.conn, principal)]
    owed = {part.case_id for part in parts if part is not None and answer_store.find_made(house.conn, part) is None}
    restricted = store.find_restricted(house.conn, principal)
    return frozenset(
        {*(Needed(Need.ANSWER, each) for each in owed), *(Needed(Need.RESTRICTION, each) for each in restricted)}
    )


def keep_needed(house: House, principal: Principal, dues: Iterable[Due], needed: Collection[Needed]) -> list[Due]:
    """The same copies; those that name who needs them wait.

    What a dead worker began to delete goes on, and so does what was made of other copies for somebody to use it.
    """
    found = list(dues)
    wanted = {due.copy.exchange_id for due in found if _may_wait(due)}
    if not wanted or not needed:
        return found
    named: dict[ExchangeId, Need] = {}
    for need, refs in _refs_by_need(house, principal, needed).items():
        named |= dict.fromkeys(_named(house, principal, wanted - named.keys(), sorted(refs)), need)
    return [replace(due, needed_for=named.get(due.copy.exchange_id)) if _may_wait(due) else due for due in found]


def _may_wait(due: Due) -> bool:
    return not (due.is_begun or due.copy.is_handed_out or due.copy.is_given_back)


def _refs_by_need(house: House, principal: Principal, needed: Collection[Needed]) -> Mapping[Need, set[str]]:
    """References of the persons, a restriction first."""
    runs = [each.cause for each in needed if each.need is Need.RESTRICTION]
    found: dict[Need, set[str]] = {Need.RESTRICTION: set(), Need.ANSWER: set()}
    for run in suppressed_store.find_runs(house.conn, principal, only=runs):
        found[Need.RESTRICTION].update(read_run(house, run)["ref"].to_list())
    for case_id in (each.cause for each in needed if each.need is Need.ANSWER):
        sealed = find_sealed(house, cases.get_case(house.conn, CaseId(case_id)).subject_key)
        if sealed is not None:  # else nobody can answer it any more
            found[Need.ANSWER].update(refs_of(sealed.envelope.identifiers, house.subject_key(principal)).values())
    return {need: refs for need, refs in found.items() if refs}


def _named(house: House, principal: Principal, wanted: Collection[ExchangeId], refs: list[str]) -> set[ExchangeId]:
    """Those of these exchanges whose index names one of the persons, or is just being edited."""
    every = merged_store.find_runs(house.conn, principal, RUNS) if wanted else ()
    runs = {run.name: run for run in every if run.exchange_id in wanted}
    said = ask_merged(house, principal, runs.keys(), refs)
    found = {runs[name].exchange_id for name, answer in said.items() if answer.hits}
    for run in (run for name, run in runs.items() if name not in said and run.exchange_id not in found):
        try:
            names_one = not find_in_run(house.objects.read(run.bucket, run.key, run.version_id), refs).is_empty()
        except NotFound:
            names_one = True  # the next night looks again
        if names_one:
            found.add(run.exchange_id)
    return found
