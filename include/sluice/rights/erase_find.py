"""Whom an erasure is about, where they are, and what would come of each copy. Changes nothing."""

from collections import defaultdict
from collections.abc import Iterator

from sluice.exchange.house import House
from sluice.rights import erase_store, store, tidy_store
from sluice.rights.erase_model import OTHER_CONTROLLER, Done, Outcome, Place, Target
from sluice.rights.erase_scope import decided_of, is_decided
from sluice.rights.erase_stores import STORES, Bench, open_bench, store_of
from sluice.rights.identifiers import Envelope, open_sealed, refs_of, values_of
from sluice.rights.model import Case, CaseId, SubCase
from sluice.terms import Principal


def open_request(house: House, case_id: CaseId) -> tuple[Case, Envelope]:
    """The case and who it is about. Raises NotFound, SubjectUnreadable, CaseTidied."""
    case = store.get_case(house.conn, case_id)
    tidy_store.check_not_tidied(house.conn, case_id)
    return case, open_sealed(house, case.subject_key).envelope


def targets_of(house: House, case: Case, envelope: Envelope, *, decided_only: bool) -> Iterator[Target]:
    """Whom to erase at which principal. A plan looks at every principal concerned, a run where it was decided."""
    parts: dict[str, list[SubCase]] = defaultdict(list)
    for part in case.sub_cases:
        if part.agreement_id is not None:
            parts[part.principal].append(part)
    for name, own in sorted(parts.items()):
        decided = frozenset(pair for part in own for pair in decided_of(part))
        if decided or not decided_only:
            principal = Principal(name)
            key = house.subject_key(principal)
            refs = frozenset(refs_of(envelope.identifiers, key).values())
            yield Target(principal, key, refs, values_of(envelope.identifiers), decided, case.case_id)


def find_places(bench: Bench) -> Iterator[Place]:
    """Every copy that names the person, the index last. Raises StoreUnknown."""
    copies = erase_store.find_copies(bench.house.conn, bench.target.principal)
    order = {store.name: number for number, store in enumerate(STORES)}
    for copy in sorted(copies, key=lambda copy: order[store_of(copy).name]):
        if rows := store_of(copy).find(bench, copy):
            yield Place(store_of(copy).name, copy, rows)


def foresee(house: House, target: Target) -> Iterator[Done]:
    """What a run would do to every copy that names the person now, tried out on the bench."""
    with open_bench(house, target) as bench:
        for place in find_places(bench):
            if is_decided(place.copy, target):
                yield store_of(place.copy).erase(bench, place.copy).done
            else:
                yield kept(place)


def kept(place: Place) -> Done:
    """A copy that stays, because another controller has not decided."""
    return Done(place, Outcome.KEPT, OTHER_CONTROLLER, place.rows, place.rows)
