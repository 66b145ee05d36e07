"""Everything about a person at every principal concerned, by the erasure's own find."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

import polars as pl

from sluice.agreement.model import Agreement, FieldRole
from sluice.agreement.store import find_version
from sluice.answers.confirm import doubtful
from sluice.answers.model import Found, Held, PaperId, StoreCount
from sluice.answers.righted import Righted, opinion_of
from sluice.exchange.catalogue import find_copies
from sluice.exchange.house import House
from sluice.exchange.suppressed import find_reasons
from sluice.results.mapping import load_mapping
from sluice.results.model import DURATION_COLUMNS, TIME_COLUMNS
from sluice.rights import erase_store, letter_store, notice_store
from sluice.rights.erase_bench import open_bench
from sluice.rights.erase_find import find_places, targets_of
from sluice.rights.erase_model import Copy, Place, Target
from sluice.rights.erase_read import PersonRows, read_rows, refs_in
from sluice.rights.erase_stores import STORES, store_of
from sluice.rights.identifiers import Envelope, refs_of, values_of
from sluice.rights.model import Case, SubCase
from sluice.rights.tell import note_places
from sluice.terms import Principal, SubjectKind

LAKE = "lake"
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

    The names stay out of it: who asks learns how many we work for, not for whom.
    """
    every: dict[str, StoreCount] = {}
    for name in case.searched:
        key = house.subject_key(Principal(name))
        refs = frozenset(refs_of(envelope.identifiers, key).values())
        target = Target(Principal(name), key, refs, values_of(envelope.identifiers), frozenset())
        with open_bench(house, target) as bench:
            for count in _stores(house, target, list(find_places(bench))):
                old = every.get(count.store, StoreCount(EVERYBODY, count.store, 0, 0, 0))
                every[count.store] = StoreCount(
                    EVERYBODY, count.store, old.copies + count.copies, old.hits + count.hits, old.rows + count.rows
                )
    return tuple(every.values())


def _found(house: House, case: Case, envelope: Envelope, target: Target) -> Found:
    parts = tuple(part for part in case.sub_cases if part.principal == target.principal)
    with open_bench(house, target) as bench:
        read = [(place, read_rows(bench, place.copy)) for place in find_places(bench)]
    places, rows = [place for place, _ in read], [each for _, each in read]
    note_places(house, case.case_id, target.principal, places)
    doubts = doubtful(rows, _asked(envelope, target.key), must_match=len({p.principal for p in case.sub_cases}) == 1)
    own = frozenset(ref for each, mask in zip(rows, doubts.masks, strict=True) for ref in _refs(each, mask, target.key))
    numbers = frozenset(ref for each, mask in zip(rows, doubts.masks, strict=True) for ref in _numbers(each, mask))
    righted = Righted.of(house, target, own, numbers)
    return Found(
        target=target,
        company=letter_store.find_company(house.conn, parts[0]),
        agreement=_agreement(house, parts[0]),
        papers=_papers(house, [place.copy for place in places]),
        parts=parts,
        held=tuple(
            _held(righted, *each, is_shared=doubts.is_shared) for each in zip(places, rows, doubts.masks, strict=True)
        ),
        stores=tuple(_stores(house, target, places)),
        holders=tuple(notice_store.find_holders(house.conn, case.case_id, target.principal)),
        suppressed=find_reasons(house, target.principal, target.refs),
        own=own | target.refs,
    )


def _agreement(house: House, part: SubCase) -> Agreement | None:
    if part.agreement_id is None or part.agreement_version is None:
        return None
    return find_version(house.conn, part.agreement_id, part.agreement_version)


def _papers(house: House, copies: Sequence[Copy]) -> dict[PaperId, Agreement]:
    """Every version of an agreement under which a copy was made."""
    wanted = {(each.contract.agreement_id, each.contract.agreement_version) for each in copies if each.contract}
    found = {each: find_version(house.conn, *each) for each in sorted(wanted)}
    return {each: paper for each, paper in found.items() if paper is not None}


def _asked(envelope: Envelope, key: bytes) -> Mapping[SubjectKind, frozenset[str]]:
    refs = refs_of(envelope.identifiers, key)
    kinds = {envelope.identifiers[place].kind for place in refs}
    return {
        kind: frozenset(ref for place, ref in refs.items() if envelope.identifiers[place].kind is kind)
        for kind in kinds
    }


def _refs(rows: PersonRows, mask: pl.Series | None, key: bytes) -> Iterator[str]:
    """References of the identifiers in rows that are surely the person's."""
    sure = rows.frame if mask is None else rows.frame.filter(~mask)
    for column in rows.copy.columns:
        if column.name in sure.columns:
            yield from refs_in(sure[column.name], column.kind, key, rows.copy.contract).drop_nulls().to_list()


def _numbers(rows: PersonRows, mask: pl.Series | None) -> Iterator[str]:
    """Their numbers of one person, as :func:`_refs`."""
    for series in rows.ids.values():
        yield from (series if mask is None else series.filter(~mask)).drop_nulls().to_list()


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


def _stores(house: House, target: Target, places: Iterable[Place]) -> Iterator[StoreCount]:
    copies = Counter(store_of(copy).name for copy in erase_store.find_copies(house.conn, target.principal))
    hits: Counter[str] = Counter()
    rows: Counter[str] = Counter()
    for place in places:
        hits[place.store] += 1
        rows[place.store] += place.rows
    for store in STORES:
        yield StoreCount(target.principal, store.name, copies[store.name], hits[store.name], rows[store.name])
