"""The stores of the house, each behind the same three verbs: find a person, erase them, list what to scan.

A kind of copy that no store here knows stops an erasure: nothing is proven about a place nobody searched.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import polars as pl

from sluice.errors import EvidenceInvalid, Exit, NotFound, Ref, SluiceError
from sluice.exchange.catalogue import find_copies
from sluice.exchange.deliver import RETURN
from sluice.exchange.house import House
from sluice.exchange.put_dial import DIALLED, KEPT
from sluice.exchange.rest import REST
from sluice.exchange.workroom import private_folder
from sluice.lake.erase_model import EraseRefused
from sluice.lake.erase_parquet import erase_refs, find_refs
from sluice.lake.objects import StoredObject
from sluice.lake.quarantine import seal, unseal
from sluice.ledger.record import DIAL
from sluice.rights import erase_store
from sluice.rights.erase_answers import AnswerStore
from sluice.rights.erase_candidates import still_there
from sluice.rights.erase_corrections import CorrectionStore
from sluice.rights.erase_files import (
    FoundInFile,
    bad_rows_of,
    erase_in_file,
    find_in_file,
    names_person,
    rows_of,
)
from sluice.rights.erase_model import Copy, Done, Edit, Outcome, Place, Target
from sluice.subject.index import Answer, find_in_run, first_word, is_whole, write_run

REF = "sluice_subject_ref"
WENT_OUT = frozenset({RETURN, "delivered"})
REFUSED_FILE = "quarantine.file"
NOT_READABLE = "NOT_READABLE_BY_ROWS"


class StoreUnknown(SluiceError):
    code = "SLU-551"
    summary = "a kind of copy belongs to no store that can be searched"
    cure = "add its store to rights/erase_stores.py, with find, erase and objects"
    exit = Exit.UNDECIDED


@dataclass(frozen=True)
class Bench:
    """What a store works with: the house, an empty private folder, the person.

    ``asked``: what index runs answered, by bucket, key, version and references that were asked for; None: gone.
    ``clean``: versions of copies (exchange, kind, version) in which this person was looked for and is not.
    """

    house: House
    folder: Path
    target: Target
    asked: dict[tuple[str, str, str, frozenset[str]], Answer | None] = field(
        default_factory=dict, compare=False, repr=False
    )
    clean: set[tuple[str, str, str]] = field(default_factory=set, compare=False, repr=False)

    def fetch(self, copy: Copy) -> Path | None:
        """The pinned version of a copy on local disk, or the one that another erasure put there since; None: gone.

        Raises EvidenceInvalid when its bytes are not those of the catalogue: a damaged file is not parsed.
        """
        path = self.folder / "copy"
        path.unlink(missing_ok=True)
        sha256 = self._fetched(copy, path)
        while sha256 is None:
            current = erase_store.refreshed(self.house.conn, copy)
            if current is None or current.version_id == copy.version_id:
                return None
            copy = current
            sha256 = self._fetched(copy, path)
        if copy.sha256 and sha256 != copy.sha256:
            raise EvidenceInvalid(Ref("exchange", copy.exchange_id), Ref("copy", copy.kind))
        return path

    def _fetched(self, copy: Copy, path: Path) -> str | None:
        try:
            return self.house.objects.fetch(copy.bucket, copy.key, copy.version_id, path).sha256
        except NotFound:  # removed since we looked
            return None

    def fresh(self, name: str) -> Path:
        """A path in the folder that does not exist."""
        path = self.folder / name
        if path.is_dir():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
        return path


@contextmanager
def open_bench(house: House, target: Target) -> Iterator[Bench]:
    """A bench whose folder is gone afterwards, or once its worker is dead and somebody reconciles."""
    with private_folder(house) as folder:
        yield Bench(house, folder, target)


class Store(Protocol):
    """One kind of place where a person can be."""

    @property
    def name(self) -> str:
        """Plain words, for plans and certificates."""
        ...

    @property
    def kinds(self) -> frozenset[str]:
        """Kinds of copies that belong here."""
        ...

    def find(self, bench: Bench, copy: Copy) -> int:
        """How many rows of a copy name the person."""
        ...

    def erase(self, bench: Bench, copy: Copy) -> Edit:
        """The copy without the person, on the bench; :func:`carry_out` puts it in its place."""
        ...

    def objects(self, house: House, target: Target) -> Iterator[StoredObject]:
        """Every version in this store that the second scan has to read."""
        ...


def place_of(store: Store, copy: Copy, rows: int) -> Place:
    return Place(store.name, copy, rows)


def untouched(store: Store, copy: Copy) -> Edit:
    """The person is not in it, or it is there no more."""
    return Edit(Done(place_of(store, copy, 0), Outcome.ERASED, None, 0, 0))


def removed(store: Store, copy: Copy, ground: str, rows: int) -> Edit:
    """The whole object goes, every version of it; the certificate says so."""
    return Edit(Done(place_of(store, copy, rows), Outcome.REMOVED, ground, rows, 0))


def carry_out(house: House, edit: Edit) -> None:
    """Put the edited copy in its place, or remove it, whatever a dead worker left; again changes nothing."""
    if edit.done.outcome is Outcome.REMOVED:
        erase_store.remove(house, edit.done.place.copy)
    elif edit.path is not None:
        erase_store.swap(house, edit.done.place.copy, edit.path, edit.rows)


@dataclass(frozen=True)
class LakeStore:
    """Accepted rows: Parquet, found by reference columns, edited by row groups."""

    name: str = "lake"
    kinds: frozenset[str] = frozenset({"lake"})

    def find(self, bench: Bench, copy: Copy) -> int:
        path = bench.fetch(copy)
        return _lake_rows(bench, path) if path else 0

    def erase(self, bench: Bench, copy: Copy) -> Edit:
        path = bench.fetch(copy)
        rows = _lake_rows(bench, path) if path else 0
        if path is None or not rows:
            return untouched(self, copy)
        edited = bench.fresh("edited")
        erased = erase_refs(path, edited, bench.target.refs, ref_columns(path), REF)
        done = Done(place_of(self, copy, rows), Outcome.ERASED, None, erased.rows_before, erased.rows_after)
        return Edit(done, edited, erased.rows_after)

    def objects(self, house: House, target: Target) -> Iterator[StoredObject]:
        yield from house.objects.list_versions(house.settings.bucket_lake, f"{target.principal}/")


def _lake_rows(bench: Bench, path: Path) -> int:
    return sum(find_refs(path, bench.target.refs, ref_columns(path)))


def ref_columns(path: Path) -> list[str]:
    """Reference columns of a lake object."""
    names = pl.read_parquet_schema(path)
    return [name for name in names if name == REF or name.startswith("sluice_ref_")]


@dataclass(frozen=True)
class IndexStore:
    """Runs that point from references to objects, and to rows that no object of the lake has."""

    name: str = "subject index"
    kinds: frozenset[str] = frozenset({"index", REST})

    def find(self, bench: Bench, copy: Copy) -> int:
        path = bench.fetch(copy)
        return find_in_run(path, sorted(bench.target.refs)).height if path else 0

    def erase(self, bench: Bench, copy: Copy) -> Edit:
        path = bench.fetch(copy)
        rows = find_in_run(path, sorted(bench.target.refs)).height if path else 0
        if path is None or not rows:
            return untouched(self, copy)
        run = pl.read_parquet(path)
        words = first_word(pl.Series(sorted(bench.target.refs)))
        whole = is_whole(path)
        beside = erase_store.find_copies(bench.house.conn, bench.target.principal, among=[copy.exchange_id])
        there = still_there(beside, bench.fetch, bench.target.key)
        kept = run.filter(~pl.col("ref").is_in(words.implode()) & there)
        edited = bench.fresh("edited")
        edited.write_bytes(write_run(kept, is_whole=whole))
        return Edit(Done(place_of(self, copy, rows), Outcome.ERASED, None, run.height, kept.height), edited)

    def objects(self, house: House, target: Target) -> Iterator[StoredObject]:
        prefix = index_key_prefix(target)
        yield from house.objects.list_versions(house.settings.bucket_lake, prefix)


def index_key_prefix(target: Target) -> str:
    """Where the index of a principal lies."""
    return f"_subject_index/{target.principal}/"


@dataclass(frozen=True)
class FileStore:
    """Files as they came and as they went out, in their own format; what cannot be edited goes whole."""

    name: str
    kinds: frozenset[str]
    where: Callable[[House, Target], Iterator[tuple[str, str]]]

    def find(self, bench: Bench, copy: Copy) -> int:
        path = bench.fetch(copy)
        return look_in_copy(bench, copy, path)[1] if path else 0

    def erase(self, bench: Bench, copy: Copy) -> Edit:
        path = bench.fetch(copy)
        found, rows = look_in_copy(bench, copy, path) if path else (None, 0)
        if path is None or not rows:
            return untouched(self, copy)
        if found is None:
            return removed(self, copy, NOT_READABLE, 0)
        edited = bench.fresh("edited")
        try:
            erased = erase_in_file(path, edited, found, copy.contract, bench.target)
        except EraseRefused as refused:
            rule = rule_of(refused)
        else:
            done = Done(place_of(self, copy, rows), Outcome.ERASED, None, erased.rows_before, erased.rows_after)
            return Edit(done, edited, erased.rows_after)
        return removed(self, copy, rule, found.table.record_count)

    def objects(self, house: House, target: Target) -> Iterator[StoredObject]:
        for bucket, prefix in self.where(house, target):
            yield from house.objects.list_versions(bucket, prefix)


def look_in_copy(bench: Bench, copy: Copy, path: Path) -> tuple[FoundInFile | None, int]:
    """As :func:`look_in_file`; of what went out the index run of its rows says who is in it.

    What is sealed to its recipient we cannot open; what has only a number of the principal's own is looked through
    for that number.
    """
    from sluice.rights.erase_linked import linked

    found, rows = look_in_file(bench, copy, path, copy.key)
    if rows or copy.kind not in WENT_OUT or not is_in_index(bench, copy):
        return found, rows
    if found is None:
        return None, 1
    wider = linked(bench, copy)
    return look_in_file(wider, copy, path, copy.key) if wider.fetch(copy) else (None, 0)


def look_in_file(bench: Bench, copy: Copy, path: Path, name: str) -> tuple[FoundInFile | None, int]:
    """How many records of a file name the person. Without a table: 1 when the whole file does, else 0."""
    found = find_in_file(path, name, copy.contract, copy.columns, bench.target)
    if found is not None and (found.records or found.has_every_column):
        return found, len(found.records)
    return None, int(names_person(path, bench.target))


def is_in_index(bench: Bench, copy: Copy) -> bool:
    """Whether the index run of a copy's exchange points at the person."""
    runs = [each for each in find_copies(bench.house.conn, copy.exchange_id) if each.kind in IndexStore().kinds]
    return any(
        find_in_run(bench.house.objects.read(run.bucket, run.key, run.version_id), sorted(bench.target.refs)).height
        for run in runs
    )


