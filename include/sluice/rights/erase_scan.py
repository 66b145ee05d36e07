"""The second scan: every byte of every version in every store, by a reader that believes nothing of the eraser."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from sluice.errors import NotFound
from sluice.exchange.catalogue import find_copies as find_lines
from sluice.exchange.house import House
from sluice.lake.objects import StoredObject
from sluice.lake.quarantine import unseal
from sluice.rights import erase_store
from sluice.rights.erase_answers import SENT
from sluice.rights.erase_model import Copy, Target
from sluice.rights.erase_needles import longer_words
from sluice.rights.erase_stores import STORES, WENT_OUT, Bench, is_in_index, open_bench
from sluice.rights.identifiers import KEY_OWNER
from sluice.rights.tell import find_open_notices
from sluice.scan.model import Reason, Scan, Status
from sluice.scan.needles import Needles, needles_of
from sluice.scan.walk import scan_bytes

READ = frozenset({Reason.FONT_ENCODED_TEXT, Reason.PICTURE})
"""Doubts about our own receipts: their text is made from counts and codes."""


@dataclass(frozen=True, slots=True)
class Scanned:
    """Objects that were read, that still name the person, and that leave a doubt.

    ``sealed``: returns that only their recipient can open, and of which the index of their rows says that the
    person is not in them. Nobody here can say more, so they are counted, and the certificate says so.
    ``shared``: spellings that were not looked for, because other persons' rows have them as well.
    """

    objects: int = 0
    hits: int = 0
    doubts: int = 0
    sealed: int = 0
    shared: int = 0

    def __add__(self, other: "Scanned") -> "Scanned":
        return Scanned(
            self.objects + other.objects,
            self.hits + other.hits,
            self.doubts + other.doubts,
            self.sealed + other.sealed,
            self.shared + other.shared,
        )


def scan_stores(house: House, target: Target, values: frozenset[str]) -> Scanned:
    """Everything this principal has, whoever decides of it."""
    found = Scanned()
    with open_bench(house, target) as bench:
        copies = erase_store.find_copies(house.conn, target.principal)
        needles = needles_of(sorted(values), longer_words(bench, copies, values))
        sent = {(copy.bucket, copy.key, copy.version_id): copy for copy in copies if copy.kind in WENT_OUT | SENT}
        told = find_open_notices(house, target.principal)
        seen: set[tuple[str, str, str]] = set()
        for each in STORES:
            left = deque(each.objects(house, target))
            while left:
                item = left.popleft()
                name = (item.bucket, item.key, item.version_id)
                if name in seen or (item.bucket, item.key) in told:
                    continue
                seen.add(name)
                scan = _scan(bench, name, needles)
                if scan is None:
                    left.extend(_now(house, item))
                else:
                    found += _judged(bench, scan, sent.get(name))
    return found


def _now(house: House, item: StoredObject) -> Iterator[StoredObject]:
    """What stands in the place of a version that another erasure removed since it was listed."""
    return (each for each in house.objects.list_versions(item.bucket, item.key) if each.key == item.key)


def _scan(bench: Bench, name: tuple[str, str, str], needles: Needles) -> Scan | None:
    """None: the version is there no more."""
    path = bench.fresh("scanned")
    try:
        bench.house.objects.fetch(*name, path)
    except NotFound:
        return None
    return scan_bytes(path, needles, decrypt=lambda sealed: _decrypted(bench, sealed))


def _judged(bench: Bench, scan: Scan, copy: Copy | None) -> Scanned:
    """``copy``: the return this object is, if it is one."""
    if scan.status is Status.HIT:
        return Scanned(1, hits=1)
    if scan.status is Status.OPAQUE and copy is not None and _index_denies(bench, copy):
        return Scanned(1, sealed=1)
    return Scanned(1, doubts=int(any(one.reason not in READ for one in scan.doubts)))


def _index_denies(bench: Bench, copy: Copy) -> bool:
    """Whether the rows of a return have an index run, and it does not name the person."""
    has_run = any(line.kind == "index" for line in find_lines(bench.house.conn, copy.exchange_id))
    return has_run and not is_in_index(bench, copy)


def _decrypted(bench: Bench, sealed: bytes) -> bytes | None:
    import pyrage

    source, opened = bench.fresh("sealed-part"), bench.fresh("opened-part")
    source.write_bytes(sealed)
    for owner in (bench.target.principal, KEY_OWNER):  # answers to persons are sealed to the center
        try:
            return unseal(source, opened, bench.house.keyring, owner).read_bytes()
        except pyrage.DecryptError:
            continue
    return None
