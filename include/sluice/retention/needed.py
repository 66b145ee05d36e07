"""Keep copies that a person still needs, having restricted their use (GDPR Art. 18(2)) or awaiting an answer from them
(Art. 15, 20).

The index of an exchange says who is in its copies. Nothing is read if nobody at the principal needs anything.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from sluice.errors import NotFound
from sluice.exchange.house import House
from sluice.exchange.persons import merged_store
from sluice.exchange.persons.merged import RUNS, ask_merged
from sluice.retention.model import Due
from sluice.rights.copies.needed import refs_by_need
from sluice.rights.copies.needed_model import Need, Needed
from sluice.subject.index import find_in_run
from sluice.terms import ExchangeId, Principal


def keep_needed(house: House, principal: Principal, dues: Iterable[Due], needed: Collection[Needed]) -> list[Due]:
    """The same copies; those that name a person who needs them are marked to wait.

    Copies that a dead worker began to delete do not wait, nor do those made from others for somebody to use or given
    back to the principal.
    """
    found = list(dues)
    wanted = {due.copy.exchange_id for due in found if _may_wait(due)}
    if not wanted or not needed:
        return found
    named: dict[ExchangeId, Need] = {}
    for need, refs in _together(refs_by_need(house, principal, needed)).items():
        named |= dict.fromkeys(_named(house, principal, wanted - named.keys(), sorted(refs)), need)
    return [replace(due, needed_for=named.get(due.copy.exchange_id)) if _may_wait(due) else due for due in found]


def _may_wait(due: Due) -> bool:
    return not (due.is_begun or due.copy.is_handed_out or due.copy.is_given_back)


def _together(found: Mapping[Needed, frozenset[str]]) -> Mapping[Need, set[str]]:
    """References of all persons by need, so that each need is looked up once."""
    every: dict[Need, set[str]] = {}
    for each, refs in found.items():
        every.setdefault(each.need, set()).update(refs)
    return every


def _named(house: House, principal: Principal, wanted: Collection[ExchangeId], refs: list[str]) -> set[ExchangeId]:
    """Exchanges among ``wanted`` whose index names one of the persons, or cannot be read as it is being edited."""
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
