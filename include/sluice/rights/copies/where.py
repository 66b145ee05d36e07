"""Find where a person is: in which copies of which exchanges, in which columns, and in how many rows."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sluice.exchange.house import House
from sluice.exchange.naming import withheld_unless_safe
from sluice.exchange.persons.consent_store import find_runs
from sluice.exchange.persons.consents import find_lists
from sluice.ledger.copy_kinds import ARRIVED
from sluice.rights.copies.bench import open_bench
from sluice.rights.copies.find import find_places
from sluice.rights.copies.model import CONSENTS, Copy, Target
from sluice.rights.copies.stores import STORES
from sluice.rights.person.identifiers import Identifier, values_of
from sluice.rights.person.whom import all_refs_at
from sluice.terms import Principal


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """One object that names the person. ``fields``: its columns that can name somebody.

    ``exchange``, ``direction``: empty for a list of consent records, which is part of no exchange.
    """

    principal: str
    store: str
    object: str
    exchange: str
    direction: str
    fields: tuple[str, ...]
    rows: int


def stores_searched() -> tuple[str, ...]:
    """The name of every store that is searched, even if nothing is found in it."""
    return tuple(store.name for store in STORES)


def where(house: House, identifiers: Sequence[Identifier], principals: Sequence[Principal]) -> Iterator[Whereabouts]:
    """Yield every copy, and list of consent records, that names the person. The files decide, not the index."""
    for principal in principals:
        key = house.subject_key(principal)
        refs = all_refs_at(house, identifiers, principal)
        target = Target(principal, key, refs, values_of(identifiers, key, principal), frozenset())
        with open_bench(house, target) as bench:
            for place in find_places(bench):
                copy = place.copy
                yield Whereabouts(
                    principal,
                    place.store,
                    shown_uri(copy),
                    copy.exchange_id,
                    copy.direction.value,
                    tuple(column.name for column in copy.columns),
                    place.rows,
                )
        yield from _consents(house, principal, refs)


def _consents(house: House, principal: Principal, refs: frozenset[str]) -> Iterator[Whereabouts]:
    named = Counter(run for run, ref in find_lists(house, principal).select("run_id", "ref").iter_rows() if ref in refs)
    for run in find_runs(house.conn, principal):
        if rows := named[run.run_id]:
            yield Whereabouts(principal, CONSENTS, f"s3://{run.bucket}/{run.key}", "", "", (), rows)


def shown_uri(copy: Copy) -> str:
    """Where a copy is. The name that a principal gave its file is withheld, unless it is as agreed."""
    name = withheld_unless_safe(copy.key, copy.flow) if copy.kind == ARRIVED else copy.key
    return f"s3://{copy.bucket}/{name}"
