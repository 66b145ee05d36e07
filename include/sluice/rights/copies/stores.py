"""The stores of the house, each with the same four verbs: find a person, erase them, read their rows, list objects.

A kind of copy that no store here knows stops an erasure, because nothing is proven about a place nobody
searched.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import polars as pl

from sluice.errors import Exit, Ref, SluiceError
from sluice.exchange.house import House
from sluice.exchange.naming import INDEX_PREFIX
from sluice.exchange.persons.consents import PREFIX as RECORDED
from sluice.exchange.persons.corrections import PREFIX as CORRECTIONS
from sluice.exchange.review import count_again
from sluice.lake.erase.in_lake import erase_refs, find_refs
from sluice.lake.erase.model import EraseRefused
from sluice.lake.s3.names import ObjectVersion
from sluice.lake.s3.objects import StoredObject
from sluice.lake_columns import REF
from sluice.ledger.copy_kinds import (
    ARRIVED,
    DIAL_KEPT,
    DIALLED,
    FINDINGS,
    HELD_BACK,
    INDEX,
    LAKE,
    REFUSED_FILE,
    REST,
    RETURN_FINDINGS,
)
from sluice.ledger.record import DIAL
from sluice.rights.copies import copy_store
from sluice.rights.copies.answers import AnswerStore
from sluice.rights.copies.bench import Bench, Looked
from sluice.rights.copies.beside import is_named_beside
from sluice.rights.copies.candidate_entries import still_there
from sluice.rights.copies.copy_store import is_refused
from sluice.rights.copies.edits import BESIDE, NOT_READABLE, removed, rule_of, untouched
from sluice.rights.copies.files import erase_in_file, ref_columns
from sluice.rights.copies.linked import WENT_OUT, look_in_copy, look_in_refused
from sluice.rights.copies.model import CONSENTS, Copy, Done, Edit, Outcome, Place, Target
from sluice.rights.copies.quarantine import QuarantineStore
from sluice.rights.copies.read import PersonRows, rows_in_file, rows_in_lake
from sluice.rights.copies.swap import remove, swap
from sluice.subject.index import find_in_run, first_word, is_whole, write_run


class StoreUnknown(SluiceError):
    code = "SLU-551"
    summary = "a kind of copy belongs to no store that can be searched"
    cure = "add its store to rights/copies/stores.py, with find, erase, read and objects"
    exit = Exit.UNDECIDED


class Store(Protocol):
    """One kind of place where a person can be."""

    @property
    def name(self) -> str:
        """Plain words, for plans and certificates."""
        ...

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of copies that belong here."""
        ...

    def find(self, bench: Bench, copy: Copy) -> int:
        """How many rows of a copy name the person."""
        ...

    def erase(self, bench: Bench, copy: Copy) -> Edit:
        """Make the copy without the person, on the bench; :func:`carry_out` puts it in its place."""
        ...

    def read(self, bench: Bench, copy: Copy) -> PersonRows:
        """The person's own rows of a copy, for an answer; none of a copy that has nothing to give."""
        ...

    def objects(self, house: House, target: Target) -> Iterator[StoredObject]:
        """Yield every version in this store that the second scan has to read."""
        ...


def carry_out(house: House, edit: Edit) -> None:
    """Put the edited copy in its place, or remove it, whatever a dead worker left. Repeating it changes nothing."""
    if edit.done.outcome is Outcome.REMOVED:
        remove(house, edit.done.place.copy)
    elif edit.path is not None:
        if edit.held is not None:
            count_again(house, edit.done.place.copy.exchange_id, edit.held)
        swap(house, edit.done.place.copy, edit.path, edit.rows)


@dataclass(frozen=True)
class LakeStore:
    """Accepted rows: Parquet, found by reference columns, edited by row groups."""

    name: str = "lake"
    kinds: frozenset[str] = frozenset({LAKE})

    def find(self, bench: Bench, copy: Copy) -> int:
        path = bench.fetch(copy)
        return sum(find_refs(path, bench.target.refs, ref_columns(path))) if path else 0

    def erase(self, bench: Bench, copy: Copy) -> Edit:
        path = bench.fetch(copy)
        if path is None:
            return untouched(self.name, copy)
        edited = bench.fresh("edited")
        erased = erase_refs(path, edited, bench.target.refs, ref_columns(path), REF)
        rows = erased.rows_before - erased.rows_after
        if not rows:
            return untouched(self.name, copy)
        done = Done(Place(self.name, copy, rows), Outcome.ERASED, None, erased.rows_before, erased.rows_after)
        return Edit(done, edited, erased.rows_after)

    def read(self, bench: Bench, copy: Copy) -> PersonRows:
        path = bench.fetch(copy)
        return rows_in_lake(bench, copy, path) if path else PersonRows(copy)

    def objects(self, house: House, target: Target) -> Iterator[StoredObject]:
        yield from house.objects.list_versions(house.settings.bucket_lake, f"{target.principal}/")


