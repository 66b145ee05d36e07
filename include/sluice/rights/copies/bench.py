"""What every store of an erasure works on: a private folder, the person, and copies fetched into it."""

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
from sluice.lake.table import Limits
from sluice.ledger.copy_kinds import ARRIVED
from sluice.rights.copies import copy_store
from sluice.rights.copies.files import FoundInFile
from sluice.rights.copies.model import Copy, Target
from sluice.scan.readers import Most
from sluice.subject.index import Answer
from sluice.terms import Sha256


@dataclass(frozen=True)
class Known:
    """What was learned of versions, which never change: whoever is erased in one process learns it once.

    ``asked``: what index runs answered, by bucket, key, version and references that were asked for; None: gone.
    ``clean``: versions of copies (exchange, kind, version) in which this person was looked for and is not.
    ``readable``: versions of copies that were read to their end, whoever is in them.
    ``others``: references that were asked for, and which of them rows of others have, by version of a copy.
    ``keeps_runs``: whether small index runs stay in memory, for whoever asks this process next.
    """

    asked: dict[tuple[str, str, str, frozenset[str]], Answer | None] = field(default_factory=dict)
    clean: set[tuple[str, str, str]] = field(default_factory=set)
    readable: set[tuple[str, str, str]] = field(default_factory=set)
    others: dict[tuple[str, str, str], tuple[frozenset[str], frozenset[str]]] = field(default_factory=dict)
    keeps_runs: bool = False


@dataclass(frozen=True)
class Bench:
    """What a store works with: the house, an empty private folder, the person, and what is known of versions.

    ``seen``: what was found in the file that was looked into last, by its version, exchange, kind and whom it was for.
    ``last``: bucket, key and version of the copy that lies in the folder, and its SHA-256: who finds it reads it next.
    ``kept_back``: the same of files as they came that the store does not give: nobody can look for anybody in them.
    """

    house: House
    folder: Path
    target: Target
    known: Known = field(default_factory=Known, compare=False, repr=False)
    seen: dict[tuple[object, ...], tuple[FoundInFile | None, int]] = field(
        default_factory=dict, compare=False, repr=False
    )
    last: dict[tuple[str, str, str], Sha256] = field(default_factory=dict, compare=False, repr=False)
    kept_back: set[tuple[str, str, str]] = field(default_factory=set, compare=False, repr=False)

    def fetch(self, copy: Copy) -> Path | None:
        """The pinned version of a copy on local disk, or the one that another erasure put there since; None: gone,
        or a file as it came that is kept back.

        Raises EvidenceInvalid when its bytes are not those of the catalogue: a damaged file is not parsed.
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
        name = (copy.bucket, copy.key, copy.version_id)
        if name not in self.last:
            self.last.clear()
            path.unlink(missing_ok=True)
            try:
                self.last[name] = self.house.objects.fetch(*name, path).sha256
            except NotFound:  # removed since we looked
                return None
            except ObjectUnreadable:
                if copy.kind != ARRIVED:
                    raise
                self.kept_back.add(name)
                return None
        return self.last[name]

    @property
    def limits(self) -> Limits:
        """Of a file that is opened: the widest that any agreement gets here, so that what was taken in is read."""
        return widest_limits(self.house.settings)

    @property
    def most(self) -> Most:
        """Of a process that reads a stranger's object for the second scan."""
        settings = self.house.settings
        return Most(settings.scan_memory_mb, settings.scan_cpu_seconds, settings.scan_wall_seconds)

    def fresh(self, name: str) -> Path:
        """A path in the folder that does not exist."""
        path = self.folder / name
        if path.is_dir():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
        return path


def asking_bench(house: House, target: Target) -> Bench:
    """A bench to ask the index on, of a server. It has no folder and holds no lock: nothing is fetched to it."""
    return Bench(house, Path(os.devnull), target, Known(keeps_runs=True))


@contextmanager
def open_bench(house: House, target: Target, known: Known | None = None) -> Iterator[Bench]:
    """A bench whose folder is gone afterwards, or once its worker is dead and somebody reconciles.

    known: of the same request; an exchange is of one principal, so it may be shared between those of a case.
    """
    with private_folder(house) as folder:
        yield Bench(house, folder, target, Known() if known is None else known)
