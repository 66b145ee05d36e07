"""Everything about a person at every principal concerned, by the erasure's own find."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

import polars as pl

from sluice.agreement.in_force.store import find_version
from sluice.agreement.model import Agreement, FieldRole
from sluice.answers.confirm import doubtful
from sluice.answers.consents import find_consents
from sluice.answers.model import Consents, Found, Held, PaperId, StoreCount
from sluice.answers.righted import Righted, opinion_of
from sluice.exchange.catalogue import find_copies
from sluice.exchange.house import House
from sluice.exchange.persons.suppressed import find_reasons
from sluice.keys import SUBJECT
from sluice.ledger.copy_kinds import LAKE
from sluice.results.mapping import load_mapping
from sluice.results.model import DURATION_COLUMNS, TIME_COLUMNS
from sluice.rights.case import letter_store
from sluice.rights.case.model import Case, SubCase
from sluice.rights.copies import answer_store, copy_store
from sluice.rights.copies.bench import Bench, open_bench
from sluice.rights.copies.find import find_places, targets_of
from sluice.rights.copies.model import CONSENTS, Copy, Place, Target
from sluice.rights.copies.read import PersonRows, refs_in
from sluice.rights.copies.stores import STORES, store_of
from sluice.rights.notices import holder_store
from sluice.rights.notices.tell import note_places
from sluice.rights.person.envelope import Envelope
from sluice.rights.person.identifiers import values_of
from sluice.rights.person.whom import all_refs_at, refs_at
from sluice.subject.key import SubjectKey
from sluice.subject.model import DEFINING
from sluice.terms import Principal, SubjectKind

EVERYBODY = "*"
"""Stands for all principals together."""
CANONICAL_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"


def collect(house: House, case: Case, envelope: Envelope, only: str | None = None) -> Iterator[Found]:
    """What every principal concerned has of the person, with its stores, zero hits too. ``only``: at that principal.

    Raises StoreUnknown, EvidenceInvalid: nothing is said of a place that could not be read.
    """
    for target in targets_of(house, case, envelope, decided_only=False):
        if only in (None, target.principal):
            yield _found(house, case, envelope, target)


def search_everywhere(house: House, case: Case, envelope: Envelope) -> tuple[StoreCount, ...]:
    """Nobody knows the person: every store of every principal is looked into all the same, and added up.

    The names stay out of it: who asks learns how many we work for, not for whom. Where the key of references was
    destroyed since, nothing names anybody any more.
    """
    every: dict[str, StoreCount] = {}
    there = (name for name in map(Principal, case.searched) if not house.keyring.is_destroyed(name, SUBJECT))
    for principal in there:
        given, key = envelope.identifiers, house.subject_key(principal)
        refs = all_refs_at(house, given, principal, nobodys=True)
        target = Target(principal, key, refs, values_of(given, key, principal, nobodys=True), frozenset())
        with open_bench(house, target) as bench:
            consents = find_consents(house, principal, refs, refs, refs)
            for count in _stores(house, target, _places(bench, case), consents, case):
                old = every.get(count.store, StoreCount(EVERYBODY, count.store, 0, 0, 0))
                every[count.store] = StoreCount(
                    EVERYBODY, count.store, old.copies + count.copies, old.hits + count.hits, old.rows + count.rows
                )
    return tuple(every.values())


def find_kept_out(house: House, case: Case, envelope: Envelope) -> tuple[str, ...]:
    """Why the person is kept out at any principal that was searched, in a file there or in none; not at which.

    A code of who asks is kept for that, so they are processed there (GDPR Art. 4(2), 15(1)).
    """
    found: set[str] = set()
    for name in map(Principal, case.searched):
        if not house.keyring.is_destroyed(name, SUBJECT):
            found.update(find_reasons(house, name, all_refs_at(house, envelope.identifiers, name)))
    return tuple(sorted(found))


def _found(house: House, case: Case, envelope: Envelope, target: Target) -> Found:
    parts = tuple(part for part in case.sub_cases if part.principal == target.principal)
    with open_bench(house, target) as bench:
        read = [(place, store_of(place.copy).read(bench, place.copy)) for place in _places(bench, case)]
    places, rows = [place for place, _ in read], [each for _, each in read]
    note_places(house, case.case_id, target.principal, places)
    doubts = doubtful(rows, _asked(house, envelope, target))
    own = frozenset(ref for each, mask in zip(rows, doubts.masks, strict=True) for ref in _refs(each, mask, target.key))
    numbers = frozenset(ref for each, mask in zip(rows, doubts.masks, strict=True) for ref in _numbers(each, mask))
    righted = Righted.of(house, target, own, numbers)
    alone = numbers.difference(*(_of_two(each, target.key) for each in rows)) | (numbers & target.refs)
    sure = alone if doubts.is_shared else alone | target.refs
    consents = find_consents(house, target.principal, target.refs, own, sure)
    return Found(
        target=target,
        company=letter_store.find_company(house.conn, parts[0]),
        agreement=_agreement(house, parts[0]),
        papers=_papers(house, [place.copy for place in places]),
        parts=parts,
        held=tuple(
            _held(righted, *each, is_shared=doubts.is_shared) for each in zip(places, rows, doubts.masks, strict=True)
        ),
        stores=tuple(_stores(house, target, places, consents, case)),
        holders=tuple(holder_store.find_holders(house.conn, case.case_id, target.principal)),
        suppressed=find_reasons(house, target.principal, target.refs),
        own=own | target.refs,
        consents=consents,
        unasked=tuple(_unasked(house, case, target, own, numbers, rows)),
    )


def _unasked(
    house: House, case: Case, target: Target, own: frozenset[str], numbers: frozenset[str], found: Iterable[PersonRows]
) -> Iterator[tuple[Copy, int]]:
    """Yield copies with more rows of the person than what they gave finds, and how many more.

    Such rows bear only what stands beside it in rows that are surely theirs, as where a flow knows them by a customer
    number that the request does not name. own, numbers: references in the person's rows. found: what they gave finds.
    """
    if own <= target.refs:
        return
    mine = sorted(numbers | target.refs)
    counted = {each.copy.name: _size(each, mine) for each in found}
    with open_bench(house, replace(target, refs=target.refs | own)) as bench:
        for place in _places(bench, case):
            rows = store_of(place.copy).read(bench, place.copy)
            more = _size(rows, mine) - counted.get(place.copy.name, 0)
            if more > 0:
                yield place.copy, more


def _size(rows: PersonRows, mine: Sequence[str]) -> int:
    """How many rows and records there are, those that cannot be told apart too; without those with others' numbers."""
    of_others = pl.repeat(False, rows.frame.height, dtype=pl.Boolean, eager=True)
    for series in rows.ids.values():
        of_others |= series.is_not_null() & ~series.is_in(mine)
    return rows.frame.height - int(of_others.sum()) + len(rows.raw) + rows.apart