@dataclass(frozen=True)
class IndexStore:
    """Index runs: they point from references to objects, and to rows that are in no object of the lake."""

    name: str = "subject index"
    kinds: frozenset[str] = frozenset({INDEX, REST})

    def find(self, bench: Bench, copy: Copy) -> int:
        path = bench.fetch(copy)
        return find_in_run(path, sorted(bench.target.refs)).height if path else 0

    def erase(self, bench: Bench, copy: Copy) -> Edit:
        path = bench.fetch(copy)
        rows = find_in_run(path, sorted(bench.target.refs)).height if path else 0
        if path is None or not rows:
            return untouched(self.name, copy)
        run = pl.read_parquet(path)
        words = first_word(pl.Series(sorted(bench.target.refs)))
        whole = is_whole(path)
        beside = copy_store.find_copies(bench.house.conn, bench.target.principal, among=[copy.exchange_id])
        there = still_there(beside, bench.fetch, bench.target.key)
        kept = run.filter(~pl.col("ref").is_in(words.implode()) & there)
        edited = bench.fresh("edited")
        edited.write_bytes(write_run(kept, is_whole=whole))
        return Edit(Done(Place(self.name, copy, rows), Outcome.ERASED, None, run.height, kept.height), edited)

    def read(self, bench: Bench, copy: Copy) -> PersonRows:
        return PersonRows(copy)  # references, which we made

    def objects(self, house: House, target: Target) -> Iterator[StoredObject]:
        prefix = index_key_prefix(target)
        yield from house.objects.list_versions(house.settings.bucket_lake, prefix)


def index_key_prefix(target: Target) -> str:
    """The prefix of a principal's index."""
    return f"{INDEX_PREFIX}{target.principal}/"


@dataclass(frozen=True)
class FileStore:
    """Files as they came and as they went out, in their own format. A file that cannot be edited is removed whole."""

    name: str
    kinds: frozenset[str]
    where: Callable[[House, Target], Iterator[tuple[str, str]]]

    def find(self, bench: Bench, copy: Copy) -> int:
        path = bench.fetch(copy)
        beside = bench.held.beside
        return (look_in_copy(bench, copy, path)[1] or int(_is_beside(bench, beside))) if path else 0

    def erase(self, bench: Bench, copy: Copy) -> Edit:
        path = bench.fetch(copy)
        beside = bench.held.beside
        found, rows = _look(bench, copy, path) if path else (None, 0)
        if ObjectVersion.of(copy) in bench.held.kept_back:
            return removed(self.name, copy, NOT_READABLE, 0)
        if path is not None and not rows and _is_beside(bench, beside):
            count = found.table.record_count if found else 0
            done = Done(Place(self.name, copy, 1), Outcome.ERASED, BESIDE, count, count)
            return Edit(done, Path(shutil.copyfile(path, bench.fresh("edited"))))
        if path is None or not rows:
            return untouched(self.name, copy)
        if found is None:
            return removed(self.name, copy, NOT_READABLE, 0)
        edited = bench.fresh("edited")
        try:
            erased = erase_in_file(path, edited, found, copy.contract, bench.target)
        except EraseRefused as refused:
            rule = rule_of(refused)
        else:
            done = Done(Place(self.name, copy, rows), Outcome.ERASED, None, erased.rows_before, erased.rows_after)
            return Edit(done, edited, erased.rows_after)
        return removed(self.name, copy, rule, found.table.record_count)

    def read(self, bench: Bench, copy: Copy) -> PersonRows:
        path = bench.fetch(copy)
        if path is None:
            return PersonRows(copy)
        return rows_in_file(bench, copy, path, copy.key, look_in_copy(bench, copy, path))

    def objects(self, house: House, target: Target) -> Iterator[StoredObject]:
        for bucket, prefix in self.where(house, target):
            yield from house.objects.list_versions(bucket, prefix)


def _is_beside(bench: Bench, words: tuple[str, ...]) -> bool:
    """Whether what stands beside a file names the person. Any edit of the file leaves that out."""
    return is_named_beside(bench.house, bench.target, words)


def _look(bench: Bench, copy: Copy, path: Path) -> Looked:
    if copy.kind == ARRIVED and is_refused(bench.house.conn, copy):
        return look_in_refused(bench, copy, path, copy.key)
    return look_in_copy(bench, copy, path)


