"""The second scan: read every byte of every version in every store, without trusting the code that erased."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from pathlib import Path

from sluice.errors import NotFound, StoreError
from sluice.exchange.catalogue import find_copies as find_lines
from sluice.exchange.house import House
from sluice.exchange.persons.sealed_runs import PREFIX as SUPPRESSIONS
from sluice.lake.quarantine import unseal
from sluice.lake.s3.names import ObjectVersion
from sluice.lake.s3.objects import Fetched, StoredObject
from sluice.ledger.copy_kinds import ARRIVED, INDEX, REFUSED_FILE
from sluice.rights.copies import copy_store, lead_store
from sluice.rights.copies.answers import SENT
from sluice.rights.copies.bench import Bench, open_bench
from sluice.rights.copies.lead import find_lead
from sluice.rights.copies.linked import WENT_OUT, is_in_index
from sluice.rights.copies.model import CONSENTS, Copy, Fate, Target
from sluice.rights.copies.needles import longer_words
from sluice.rights.copies.received import under_its_key
from sluice.rights.copies.scope import fate_of_consents
from sluice.rights.copies.stores import STORES
from sluice.rights.copies.under_way import UnderWay
from sluice.rights.copies.uploads import UPLOADS, count_uploads
from sluice.rights.erasure.classify import NAMED, Classifier, Scanned
from sluice.rights.erasure.model import Unread
from sluice.rights.notices.tell import find_open_notices
from sluice.rights.person.sealed import KEY_OWNER
from sluice.scan.form import Form
from sluice.scan.little import scan_little
from sluice.scan.model import Doubt, Reason, Scan, Status
from sluice.scan.needles import Needles, needles_of, unsearchable_of
from sluice.scan.readers import TOO_HEAVY, Readers
from sluice.scan.words import scan_words
from sluice.subject.model import IndexInvalid
from sluice.terms import ExchangeId, Sha256

AHEAD = 4
"""Number of objects fetched ahead while another one is read."""
MANY = 32
"""If a principal has more copies than this, several processes read its objects in parallel."""
CAME_IN = frozenset({ARRIVED, REFUSED_FILE})
"""Kinds of copies that may still be encrypted with OpenPGP, as they came in."""
SEALED = Doubt(Reason.ENCRYPTED, Form.ENCRYPTED)
"""The doubt about an object that is sealed as a whole."""
NONE = frozenset[ExchangeId]()
UNREADABLE = Scan((), (Doubt(Reason.UNREADABLE, ""),), 0)
TOLD = 20
"""The most objects in doubt that are named for one principal; all are counted."""


def scan_stores(
    house: House, target: Target, values: frozenset[str], since: datetime, in_flight: frozenset[ExchangeId] = NONE
) -> Scanned:
    """Scan everything of this principal, whoever decides on it. An upload begun before ``since`` is a doubt.

    in_flight: exchanges already counted among those that the erasure waits for.
    """
    uploads, younger = count_uploads(house, target.principal, since)
    listed, refs = sorted(values), sorted(target.refs)
    with open_bench(house, target) as bench, ExitStack() as begun:
        readers = begun.enter_context(Readers(bench.folder, listed, refs, most=bench.most))
        under_way = UnderWay.of(house, target.principal, in_flight)  # before the copies: what ends meanwhile is in both
        copies = copy_store.find_copies(house.conn, target.principal)
        search = begun.enter_context(closing(ObjectSearch(bench, copies, listed, readers)))
        unended = (Unread(UPLOADS, reason="UNFINISHED"),) * uploads
        found = Scanned(doubts=uploads, short=search.short, unread=unended, waiting=younger)
        classifier = Classifier.of(house, target, copies, under_way)
        counting = _Counting(bench, copies, search, classifier)
        told = find_open_notices(house, target.principal)
        ahead = search.read_ahead if len(copies) > MANY else None
        seen: set[ObjectVersion] = set()
        for each in STORES:
            left = list(each.objects(house, target))
            while left:
                new = {ObjectVersion.of(item): item for item in left if (item.bucket, item.key) not in told}
                items = [item for name, item in new.items() if name not in seen]
                seen.update(new)
                left = []
                for item, got in _fetched(bench, items, ahead):
                    if got is None:
                        left.extend(_now(house, item))
                        found += classifier.unsaid(item, each.name) or Scanned()
                    else:
                        found += counting.count(item, got, each.name)
    _note_residues(house, target, copies, counting.residues)
    return replace(found, unread=found.unread[:TOLD])


class _Counting:
    """Tells what each object counts as, and collects where a residue lies (``residues``: bucket and key)."""

    def __init__(self, bench: Bench, copies: Sequence[Copy], search: "ObjectSearch", classifier: Classifier) -> None:
        by_index = WENT_OUT | SENT | CAME_IN
        self._bench, self._search, self._classifier = bench, search, classifier
        self._sent = {ObjectVersion.of(copy): copy for copy in copies if copy.kind in by_index}
        self._exchanges = {(copy.bucket, copy.key): copy.exchange_id for copy in copies}
        self._consents = fate_of_consents(bench.target)
        self._stays = self._consents is not Fate.GOES
        self.residues: set[tuple[str, str]] = set()

    def count(self, item: StoredObject, got: Fetched | Scan, store: str) -> Scanned:
        """Scan an object, or take the result that stands for it; return what it counts as."""
        place = item.bucket, item.key
        scan = self._search.scan(got, item.key) if isinstance(got, Fetched) else got
        expected = self._classifier.expects(item, scan, store)
        if expected is None and store == CONSENTS and scan.status is Status.HIT and self._stays:
            expected = Scanned(objects=1, kept=1, undecided=int(self._consents is Fate.WAITS))
        self._stays |= expected is not None and expected.kept > 0  # a record is kept beside a copy that stays
        where = Unread(store, self._exchanges.get(place))
        if scan.status is not Status.HIT and isinstance(got, Fetched) and not _is_whole(item, got):
            return Scanned(objects=1, doubts=1, unread=(replace(where, reason="NOT_READ"),))
        if scan.status is Status.HIT and expected is None:
            self.residues.add(place)
        return expected or _judged(self._bench, scan, self._sent.get(ObjectVersion.of(item)), where)


class ObjectSearch:
    """Looks in every object for the values as they were written, and for the references that stand for them.

    Words of other persons' rows that contain a value are gathered only after something was found, because they can
    only reduce the hits: the object is then read again with them, for the values found in it. An object with the same
    bytes as an earlier one (a file that came twice, a receipt beside a return) gets the same result.
    """

    def __init__(self, bench: Bench, copies: Sequence[Copy], values: Sequence[str], readers: Readers) -> None:
        self._bench, self._copies, self._listed, self._readers = bench, copies, values, readers
        self._again = Readers(bench.folder, values, (), 1, bench.most, longer=lambda: self._longer)
        self._ahead: dict[Sha256, Scan] = {}
        self._read: dict[tuple[Sha256, bool], Scan] = {}

    @property
    def short(self) -> int:
        """Number of values that cannot be looked for."""
        return len(unsearchable_of(self._listed))

    @cached_property
    def _needles(self) -> Needles:
        return needles_of(self._listed, words=sorted(self._bench.target.refs))

    @cached_property
    def _longer(self) -> dict[str, set[str]]:
        return longer_words(self._bench, self._copies, frozenset(self._listed))

    def close(self) -> None:
        """End the processes for second readings."""
        self._again.close()

    def read_ahead(self, fetched: Fetched) -> None:
        """Have a free process read an object. May be called from any thread.

        An object that no process could read is read when it is asked for.
        """
        if fetched.sha256 not in self._ahead:
            scan = self._read_by(self._readers, fetched.path)
            if scan is not None:
                self._ahead[fetched.sha256] = scan

    def _read_by(self, readers: Readers, path: Path) -> Scan | None:
        """Let another process read an object, or its content if it is sealed as a whole and we have the key."""
        scan = readers.scan(path)
        if scan is None or scan.doubts != (SEALED,) or scan.hits:
            return scan
        plain = _unsealed(self._bench, path, path.with_suffix(".opened"))
        if plain is None:
            return scan
        try:
            return readers.scan(plain) or scan
        finally:
            plain.unlink()

    def scan(self, fetched: Fetched, key: str) -> Scan:
        """Scan one version of an object on local disk, and what stands beside it in the store.

        In a suppression, a reference of the person is no residue.
        """
        name = fetched.sha256, key.startswith(SUPPRESSIONS)
        if name not in self._read:
            self._read[name] = self._scan_new(fetched, by_reference=name[1])
        return _joined(self._read[name], self._scan_beside(fetched.beside)) if fetched.beside else self._read[name]

    def _scan_beside(self, words: Sequence[str]) -> Scan:
        found = scan_words(words, self._needles)
        if found.status is not Status.HIT or any(hit.value_index >= len(self._listed) for hit in found.hits):
            return found
        return scan_words(words, needles_of(self._listed, self._longer))

    def _scan_new(self, fetched: Fetched, *, by_reference: bool) -> Scan:
        path, ahead = fetched.path, self._ahead.get(fetched.sha256)
        is_open = ahead is not None and all(doubt.reason is not Reason.ENCRYPTED for doubt in ahead.doubts)
        found = ahead if ahead is not None and is_open else self._scan(path, self._needles, self._readers)
        if by_reference:
            found = replace(found, hits=tuple(hit for hit in found.hits if hit.value_index < len(self._listed)))
        if found.status is not Status.HIT or any(hit.value_index >= len(self._listed) for hit in found.hits):
            return found
        is_whole = all(doubt.reason is not Reason.TOO_MANY_HITS for doubt in found.doubts)
        again = sorted({self._listed[hit.value_index] for hit in found.hits}) if is_whole else self._listed
        return self._scan(path, needles_of(again, self._longer), self._again)

    def _scan(self, path: Path, needles: Needles, readers: Readers) -> Scan:
        """Scan in this process if the object is plain or small, else in a process with limits."""
        little = scan_little(path, needles, lambda sealed: _decrypted(self._bench, sealed))
        return little or self._read_by(readers, path) or TOO_HEAVY


def _joined(scan: Scan, beside: Scan) -> Scan:
    return Scan(scan.hits + beside.hits, scan.doubts + beside.doubts, scan.read_bytes + beside.read_bytes)


def _note_residues(
    house: House, target: Target, copies: Sequence[Copy], residues: AbstractSet[tuple[str, str]]
) -> None:
    """Note the copies with a residue, so that the next run of the case opens them whatever the index says."""
    named = {copy.exchange_id for copy in copies if (copy.bucket, copy.key) in residues}
    if named and target.case_id:
        lead_store.note_leads(house.conn, target, named, "scan")


def _now(house: House, item: StoredObject) -> Iterator[StoredObject]:
    """Return what has replaced a version that another erasure removed since the listing."""
    return (each for each in house.objects.list_versions(item.bucket, item.key) if each.key == item.key)


Got = Fetched | Scan | None
"""An object on local disk; or the result for one that the store does not give; or None if it is gone."""


def _fetched(
    bench: Bench, items: Sequence[StoredObject], then: Callable[[Fetched], None] | None
) -> Iterator[tuple[StoredObject, Got]]:
    """Yield each object on local disk, where it stays until the next is asked for, and fetch a few ahead.

    then: called for each object as soon as it is fetched.
    """
    folder = bench.fresh("scanned")
    folder.mkdir()
    with ThreadPoolExecutor(AHEAD) as pool:
        waiting: deque[tuple[StoredObject, Future[Got]]] = deque()
        for number, item in enumerate(items):
            waiting.append((item, pool.submit(_fetch, bench, item, folder / str(number), then)))
            if len(waiting) > AHEAD:
                yield from _next(*waiting.popleft())
        for each in waiting:
            yield from _next(*each)


def _next(item: StoredObject, fetching: "Future[Got]") -> Iterator[tuple[StoredObject, Got]]:
    fetched = fetching.result()
    yield item, fetched
    if isinstance(fetched, Fetched):
        fetched.path.unlink()


def _fetch(bench: Bench, item: StoredObject, path: Path, then: Callable[[Fetched], None] | None) -> Got:
    try:
        name = ObjectVersion.of(item)
        fetched = bench.house.objects.fetch(*name, path)
        fetched = replace(fetched, beside=bench.house.objects.read_beside(*name, fetched))
    except NotFound:
        return None
    except StoreError:  # a fault of this object alone: if the store is away, ServiceMissing is raised
        return UNREADABLE
    if then is not None:
        then(fetched)
    return fetched


def _is_whole(item: StoredObject, fetched: Fetched) -> bool:
    """Whether all that was listed was read. SeaweedFS gives nothing of an object under the name of a folder."""
    return fetched.size_bytes == item.size_bytes and (fetched.size_bytes > 0 or not item.key.endswith("/"))


def _judged(bench: Bench, scan: Scan, copy: Copy | None, where: Unread) -> Scanned:
    """Count a scanned object. ``copy``: the return or arrival that this object is, if it is one."""
    if scan.status is Status.HIT:
        return Scanned(1, hits=1, unread=(replace(where, reason=NAMED),))
    if scan.status is Status.OPAQUE and copy is not None and _index_denies(bench, copy):
        return Scanned(1, sealed=1)
    if scan.status is Status.CLEAN:
        return Scanned(1)
    return Scanned(1, doubts=1, unread=(replace(where, reason=scan.doubts[0].reason),))


def _index_denies(bench: Bench, copy: Copy) -> bool:
    """Whether an unreadable file has index runs that can be asked, and none of them names the person."""
    if copy.kind in CAME_IN:
        alike = copy_store.find_alike(bench.house.conn, bench.target.principal, copy)
        lead = find_lead(bench, copy_store.find_copies(bench.house.conn, bench.target.principal, among=alike))
        return any(lead.knows(replace(copy, exchange_id=each)) for each in alike) and not lead.named & set(alike)
    has_run = any(line.kind == INDEX for line in find_lines(bench.house.conn, copy.exchange_id))
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
    """Unseal ``source`` into ``target``, and return it; None if we do not have the key."""
    import pyrage

    for owner in (bench.target.principal, KEY_OWNER):  # answers to persons are sealed with the center's key
        with suppress(pyrage.DecryptError):
            return unseal(source, target, bench.house.keyring, owner)
    target.unlink(missing_ok=True)
    return None