def _agreement(house: House, part: SubCase) -> Agreement | None:
    if part.agreement_id is None or part.agreement_version is None:
        return None
    return find_version(house.conn, part.agreement_id, part.agreement_version)


def _papers(house: House, copies: Sequence[Copy]) -> dict[PaperId, Agreement]:
    """Every version of an agreement under which a copy was made."""
    wanted = {(each.contract.agreement_id, each.contract.agreement_version) for each in copies if each.contract}
    found = {each: find_version(house.conn, *each) for each in sorted(wanted)}
    return {each: paper for each, paper in found.items() if paper is not None}


def _asked(house: House, envelope: Envelope, target: Target) -> Mapping[SubjectKind, frozenset[str]]:
    """By every kind that was given what is known of it here: nothing where all of a kind is of other principals.

    A customer number that nobody knew says that a row found by something else is the person's, once one came with it.
    """
    given = envelope.identifiers
    refs = refs_at(house, given, target.principal, nobodys=True)
    kinds = {each.kind for each in given}
    return {
        kind: frozenset(ref for place, every in refs.items() if given[place].kind is kind for ref in every)
        for kind in kinds
    }


def _refs(rows: PersonRows, mask: pl.Series | None, key: SubjectKey) -> Iterator[str]:
    """References of the identifiers in rows that are surely the person's."""
    sure = rows.frame if mask is None else rows.frame.filter(~mask)
    for column in rows.copy.columns:
        if column.name in sure.columns:
            yield from refs_in(sure[column.name], column.kind, key, rows.copy.contract).drop_nulls().to_list()


def _numbers(rows: PersonRows, mask: pl.Series | None) -> Iterator[str]:
    """Their numbers of one person, as :func:`_refs`."""
    for series in rows.ids.values():
        yield from (series if mask is None else series.filter(~mask)).drop_nulls().to_list()


