"""The second scan: every byte of every version in every store, by a reader that believes nothing of the eraser."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path

from sluice.errors import NotFound
from sluice.exchange.catalogue import find_copies as find_lines
from sluice.exchange.house import House
from sluice.exchange.sealed_runs import PREFIX as SUPPRESSIONS
from sluice.lake.objects import Fetched, StoredObject
from sluice.lake.quarantine import unseal
from sluice.lake.versions import UNSAID
from sluice.rights import erase_store
from sluice.rights.erase_answers import SENT
from sluice.rights.erase_bench import Bench, open_bench
from sluice.rights.erase_lead import find_lead
from sluice.rights.erase_linked import WENT_OUT, is_in_index
from sluice.rights.erase_model import Copy, Fate, Target, Unread
from sluice.rights.erase_needles import longer_words
from sluice.rights.erase_received import under_its_key
from sluice.rights.erase_scope import fate_of
from sluice.rights.erase_stores import STORES
from sluice.rights.erase_uploads import UPLOADS, count_uploads
from sluice.rights.identifiers import KEY_OWNER
from sluice.rights.notices import find_open_requests, find_undecided
from sluice.rights.tell import find_open_notices
from sluice.scan.form import Form
from sluice.scan.model import Doubt, Reason, Scan, Status
from sluice.scan.needles import Needles, needles_of, unsearchable_of
from sluice.scan.readers import Readers
from sluice.scan.walk import scan_bytes
from sluice.subject.model import IndexInvalid
from sluice.terms import Sha256

AHEAD = 4
"""Objects that are fetched while another one is read."""
MANY = 32
"""More copies of a principal are worth processes of their own that read its objects side by side."""
CAME_IN = frozenset({"arrived", "quarantine.file"})
"""Kinds of copies that may be under OpenPGP as they came."""
SEALED = Doubt(Reason.ENCRYPTED, Form.ENCRYPTED)
"""Of an object that is sealed as a whole."""
TOLD = 20
"""Objects in doubt that are named, of each principal; all are counted."""


@dataclass(frozen=True, slots=True)
class Scanned:
    """Objects that were read, that still name the person, and that leave a doubt; ``unread``: the first of these.

    ``sealed``: returns that only their recipient can open, and of which the index of their rows says that the
    person is not in them. Nobody here can say more, so they are counted, and the certificate says so.
    ``shared``: spellings that were not looked for, because other persons' rows have them as well.
    ``short``: those that are too short to mean anything among the bytes of a file; rows are found by them.
    ``kept``: those that name the person because of what was decided of them, or was not yet: ``undecided`` of them.
    ``waiting``: uploads that were begun after the run, and so may still end, and what tells the principal of another
    request of the person, until that is over.
    """

    objects: int = 0
    hits: int = 0
    doubts: int = 0
    sealed: int = 0
    shared: int = 0
    short: int = 0
    kept: int = 0
    undecided: int = 0
    unread: tuple[Unread, ...] = ()
    waiting: int = 0

    def __add__(self, other: "Scanned") -> "Scanned":
        return Scanned(
            self.objects + other.objects,
            self.hits + other.hits,
            self.doubts + other.doubts,
            self.sealed + other.sealed,
            self.shared + other.shared,
            self.short + other.short,
            self.kept + other.kept,
            self.undecided + other.undecided,
            self.unread + other.unread,
            self.waiting + other.waiting,
        )


def scan_stores(house: House, target: Target, values: frozenset[str], since: datetime) -> Scanned:
    """Everything this principal has, whoever decides of it; an upload that was begun before ``since`` is a doubt."""
    uploads, younger = count_uploads(house, target.principal, since)
    listed, refs = sorted(values), sorted(target.refs)
    with open_bench(house, target) as bench, Readers(listed, refs) as readers:
        copies = erase_store.find_copies(house.conn, target.principal)
        search = Search(bench, copies, listed, readers)
        unended = (Unread(UPLOADS, reason="UNFINISHED"),) * uploads
        found = Scanned(doubts=uploads, short=search.short, unread=unended, waiting=younger)
        by_index = WENT_OUT | SENT | CAME_IN
        sent = {(copy.bucket, copy.key, copy.version_id): copy for copy in copies if copy.kind in by_index}
        of = {(copy.bucket, copy.key): copy.exchange_id for copy in copies}
        meant = Meant.of(house, target, copies)
        told = find_open_notices(house, target.principal)
        seen: set[tuple[str, str, str]] = set()
        residues: set[tuple[str, str]] = set()
        for each in STORES:
            left = list(each.objects(house, target))
            while left:
                new = {_name(item): item for item in left if (item.bucket, item.key) not in told}
                items = [item for name, item in new.items() if name not in seen]
                seen.update(new)
                left = []
                for item, fetched in _fetched(bench, items, search.read_ahead if len(copies) > MANY else None):
                    if fetched is None:
                        left.extend(_now(house, item))
                        if UNSAID in item.key:  # nothing can be read under the name it is listed by
                            found += Scanned(objects=1, doubts=1, unread=(Unread(each.name, reason="NAME_UNSAID"),))
                        continue
                    scan = search.scan(fetched, item.key)
                    expected = meant.hit(item) if scan.status is Status.HIT else None
                    where = Unread(each.name, of.get((item.bucket, item.key)))
                    found += expected or _judged(bench, scan, sent.get(_name(item)), where)
                    if scan.status is Status.HIT and expected is None:
                        residues.add((item.bucket, item.key))
    _note_residues(house, target, copies, residues)
    return replace(found, unread=found.unread[:TOLD])


@dataclass(frozen=True, slots=True)
class Meant:
    """Where the person is named and that is no residue. ``asks``, ``asked``: how the keys begin of what tells the
    principal of their other requests, and of this one while it has to decide; ``fates``: of each copy, by version."""

    house: House
    target: Target
    asks: tuple[str, ...]
    asked: tuple[str, ...]
    fates: dict[tuple[str, str, str], Fate]

    @classmethod
    def of(cls, house: House, target: Target, copies: Sequence[Copy]) -> "Meant":
        asks = find_open_requests(house.conn, target.principal, target.case_id)
        asked = find_undecided(house.conn, target.principal, target.case_id)
        return cls(house, target, asks, asked, _fates(copies, target))

    def hit(self, item: StoredObject) -> Scanned | None:
        """What an object that names the person counts as; None: it is a residue."""
        if item.key.startswith(self.asks):
            return Scanned(objects=1, waiting=1)
        fate = Fate.WAITS if item.key.startswith(self.asked) else self._fate(item)
        if fate is Fate.GOES:
            return None
        return Scanned(objects=1, kept=1, undecided=int(fate is Fate.WAITS))

    def _fate(self, item: StoredObject) -> Fate:
        """Of a copy that was edited for somebody else since the scan began, what it is now."""
        name = _name(item)
        if name not in self.fates and any(known[:2] == name[:2] for known in self.fates):
            self.fates.update(_fates(erase_store.find_copies(self.house.conn, self.target.principal), self.target))
        return self.fates.get(name, Fate.GOES)


def _fates(copies: Sequence[Copy], target: Target) -> dict[tuple[str, str, str], Fate]:
    return {(each.bucket, each.key, each.version_id): fate_of(each, target) for each in copies}


class Search:
    """What is looked for in every object: values as they were written, and the references that stand for them.

    Words of other persons' rows that hold a value are gathered once something was found at all, because they only
    ever make it less: then the object is read again, with them, for what was found in it.
    Of the same bytes again (a file that came twice, a receipt beside a return) the answer is the same.
    """

    def __init__(self, bench: Bench, copies: Sequence[Copy], values: Sequence[str], readers: Readers) -> None:
        self._bench, self._copies, self._listed, self._readers = bench, copies, values, readers
        self._ahead: dict[Sha256, Scan] = {}
        self._read: dict[tuple[Sha256, bool], Scan] = {}

    @property
    def short(self) -> int:
        """Values that cannot be looked for."""
        return len(unsearchable_of(self._listed))

    @cached_property
    def _needles(self) -> Needles:
        return needles_of(self._listed, words=sorted(self._bench.target.refs))

    @cached_property
    def _longer(self) -> dict[str, set[str]]:
        return longer_words(self._bench, self._copies, frozenset(self._listed))

    def read_ahead(self, fetched: Fetched) -> None:
        """Have an object read by whoever is free, from any thread; what nobody could read is read when asked for."""
        if fetched.sha256 in self._ahead:
            return
        scan = self._readers.scan(fetched.path)
        if scan is not None and scan.doubts == (SEALED,) and not scan.hits:
            scan = self._opened_ahead(fetched.path) or scan
        if scan is not None:
            self._ahead[fetched.sha256] = scan

    def _opened_ahead(self, path: Path) -> Scan | None:
        """The same of what a sealed object holds, where its key is ours."""
        plain = _unsealed(self._bench, path, path.with_suffix(".opened"))
        if plain is None:
            return None
        try:
            return self._readers.scan(plain)
        finally:
            plain.unlink()

    def scan(self, fetched: Fetched, key: str) -> Scan:
        """One version of an object, on local disk; who must stay out is noted by reference, and that is no residue."""
        name = fetched.sha256, key.startswith(SUPPRESSIONS)
        if name not in self._read:
            self._read[name] = self._scan_new(fetched, by_reference=name[1])
        return self._read[name]

    def _scan_new(self, fetched: Fetched, *, by_reference: bool) -> Scan:
        path, ahead = fetched.path, self._ahead.get(fetched.sha256)
        is_open = ahead is not None and all(doubt.reason is not Reason.ENCRYPTED for doubt in ahead.doubts)
        found = ahead if ahead is not None and is_open else self._scan(path, self._needles)
        if by_reference:
            found = replace(found, hits=tuple(hit for hit in found.hits if hit.value_index < len(self._listed)))
        if found.status is not Status.HIT or any(hit.value_index >= len(self._listed) for hit in found.hits):
            return found
        is_whole = all(doubt.reason is not Reason.TOO_MANY_HITS for doubt in found.doubts)
        again = sorted({self._listed[hit.value_index] for hit in found.hits}) if is_whole else self._listed
        return self._scan(path, needles_of(again, self._longer))

    def _scan(self, path: Path, needles: Needles) -> Scan:
        return scan_bytes(path, needles, decrypt=lambda sealed: _decrypted(self._bench, sealed))


def _note_residues(
    house: House, target: Target, copies: Sequence[Copy], residues: AbstractSet[tuple[str, str]]
) -> None:
    """The next run of the case opens these copies, whatever the index says of them."""
    named = {copy.exchange_id for copy in copies if (copy.bucket, copy.key) in residues}
    if named and target.case_id:
        erase_store.note_leads(house.conn, target, named, "scan")


def _now(house: House, item: StoredObject) -> Iterator[StoredObject]:
    """What stands in the place of a version that another erasure removed since it was listed."""
    return (each for each in house.objects.list_versions(item.bucket, item.key) if each.key == item.key)


def _name(item: StoredObject) -> tuple[str, str, str]:
    return item.bucket, item.key, item.version_id


def _fetched(
    bench: Bench, items: Sequence[StoredObject], then: Callable[[Fetched], None] | None
) -> Iterator[tuple[StoredObject, Fetched | None]]:
    """Each object on local disk until the next one is asked for, a few fetched ahead; None: it is there no more.

    then: what is done with each ahead as well."""
    folder = bench.fresh("scanned")
    folder.mkdir()
    with ThreadPoolExecutor(AHEAD) as pool:
        waiting: deque[tuple[StoredObject, Future[Fetched | None]]] = deque()
        for number, item in enumerate(items):
            waiting.append((item, pool.submit(_fetch, bench, item, folder / str(number), then)))
            if len(waiting) > AHEAD:
                yield from _next(*waiting.popleft())
        for each in waiting:
            yield from _next(*each)


def _next(item: StoredObject, fetching: "Future[Fetched | None]") -> Iterator[tuple[StoredObject, Fetched | None]]:
    fetched = fetching.result()
    yield item, fetched
    if fetched is not None:
        fetched.path.unlink()


def _fetch(bench: Bench, item: StoredObject, path: Path, then: Callable[[Fetched], None] | None) -> Fetched | None:
    try:
        fetched = bench.house.objects.fetch(*_name(item), path)
    except NotFound:
        return None
    if then is not None:
        then(fetched)
    return fetched


def _judged(bench: Bench, scan: Scan, copy: Copy | None, where: Unread) -> Scanned:
    """``copy``: the return or the arrival that this object is, if it is one."""
    if scan.status is Status.HIT:
        return Scanned(1, hits=1)
    if scan.status is Status.OPAQUE and copy is not None and _index_denies(bench, copy):
        return Scanned(1, sealed=1)
    if scan.status is Status.CLEAN:
        return Scanned(1)
    return Scanned(1, doubts=1, unread=(replace(where, reason=scan.doubts[0].reason),))


def _index_denies(bench: Bench, copy: Copy) -> bool:
    """Whether a file that we cannot read has index runs that can be asked, and none of them names the person."""
    if copy.kind in CAME_IN:
        alike = erase_store.find_alike(bench.house.conn, bench.target.principal, copy)
        lead = find_lead(bench, erase_store.find_copies(bench.house.conn, bench.target.principal, among=alike))
        return any(lead.knows(replace(copy, exchange_id=each)) for each in alike) and not lead.named & set(alike)
    has_run = any(line.kind == "index" for line in find_lines(bench.house.conn, copy.exchange_id))
    asked = under_its_key(bench, copy) if has_run else None
    try:
        return asked is not None and not is_in_index(asked, copy)
    except IndexInvalid:
        return False


def _decrypted(bench: Bench, sealed: bytes) -> bytes | None:
    source = bench.fresh("sealed-part")
    source.write_bytes(sealed)
    opened = _unsealed(bench, source, bench.fresh("opened-part"))
    return opened.read_bytes() if opened else None


def _unsealed(bench: Bench, source: Path, target: Path) -> Path | None:
    """``target``, with what was sealed; None where its key is not ours."""
    import pyrage

    for owner in (bench.target.principal, KEY_OWNER):  # answers to persons are sealed to the center
        with suppress(pyrage.DecryptError):
            return unseal(source, target, bench.house.keyring, owner)
    target.unlink(missing_ok=True)
    return None
