"""Who knows a person is settled when the request is opened; who has accepted rows of them since is concerned too."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sluice.exchange.house import House
from sluice.ledger.copy_kinds import LAKE
from sluice.rights.case.book import open_book
from sluice.rights.case.model import SYSTEM, Case, Order, SubCase
from sluice.rights.copies import copy_store
from sluice.rights.copies.bench import open_bench
from sluice.rights.copies.model import Target
from sluice.rights.copies.stores import store_of
from sluice.rights.person.identifiers import Envelope, values_of
from sluice.rights.person.protect import hold_at
from sluice.rights.person.scope import find_scope
from sluice.rights.person.whom import all_refs_at
from sluice.terms import Principal

KNOWN_SINCE = "KNOWN_SINCE"


def rescope(house: House, case: Case, envelope: Envelope, now: datetime) -> Case:
    """The case, with parts for every principal whose accepted rows name the person and that had none.

    They begin as the others did: protected first where the right asks for it (access and portability do not), then
    their own decision, forwarded where a principal takes it. A case about several
    persons, or that is over, stays as it is. Raises EvidenceInvalid for a copy that is not what the catalogue says.
    """
    if case.persons != 1 or not case.is_scoped or case.state.is_over or not envelope.identifiers:
        return case
    scoped = find_scope(house, replace(envelope, opened_at=now, forward_from=now))
    fresh = [part for part in _fresh(case, scoped.parts) if _is_in_rows(house, Principal(part.principal), envelope)]
    if not fresh:
        return case
    names = {Principal(part.principal) for part in fresh}
    hold_at(house, envelope, {name: refs for name, refs in scoped.refs.items() if name in names}, now)
    with open_book(house.conn, case.case_id) as book:
        added = _fresh(book.case, fresh)
        order = Order(SYSTEM, now, KNOWN_SINCE, case.subject_sha256)
        if added:
            book.widen(added, scoped.searched, order)
        return book.case


def _fresh(case: Case, parts: Sequence[SubCase]) -> list[SubCase]:
    """Parts of principals that have none; the index points at them."""
    known = {part.principal for part in case.sub_cases if part.agreement_id is not None}
    return [part for part in parts if part.has_hit and part.principal not in known]


def _is_in_rows(house: House, principal: Principal, envelope: Envelope) -> bool:
    """Whether accepted rows bear it out: the index holds a piece of a reference only."""
    key = house.subject_key(principal)
    refs = all_refs_at(house, envelope.identifiers, principal)
    copies = [copy for copy in copy_store.find_copies(house.conn, principal) if copy.kind == LAKE]
    values = values_of(envelope.identifiers, key, principal)
    with open_bench(house, Target(principal, key, refs, values, frozenset())) as bench:
        return any(store_of(copy).find(bench, copy) for copy in copies)