def _of_two(rows: PersonRows, key: SubjectKey) -> Iterator[str]:
    """References of the numbers in rows with two of a kind, as of a customer and of who pays: they tie nothing."""
    for kind in DEFINING:
        names = [each.name for each in rows.copy.columns if each.kind is kind and each.name in rows.frame.columns]
        if len(names) > 1:
            refs = pl.DataFrame(
                [refs_in(rows.frame[name], kind, key, rows.copy.contract).alias(name) for name in names]
            )
            each = refs.select(pl.concat_list(pl.all()).list.drop_nulls().list.unique()).to_series()
            yield from each.filter(each.list.len() > 1).explode().to_list()


def _held(righted: Righted, place: Place, rows: PersonRows, mask: pl.Series | None, *, is_shared: bool) -> Held:
    """The copy without what may be another person's; of a record that is no row nobody can tell in a household."""
    has_number = pl.repeat(False, rows.frame.height, dtype=pl.Boolean, eager=True)
    for series in rows.ids.values():
        has_number |= series.is_not_null()
    frame = rows.frame if mask is None else rows.frame.filter(~mask)
    others, house = rows.frame.height - frame.height, righted.house
    frame = righted.lay_over(place.copy, frame, has_number if mask is None else has_number.filter(~mask))
    raw = () if is_shared else rows.raw
    return Held(
        copy=place.copy,
        store=place.store,
        frame=frame,
        roles=_with_statements(_roles(house, place.copy, frame.columns), frame.columns),
        delete_after=_last_day(house, place.copy),
        raw=raw,
        others=others + len(rows.raw) - len(raw),
        apart=rows.apart,
    )


def _with_statements(roles: Mapping[str, FieldRole], names: Sequence[str]) -> dict[str, FieldRole]:
    """A statement is whose the opinion is that it is about."""
    beside = {name: opinion for name in names if (opinion := opinion_of(name)) in roles and name not in roles}
    return {**roles, **{name: replace(roles[opinion], name=name) for name, opinion in beside.items() if opinion}}


def _last_day(house: House, copy: Copy) -> date | None:
    """When the catalogue says that a copy goes."""
    lines = find_copies(house.conn, copy.exchange_id)
    said = next((line.delete_after for line in lines if line.kind == copy.kind), None)
    return date.fromisoformat(said) if said else None


def _roles(house: House, copy: Copy, names: Sequence[str]) -> dict[str, FieldRole]:
    """Roles of columns under the names they have in this copy; canonical results take those of their source."""
    contract = copy.contract
    if contract is None:
        return {}
    if copy.kind != LAKE or contract.result_mapping is None:
        return {name: role for name in names if (role := contract.field(name))}
    mapping = load_mapping(house.settings.mappings_dir / f"{contract.result_mapping}.yaml")
    found = {}
    for one in mapping.columns:
        role = next((role for name in one.source.names if (role := contract.field(name))), None)
        if role is not None and one.name in names:
            found[one.name] = _canonical(role, one.name)
    return found


def _canonical(role: FieldRole, name: str) -> FieldRole:
    kind = "timestamp" if name in TIME_COLUMNS else "integer" if name in DURATION_COLUMNS else "string"
    form = CANONICAL_TIME if kind == "timestamp" else None
    return replace(role, name=name, logical_type=kind, date_format=form)


def _places(bench: Bench, case: Case) -> list[Place]:
    """Copies that name the person, but what was made to answer this very request: it is no answer to itself."""
    own = answer_store.find_of_case(bench.house.conn, case.case_id)
    return [place for place in find_places(bench) if place.copy.exchange_id not in own]


def _stores(
    house: House, target: Target, places: Iterable[Place], consents: Consents, case: Case
) -> Iterator[StoreCount]:
    own = answer_store.find_of_case(house.conn, case.case_id)
    searched = (copy for copy in copy_store.find_copies(house.conn, target.principal) if copy.exchange_id not in own)
    copies = Counter(store_of(copy).name for copy in searched)
    hits: Counter[str] = Counter()
    rows: Counter[str] = Counter()
    for place in places:
        hits[place.store] += 1
        rows[place.store] += place.rows
    for store in STORES:
        if store.name == CONSENTS:
            yield consents.count(target.principal)
            continue
        yield StoreCount(target.principal, store.name, copies[store.name], hits[store.name], rows[store.name])
