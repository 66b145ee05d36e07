"""The bench that all stores of an erasure work on: a private folder, the person, and copies fetched into the folder."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sluice.errors import EvidenceInvalid, NotFound, ObjectUnreadable, Ref
from sluice.exchange.house import House
from sluice.exchange.judging.job import widest_limits
from sluice.exchange.workroom import private_folder
from sluice.lake.s3.names import ObjectVersion
from sluice.lake.table import FileLimits
from sluice.ledger.copy_kinds import ARRIVED, CopyName
from sluice.rights.copies import copy_store
from sluice.rights.copies.files import FoundInFile
from sluice.rights.copies.model import Copy, Target
from sluice.scan.readers import Most
from sluice.subject.index import Answer
from sluice.terms import Sha256

Looked = tuple[FoundInFile | None, int]
"""The person's records in a file, or None if nobody can tell which are theirs, and how many there are."""


@dataclass(eq=False)
class Known:
    """What was learned of versions, which never change, so that a process learns it once per person. It only grows.

    ``asked``: answers of index runs, by version and the references asked for; None: the run is gone.
    ``clean``: versions of copies that were searched for this person without finding them.
    ``readable``: versions of copies that were read to their end, whoever is in them.
    ``others``: by version of a copy, the references asked for and those of them that rows of others have.
    ``keeps_runs``: whether small index runs stay in memory for the next caller in this process.
    """

    asked: dict[tuple[CopyName, frozenset[str]], Answer | None] = field(default_factory=dict)
    clean: set[CopyName] = field(default_factory=set)
    readable: set[CopyName] = field(default_factory=set)
    others: dict[CopyName, tuple[frozenset[str], frozenset[str]]] = field(default_factory=dict)
    keeps_runs: bool = False


@dataclass(eq=False)
class Held:
    """What lies in a bench's folder. It changes with each fetch and each look, for every bench of that folder.

    ``last``: the copy now in the folder, with its SHA-256, because whoever finds somebody in a copy reads it again
    next. None: there is none.
    ``beside``: what stands beside that copy in the store.
    ``seen``: the question asked last about a file (version, exchange, kind, references) and its result.
    ``kept_back``: files as they came that the object store does not release, so that nobody can search them; it only
    grows.
    """

    last: tuple[ObjectVersion, Sha256] | None = None
    beside: tuple[str, ...] = field(default=(), repr=False)
    seen: tuple[tuple[object, ...], Looked] | None = field(default=None, repr=False)
    kept_back: set[ObjectVersion] = field(default_factory=set)


@dataclass(eq=False)
class Bench:
    """What a store works with: the house, an empty private folder, the person, and what is known of versions.

    Its own fields stay as they are; ``known`` and ``held`` change as copies are fetched and searched. A bench made
    with ``dataclasses.replace``, for other references, shares both.
    """

    house: House
    folder: Path
    target: Target
    known: Known = field(default_factory=Known, repr=False)
    held: Held = field(default_factory=Held, repr=False)

    def fetch(self, copy: Copy) -> Path | None:
        """Fetch the pinned version of a copy to local disk, or the one that another erasure put there since.

        None if the copy is gone, or is a file as it came that the store keeps back. Raises EvidenceInvalid if the bytes
        are not those in the catalogue, so that a damaged file is never parsed.
        """
        path = self.folder / "copy"
        sha256 = self._fetched(copy, path)
        while sha256 is None:
            current = copy_store.refreshed(self.house.conn, copy)
            if current is None or current.version_id == copy.version_id:
                return None
            copy = current
            sha256 = self._fetched(copy, path)
        if copy.sha256 and sha256 != copy.sha256:
            raise EvidenceInvalid(Ref("exchange", copy.exchange_id), Ref("copy", copy.kind))
        return path

    def _fetched(self, copy: Copy, path: Path) -> Sha256 | None:
        name = ObjectVersion.of(copy)
        if self.held.last is not None and self.held.last[0] == name:
            return self.held.last[1]
        self.held.last = None
        path.unlink(missing_ok=True)
        try:
            fetched = self.house.objects.fetch(*name, path)
            self.held.beside = self.house.objects.read_beside(*name, fetched) if copy.kind == ARRIVED else ()
        except NotFound:  # removed since we looked
            return None
        except ObjectUnreadable:
            if copy.kind != ARRIVED:
                raise
            self.held.kept_back.add(name)
            return None
        self.held.last = name, fetched.sha256
        return fetched.sha256

    @property
    def limits(self) -> FileLimits:
        """The limits for opening a file: the widest of any agreement, so that what was taken in can be read."""
        return widest_limits(self.house.settings)

    @property
    def most(self) -> Most:
        """The limits of a process that reads an object of unknown content for the second scan."""
        settings = self.house.settings
        return Most(settings.scan_memory_mb, settings.scan_cpu_seconds, settings.scan_wall_seconds)

    def fresh(self, name: str) -> Path:
        """A path in the folder at which nothing exists."""
        path = self.folder / name
        if path.is_dir():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
        return path


def asking_bench(house: House, target: Target) -> Bench:
    """A bench for a server that only asks the index. It has no folder and no lock, because nothing is fetched to it."""
    return Bench(house, Path(os.devnull), target, Known(keeps_runs=True))


@contextmanager
def open_bench(house: House, target: Target, known: Known | None = None) -> Iterator[Bench]:
    """A bench whose folder is removed afterwards, or by the reconciler if its worker dies.

    known: of the same request. The principals of a case can share it, because each exchange belongs to one
    principal.
    """
    with private_folder(house) as folder:
        yield Bench(house, folder, target, Known() if known is None else known)