def rule_of(refused: EraseRefused) -> str:
    """Why a file could not be edited, as a certificate says it."""
    return next((str(ref.value) for ref in refused.refs if ref.kind == "rule"), "UNSAFE")


def _name_of(sealed: Copy) -> str:
    return sealed.key.removesuffix(".age")


@dataclass(frozen=True)
class QuarantineStore:
    """Refused files and rows, and held rows, sealed. They are opened, edited and sealed again, or go whole."""

    name: str = "quarantine"
    kinds: frozenset[str] = frozenset({REFUSED_FILE, "quarantine.rows", "quarantine.records", "quarantine.held"})

    def find(self, bench: Bench, copy: Copy) -> int:
        path = bench.fetch(copy)
        return self._rows(bench, copy, self._open(bench, path)) if path else 0

    def erase(self, bench: Bench, copy: Copy) -> Edit:
        path = bench.fetch(copy)
        opened = self._open(bench, path) if path else None
        rows = self._rows(bench, copy, opened) if opened else 0
        if opened is None or not rows:
            return untouched(self, copy)
        plain, sealed = bench.fresh("kept"), bench.fresh("sealed")
        try:
            before, after = self._edit(bench, copy, opened, plain)
        except EraseRefused as refused:
            rule = rule_of(refused)
        else:
            seal(plain, sealed, bench.house.keyring, bench.target.principal)
            plain.unlink()
            return Edit(Done(place_of(self, copy, rows), Outcome.ERASED, None, before, after), sealed, after)
        return removed(self, copy, rule, rows)

    def _edit(self, bench: Bench, copy: Copy, opened: Path, target: Path) -> tuple[int, int]:
        """Write it without the person; rows before and after. Raises EraseRefused: then the object goes."""
        if copy.kind == REFUSED_FILE:
            found, _ = look_in_file(bench, copy, opened, _name_of(copy))
            if found is None:
                raise EraseRefused.because(NOT_READABLE)
            erased = erase_in_file(opened, target, found, copy.contract, bench.target)
            return erased.rows_before, erased.rows_after
        frame = pl.read_parquet(opened)
        kept = frame.filter(~self._mask(bench, copy, frame))
        kept.write_parquet(target, statistics=False)
        return frame.height, kept.height

    def _open(self, bench: Bench, path: Path) -> Path:
        return unseal(path, bench.fresh("opened"), bench.house.keyring, bench.target.principal)

    def _rows(self, bench: Bench, copy: Copy, opened: Path) -> int:
        if copy.kind == REFUSED_FILE:
            return look_in_file(bench, copy, opened, _name_of(copy))[1]
        return int(self._mask(bench, copy, pl.read_parquet(opened)).sum())

    def _mask(self, bench: Bench, copy: Copy, frame: pl.DataFrame) -> pl.Series:
        region = copy.contract.file_format.region if copy.contract else "BE"
        if copy.kind == "quarantine.records":
            return bad_rows_of(frame["raw"], copy.columns, region, bench.target)
        return rows_of(frame, copy.columns, region, bench.target)

    def objects(self, house: House, target: Target) -> Iterator[StoredObject]:
        yield from house.objects.list_versions(house.settings.bucket_vault, f"{target.principal}/")


