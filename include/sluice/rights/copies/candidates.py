"""Find who may be meant by a name and a birth date: candidates for a human to judge. Nothing happens to any of them.

A candidate is shown as the keyed reference of its rows and where these are, never with a value. Somebody at the
desk compares it with what the person showed, and names one: ``sluice case open --candidate``. The case is then
about the identifier of exactly those rows.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import polars as pl

from sluice.errors import NotFound, Ref
from sluice.exchange.house import House
from sluice.exchange.judging.candidates import candidates_in, marks_candidates
from sluice.lake_columns import REF
from sluice.ledger.copy_kinds import INDEX, LAKE
from sluice.rights.case.errors import IdentifierInvalid
from sluice.rights.copies import copy_store
from sluice.rights.copies.bench import Bench, open_bench
from sluice.rights.copies.model import Copy, Target
from sluice.rights.person.identifiers import Identifier, Sought, owned_by
from sluice.subject.candidate import candidate_ref, normal_candidate
from sluice.subject.index import find_in_run
from sluice.subject.refs import refer
from sluice.terms import Principal

STORES_SEARCHED = ("subject index", "lake")


@dataclass(frozen=True, slots=True)
class CandidatePlace:
    """Accepted rows of one exchange that have the name and the birth date."""

    exchange: str
    object: str
    rows: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who may be meant. ``candidate`` is the value for ``case open --candidate``."""

    principal: str
    candidate: str
    places: tuple[CandidatePlace, ...]


@dataclass(frozen=True, slots=True)
class Search:
    """The candidates, and whose rows were searched.

    ``unmarked``: principals whose contracts mark no name and birth date.
    """

    candidates: tuple[Candidate, ...]
    searched: tuple[str, ...]
    unmarked: tuple[str, ...]


def find_candidates(house: House, sought: Sought, principals: Sequence[Principal], place: int = 1) -> Search:
    """Find everybody with this name and birth date, per principal. Raises IdentifierInvalid, naming the ``place``.

    Only accepted rows are searched that came after their contract marked the columns.
    """
    normal = normal_candidate((sought.name,), sought.birth_date)
    if normal is None:
        raise IdentifierInvalid(Ref("name and birth date", place))
    found: list[Candidate] = []
    searched: list[str] = []
    for principal in principals:
        with _bench(house, principal) as bench:
            runs = _marked(bench)
            if runs:
                searched.append(principal)
                found += _candidates(bench, runs, candidate_ref(bench.target.key, normal))
    unmarked = tuple(name for name in principals if name not in searched)
    return Search(tuple(found), tuple(searched), unmarked)


def identifier_of(house: House, principal: Principal, candidate: str) -> Identifier:
    """The identifier that the rows of a confirmed candidate have. Raises NotFound if no row has it any more."""
    with _bench(house, principal) as bench:
        for copy, run in _marked(bench):
            if not _points(bench, run, candidate):
                continue
            rows = _rows(bench, copy).filter(pl.col(REF) == candidate)
            for column in copy.columns:
                for value in rows[column.name].drop_nulls().unique().to_list() if column.name in rows.columns else ():
                    if refer(bench.target.key, column.kind, value).ref == candidate:
                        return owned_by((Identifier(column.kind, value),), principal)[0]
    raise NotFound(Ref("principal", principal), Ref("candidate", "of --candidate"))


def _bench(house: House, principal: Principal) -> AbstractContextManager[Bench]:
    return open_bench(house, Target(principal, house.subject_key(principal), frozenset(), (), frozenset()))


def _marked(bench: Bench) -> list[tuple[Copy, Copy]]:
    """Accepted rows and their index run, for every exchange whose contract marks the columns."""
    copies = copy_store.find_copies(bench.house.conn, bench.target.principal)
    runs = {copy.exchange_id: copy for copy in copies if copy.kind == INDEX}
    return [
        (copy, runs[copy.exchange_id])
        for copy in copies
        if copy.kind == LAKE and copy.exchange_id in runs and copy.contract and marks_candidates(copy.contract)
    ]


def _candidates(bench: Bench, pairs: Sequence[tuple[Copy, Copy]], wanted: str) -> Iterator[Candidate]:
    places: dict[str, list[CandidatePlace]] = {}
    for copy, run in pairs:
        if not _points(bench, run, wanted):
            continue
        rows = _rows(bench, copy)
        assert copy.contract is not None  # it marks the columns
        refs = candidates_in(copy.contract, rows, bench.target.key)
        mine = rows.filter(refs == wanted) if refs is not None else rows.clear()
        for person, count in mine.group_by(REF).len().sort(REF).iter_rows():
            place = CandidatePlace(copy.exchange_id, f"s3://{copy.bucket}/{copy.key}", count)
            places.setdefault(person, []).append(place)
    for person, held in sorted(places.items()):
        yield Candidate(bench.target.principal, person, tuple(held))


def _points(bench: Bench, run: Copy, ref: str) -> bool:
    """Whether an index run has an entry. A run that retention removed has none."""
    path = bench.fetch(run)
    return path is not None and bool(find_in_run(path, [ref]).height)


def _rows(bench: Bench, copy: Copy) -> pl.DataFrame:
    path = bench.fetch(copy)
    if path is None:
        raise NotFound(Ref("exchange", copy.exchange_id), Ref("copy", copy.kind))
    return pl.read_parquet(path)