@dataclass(frozen=True)
class ScannedStore:
    """A place where nobody has to be looked for: the second scan proves that nobody is there."""

    name: str
    kinds: frozenset[str]
    where: Callable[[House, Target], Iterator[StoredObject]]

    def find(self, bench: Bench, copy: Copy) -> int:
        return 0

    def erase(self, bench: Bench, copy: Copy) -> Edit:
        return untouched(self.name, copy)

    def read(self, bench: Bench, copy: Copy) -> PersonRows:
        return PersonRows(copy)

    def objects(self, house: House, target: Target) -> Iterator[StoredObject]:
        yield from self.where(house, target)


def _with_the_quarantine(house: House, target: Target) -> Iterator[StoredObject]:
    """Nothing more: lists of row numbers and codes lie under the prefixes of the quarantine."""
    yield from ()


def _corrections(house: House, target: Target) -> Iterator[StoredObject]:
    """Corrections of the person, sealed in the vault and part of no exchange.

    Their references say whom they are about (``corrections.count_left``). They are removed last, once nothing else of
    the person is left at that principal: a copy that stays, because another controller has not decided, is still read
    as it was corrected.
    """
    yield from house.objects.list_versions(house.settings.bucket_vault, f"{CORRECTIONS}{target.principal}/")


def _consents(house: House, target: Target) -> Iterator[StoredObject]:
    """Records of consent, under references alone and part of no exchange (``consents.find_named``). Removed last."""
    yield from house.objects.list_versions(house.settings.bucket_lake, f"{RECORDED}{target.principal}/")


def _anything_else(house: House, target: Target) -> Iterator[StoredObject]:
    """Whatever else lies under a principal's name in any bucket.

    What the principal puts under ``requests/`` is left out, because it is not ours to hold against an erasure.
    """
    own, requests = f"{target.principal}/", f"{target.principal}/requests/"
    for bucket in buckets_of(house):
        for first in house.objects.list_prefixes(bucket):
            prefix = own if first == target.principal else f"{first}/{own}" if first.startswith("_") else None
            found = house.objects.list_versions(bucket, prefix) if prefix else ()
            yield from (item for item in found if not item.key.startswith(requests))


def buckets_of(house: House) -> tuple[str, ...]:
    """Every bucket of the house."""
    named = house.settings
    return named.bucket_exchange, named.bucket_internal, named.bucket_lake, named.bucket_vault, named.bucket_evidence


def _arrived(house: House, target: Target) -> Iterator[tuple[str, str]]:
    yield house.settings.bucket_exchange, f"{target.principal}/inbound/"
    yield house.settings.bucket_internal, f"{target.principal}/"


def _returned(house: House, target: Target) -> Iterator[tuple[str, str]]:
    yield house.settings.bucket_exchange, f"{target.principal}/outbound/"
    yield house.settings.bucket_exchange, f"{target.principal}/receipts/"
    yield house.settings.bucket_exchange, f"{target.principal}/notices/"
    yield house.settings.bucket_lake, f"_returns/{target.principal}/"


def _dialled(house: House, target: Target) -> Iterator[tuple[str, str]]:
    yield house.settings.bucket_internal, f"{target.principal}/{DIAL}/"


NAMELESS = ScannedStore("lists of findings", frozenset({FINDINGS, HELD_BACK, RETURN_FINDINGS}), _with_the_quarantine)

STORES: tuple[Store, ...] = (
    LakeStore(),
    FileStore("files as they came", frozenset({ARRIVED}), _arrived),
    FileStore("files as they went out", WENT_OUT, _returned),
    FileStore("dial lists", frozenset({DIALLED, DIAL_KEPT}), _dialled),
    QuarantineStore(),
    NAMELESS,
    AnswerStore(),
    ScannedStore("corrections", frozenset(), _corrections),
    ScannedStore(CONSENTS, frozenset(), _consents),
    ScannedStore("anything else", frozenset(), _anything_else),
    IndexStore(),
)
"""In the order of an erasure. The index comes last, because it says where the rest is."""

BY_KIND: Mapping[str, Store] = {kind: store for store in STORES for kind in store.kinds}


def hides(bench: Bench, copy: Copy) -> bool:
    """Whether a copy is removed although nobody was found in it: a refused file that nobody can read (ADR 15)."""
    if copy.kind not in (ARRIVED, REFUSED_FILE) or copy.name in bench.known.readable:
        return False
    if store_of(copy).erase(bench, copy).is_needed:
        return True
    bench.known.readable.add(copy.name)
    return False


def store_of(copy: Copy) -> Store:
    """The store of a copy. Raises StoreUnknown."""
    store = BY_KIND.get(copy.kind)
    if store is None:
        raise StoreUnknown(Ref("kind", copy.kind), Ref("exchange", copy.exchange_id))
    return store