@dataclass(frozen=True)
class NamelessStore:
    """Lists of row numbers and codes: they name nobody, and the scan proves it."""

    name: str = "lists of findings"
    kinds: frozenset[str] = frozenset({"findings", "held", "return.findings"})

    def find(self, bench: Bench, copy: Copy) -> int:
        return 0

    def erase(self, bench: Bench, copy: Copy) -> Edit:
        return untouched(self, copy)

    def objects(self, house: House, target: Target) -> Iterator[StoredObject]:
        yield from ()  # they lie under the prefixes of the quarantine


@dataclass(frozen=True)
class AnythingElse:
    """Whatever else lies under a principal's name in any bucket: nobody should be there, and the scan proves it.

    What the principal puts under ``requests/`` is left out: it is not ours to hold against an erasure.
    """

    name: str = "anything else"
    kinds: frozenset[str] = frozenset()

    def find(self, bench: Bench, copy: Copy) -> int:
        return 0

    def erase(self, bench: Bench, copy: Copy) -> Edit:
        return untouched(self, copy)

    def objects(self, house: House, target: Target) -> Iterator[StoredObject]:
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


STORES: tuple[Store, ...] = (
    LakeStore(),
    FileStore("files as they came", frozenset({"arrived"}), _arrived),
    FileStore("files as they went out", WENT_OUT, _returned),
    FileStore("dial lists", frozenset({DIALLED, KEPT}), _dialled),
    QuarantineStore(),
    NamelessStore(),
    AnswerStore(),
    CorrectionStore(),
    AnythingElse(),
    IndexStore(),
)
"""In the order of an erasure: the index goes last, because it says where the rest is."""

BY_KIND: Mapping[str, Store] = {kind: store for store in STORES for kind in store.kinds}


def store_of(copy: Copy) -> Store:
    """The store of a copy. Raises StoreUnknown."""
    store = BY_KIND.get(copy.kind)
    if store is None:
        raise StoreUnknown(Ref("kind", copy.kind), Ref("exchange", copy.exchange_id))
    return store
