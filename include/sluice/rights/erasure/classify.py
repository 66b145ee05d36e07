"""Classify an object that the second scan did not find clean: as residue, doubtful, or expected to be there."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, fields

from sluice.errors import NotFound
from sluice.exchange.house import House
from sluice.exchange.open import arrival_of
from sluice.exchange.own_writes import find_own_writes, is_own
from sluice.exchange.store import find_unregistered
from sluice.lake.s3.names import ObjectVersion
from sluice.lake.s3.objects import StoredObject, prefix_of
from sluice.lake.s3.versions import UNSAID
from sluice.rights.copies import copy_store
from sluice.rights.copies.model import Copy, Fate, Target
from sluice.rights.copies.scope import fate_of
from sluice.rights.copies.under_way import UnderWay
from sluice.rights.erasure.model import Unread
from sluice.rights.notices.notice_store import find_open_requests, find_undecided
from sluice.scan.model import Scan, Status
from sluice.terms import PRINCIPAL_READS, PRINCIPAL_WRITES, Direction

JUDGED = (Direction.INBOUND.value, *PRINCIPAL_READS)
"""Folders of a principal in which every object is known as a copy: what came in, and what we put there."""
NO_NAME = "NAME_UNSAID"
UNOPENED = "NOT_OPENED_YET"
NAMED = "NAMES_THE_PERSON"
"""Why an object was told that was read: a residue, or what the principal itself put there, which is waited for."""


@dataclass(frozen=True, slots=True)
class Scanned:
    """Counts of objects read, of those that still name the person, and of those in doubt.

    ``unread``: the first of the objects in doubt, or with a residue.
    ``sealed``: returns that only their recipient can open, and that do not hold the person according to the index of
    their rows. Nobody here can say more, so they are counted, and the certificate says so.
    ``shared``: spellings not looked for because they are in rows of other persons too.
    ``short``: spellings too short to mean anything among the bytes of a file. Rows were found by them.
    ``kept``: objects that name the person because of a decision, or because one is missing: ``undecided`` of them.
    ``waiting``: uploads begun after the run, which may still end; notices about other open requests of the person; what
    exchanges hold that have not ended; and objects that the principal put beside its flows and that name the person or
    cannot be read. The last are no copies of ours, and go on their last day.
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
        return Scanned(**{each.name: getattr(self, each.name) + getattr(other, each.name) for each in fields(self)})


@dataclass(frozen=True, slots=True)
class Classifier:
    """Tells which objects may name the person without being residue.

    ``asks``, ``asked``: prefixes of the keys of notices about the person's other open requests, and about this one
    while the principal has to decide on it. ``fates``: the fate of each copy, by version.
    """

    house: House
    target: Target
    asks: tuple[str, ...]
    asked: tuple[str, ...]
    fates: dict[ObjectVersion, Fate]
    under_way: UnderWay

    @classmethod
    def of(cls, house: House, target: Target, copies: Sequence[Copy], under_way: UnderWay) -> "Classifier":
        asks = find_open_requests(house.conn, target.principal, target.case_id)
        asked = find_undecided(house.conn, target.principal, target.case_id)
        return cls(house, target, asks, asked, _fates(copies, target), under_way)

    def expects(self, item: StoredObject, scan: Scan, store: str) -> Scanned | None:
        """Return what an object counts as if that does not depend on its bytes alone. None: as what was read in it.

        An object that an open exchange came with, or put down before its end, counts as waiting, whether it names the
        person or is sealed: it is looked at once the exchange has ended. So does an arrival before a poll opened it.
        """
        if scan.status is Status.CLEAN:
            return None
        exchange_id = self.under_way.exchange_of(item, is_new=not self._is_known(item))
        if exchange_id is not None:
            return Scanned(objects=1, waiting=self.under_way.count(exchange_id))
        if self._is_theirs(item):
            return self._waits_for(item, NAMED if scan.hits else scan.doubts[0].reason, store)
        if self._is_unopened(item):
            return self._waits_for(item, UNOPENED, store)
        return self.hit(item) if scan.status is Status.HIT else None

    def unsaid(self, item: StoredObject, store: str) -> Scanned | None:
        """Return what an object counts as that was not found because a listing spoiled its name; None for others."""
        if UNSAID not in item.key:
            return None
        if self._is_theirs(item):
            return self._waits_for(item, NO_NAME, store)
        return Scanned(objects=1, doubts=1, unread=(Unread(store, reason=NO_NAME),))

    def _is_theirs(self, item: StoredObject) -> bool:
        """Whether the principal put it beside its flows: no run of ours can have left it, and none can change that."""
        principal, _, rest = item.key.partition("/")
        is_own = (item.bucket, principal) == (self.house.settings.bucket_exchange, self.target.principal)
        return is_own and rest.split("/")[0] not in JUDGED

    def _is_unopened(self, item: StoredObject) -> bool:
        """Whether it arrived and has no exchange yet. What an erasure put there, even one that died, never gets one."""
        settings, name = self.house.settings, self.target.principal
        doors = {settings.bucket_exchange: Direction.INBOUND, settings.bucket_internal: Direction.INTERNAL}
        direction = doors.get(item.bucket)
        if direction is None or not item.key.startswith(prefix_of(name, direction)):
            return False
        is_known = ObjectVersion.of(item) in self.fates
        if is_known or not find_unregistered(self.house.conn, [arrival_of(name, direction, item)]):
            return False
        own = find_own_writes(self.house.conn, [item]).get((item.bucket, item.key), ())
        with suppress(NotFound):  # removed since
            return not is_own(self.house.objects, item, own, with_twins=True)
        return False

    def _waits_for(self, item: StoredObject, reason: str, store: str) -> Scanned:
        """Count an object as waiting. Names neither the object nor a folder that the principal made up."""
        folder = item.key.split("/")[1]
        place = f"{item.bucket}/{self.target.principal}/{f'{folder}/' if folder in PRINCIPAL_WRITES else ''}"
        unread = Unread(store, reason=reason, place=f"{place} version {item.version_id}")
        return Scanned(objects=1, waiting=1, unread=(unread,))

    def _is_known(self, item: StoredObject) -> bool:
        """Whether a copy lay under this key when the scan began."""
        return any((known.bucket, known.key) == (item.bucket, item.key) for known in self.fates)

    def hit(self, item: StoredObject) -> Scanned | None:
        """Return what an object that names the person counts as. None: it is a residue."""
        if item.key.startswith(self.asks):
            return Scanned(objects=1, waiting=1)
        fate = Fate.WAITS if item.key.startswith(self.asked) else self._fate(item)
        if fate is Fate.GOES:
            return None
        return Scanned(objects=1, kept=1, undecided=int(fate is Fate.WAITS))

    def _fate(self, item: StoredObject) -> Fate:
        """Return the fate of a copy. One that was edited for somebody else since the scan began is looked up again."""
        name = ObjectVersion.of(item)
        if name not in self.fates and self._is_known(item):
            self.fates.update(_fates(copy_store.find_copies(self.house.conn, self.target.principal), self.target))
        return self.fates.get(name, Fate.GOES)


def _fates(copies: Sequence[Copy], target: Target) -> dict[ObjectVersion, Fate]:
    return {ObjectVersion.of(each): fate_of(each, target) for each in copies}
