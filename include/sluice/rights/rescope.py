"""Add principals to a case that have accepted rows, or a record of consent, of the person since it was opened."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sluice.exchange.house import House
from sluice.exchange.persons.consents import find_named
from sluice.ledger.copy_kinds import LAKE
from sluice.rights.case.book import open_book
from sluice.rights.case.model import SYSTEM, Case, Order, SubCase
from sluice.rights.copies import copy_store
from sluice.rights.copies.bench import open_bench
from sluice.rights.copies.model import Target
from sluice.rights.copies.stores import store_of
from sluice.rights.person.envelope import Envelope
from sluice.rights.person.identifiers import values_of
from sluice.rights.person.protect import protect_at
from sluice.rights.person.scope import find_scope
from sluice.rights.person.whom import all_refs_at
from sluice.terms import Principal

KNOWN_SINCE = "KNOWN_SINCE"


def rescope(house: House, case: Case, envelope: Envelope, now: datetime) -> Case:
    """Return the case, with parts for every principal without one that knows the person by accepted rows or consents.

    New parts begin as the others did: protected first if the right requires it (access and portability do not), then
    decided on their own, and forwarded if a principal decides. A case about several persons, or that is over, stays as
    it is. Raises EvidenceInvalid for a copy that is not what the catalogue says.
    """
    if case.persons != 1 or not case.is_scoped or case.state.is_over or not envelope.identifiers:
        return case
    scoped = find_scope(house, replace(envelope, opened_at=now, forward_from=now))
    fresh = [part for part in _fresh(case, scoped.parts) if _is_known(house, Principal(part.principal), envelope)]
    if not fresh:
        return case
    names = {Principal(part.principal) for part in fresh}
    protect_at(house, envelope, {name: refs for name, refs in scoped.refs.items() if name in names}, now)
    with open_book(house.conn, case.case_id) as book:
        added = _fresh(book.case, fresh)
        order = Order(SYSTEM, now, KNOWN_SINCE, case.subject_sha256)
        if added:
            book.widen(added, scoped.searched, order)
        return book.case


def _fresh(case: Case, parts: Sequence[SubCase]) -> list[SubCase]:
    """Return the parts that the index points at, of principals without a part."""
    known = {part.principal for part in case.sub_cases if part.agreement_id is not None}
    return [part for part in parts if part.has_hit and part.principal not in known]


def _is_known(house: House, principal: Principal, envelope: Envelope) -> bool:
    """Whether a record of consent or accepted rows really name the person: the index has but a piece of a reference."""
    key = house.subject_key(principal)
    refs = all_refs_at(house, envelope.identifiers, principal)
    if find_named(house, principal, refs):
        return True
    copies = [copy for copy in copy_store.find_copies(house.conn, principal) if copy.kind == LAKE]
    values = values_of(envelope.identifiers, key, principal)
    with open_bench(house, Target(principal, key, refs, values, frozenset())) as bench:
        return any(store_of(copy).find(bench, copy) for copy in copies)
