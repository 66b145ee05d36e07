"""Find whom an erasure is about, where they are, and what would happen to each copy. Changes nothing."""

from collections import defaultdict
from collections.abc import Container, Iterator

from sluice.exchange.house import House
from sluice.exchange.persons.merged import RUNS
from sluice.rights.case import store
from sluice.rights.case.model import Case, CaseId, SubCase
from sluice.rights.case.states import UNDECIDED
from sluice.rights.copies import copy_store
from sluice.rights.copies.bench import Bench, open_bench
from sluice.rights.copies.lead import find_lead
from sluice.rights.copies.model import ANSWER, OTHER_CONTROLLER, Copy, Done, Outcome, Place, Target
from sluice.rights.copies.needles import recall
from sluice.rights.copies.scope import decided_of, groups_of, is_decided
from sluice.rights.copies.stores import STORES, hides, store_of
from sluice.rights.person.envelope import Envelope
from sluice.rights.person.identifiers import values_of
from sluice.rights.person.sealed import open_sealed
from sluice.rights.person.whom import all_refs_at
from sluice.terms import ExchangeId, Principal


def open_request(house: House, case_id: CaseId) -> tuple[Case, Envelope]:
    """Return a case and its opened envelope. Raises NotFound, SubjectUnreadable, MaterialGone."""
    case = store.get_case(house.conn, case_id)
    store.check_not_tidied(house.conn, case_id)
    return case, open_sealed(house, case.subject_key).envelope


def targets_of(house: House, case: Case, envelope: Envelope, *, decided_only: bool) -> Iterator[Target]:
    """Yield whom to erase at each principal.

    A plan looks at every principal concerned, a run (``decided_only``) only where an erasure was decided.
    """
    parts: dict[str, list[SubCase]] = defaultdict(list)
    for part in case.sub_cases:
        if part.agreement_id is not None:
            parts[part.principal].append(part)
    for name, own in sorted(parts.items()):
        decided = frozenset(pair for part in own for pair in decided_of(part))
        if decided or not decided_only:
            principal = Principal(name)
            key = house.subject_key(principal)
            refs = all_refs_at(house, envelope.identifiers, principal) | recall(house, case.case_id, principal).refs
            every = frozenset(pair for part in own for pair in groups_of(part))
            open_ = frozenset(pair for part in own if part.state in UNDECIDED for pair in groups_of(part))
            values = values_of(envelope.identifiers, key, principal)
            yield Target(principal, key, refs, values, decided, open_, every, case.case_id)


def find_places(bench: Bench, *, hidden: bool = False) -> Iterator[Place]:
    """Yield every copy that names the person, the index last; the index says which are opened.

    Raises StoreUnknown. hidden: also yield, with no rows, each copy of which nobody can tell, because nobody can
    read it.
    """
    for copy in led_copies(bench):
        rows = _rows(bench, copy)
        if rows or (hidden and hides(bench, copy)):
            yield Place(store_of(copy).name, copy, rows)


def led_copies(bench: Bench) -> list[Copy]:
    """Copies that may name the person, as far as the index knows, the index last. Raises StoreUnknown."""
    copies = copy_store.find_copies(bench.house.conn, bench.target.principal)
    order = {store.name: number for number, store in enumerate(STORES)}
    ordered = sorted(copies, key=lambda copy: order[store_of(copy).name])
    lead = find_lead(bench, ordered)
    return [copy for copy in ordered if lead.may_hold(copy)]


def _rows(bench: Bench, copy: Copy) -> int:
    """How many rows of a copy name the person. A version without any is searched only once.

    Answers are searched every time: who an answer is about depends on its request, which can change.
    """
    if copy.name in bench.known.clean:
        return 0
    rows = store_of(copy).find(bench, copy)
    if not rows and copy.kind != ANSWER:
        bench.known.clean.add(copy.name)
    return rows


def foresee(house: House, target: Target) -> Iterator[Done]:
    """Yield what a run would do now to every copy that names the person, by trying it out on the bench."""
    stay: set[ExchangeId] = set()
    with open_bench(house, target) as bench:
        for copy in led_copies(bench):
            if is_decided(copy, target) and not is_pointing(copy, stay):
                edit = store_of(copy).erase(bench, copy)
                found = [edit.done] if edit.is_needed else []
            else:
                found = [kept(Place(store_of(copy).name, copy, rows))] if (rows := _rows(bench, copy)) else []
                stay.update(done.place.copy.exchange_id for done in found)
            yield from found


def is_pointing(copy: Copy, stay: Container[str]) -> bool:
    """Whether a copy is an index run of an exchange in ``stay``.

    These are exchanges of which a copy stays. The index stays as long as that does.
    """
    return copy.kind in RUNS and copy.exchange_id in stay


def kept(place: Place) -> Done:
    """A copy that stays, because another controller has not decided."""
    return Done(place, Outcome.KEPT, OTHER_CONTROLLER, place.rows, place.rows)
