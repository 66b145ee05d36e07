"""Find which persons of a request file, or of consent records, an exchange held. Its recipients hear of no others.

The index knows this, so it is asked before an erasure edits it. For a request of one person nobody has to ask.
"""

from collections import defaultdict

import polars as pl

from sluice.exchange.house import House
from sluice.exchange.persons.merged import named_in
from sluice.rights.case.model import WITHOUT_LETTERS, Case
from sluice.rights.notices import holder_store
from sluice.rights.person.sealed import open_sealed
from sluice.rights.person.whom import refs_at
from sluice.subject.index import first_word
from sluice.terms import ExchangeId, Principal


def note_named(house: House, case: Case, principal: Principal) -> None:
    """Note which identifiers the index names in each exchange that was noted as a holder; repeating it only adds."""
    if case.channel not in WITHOUT_LETTERS:
        return
    refs = refs_at(house, open_sealed(house, case.subject_key).envelope.identifiers, principal)
    places: dict[int, set[int]] = defaultdict(set)
    for place, every in refs.items():
        for word in first_word(pl.Series("ref", sorted(every), dtype=pl.String)).to_list():
            places[word].add(place)
    named: dict[ExchangeId, set[int]] = defaultdict(set)
    for run, words in named_in(house, principal, sorted(frozenset().union(*refs.values()))):
        named[run.exchange_id].update(place for word in words for place in places[word])
    holder_store.note_named(house.conn, case.case_id, named)
