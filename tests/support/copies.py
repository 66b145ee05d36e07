"""Installations that are made once in a test process, and copied for each test that wants one.

A copy is whole: a database, an S3 server on the same bytes (so that version ids hold), keys and papers of its
own. It takes about a second, where taking in, calling and returning a campaign takes ten.
"""

import os
import secrets
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sluice.services import seaweed
from sluice.services.model import SeaweedServer
from sluice.settings import Settings
from support.stores import Database, Databases, make_stores, settings_of

Fill = Callable[[Settings, Path], object]
"""Opens an installation, puts something into it, and closes it: given its stores and an empty folder."""
PAPERS = "principals"


@dataclass(frozen=True)
class Original:
    """A filled installation at rest: nobody is connected to its database, its S3 server is down."""

    database: Database
    store: Path
    """``var`` of its S3 server."""
    folder: Path
    """Its keys and papers."""


class Copies:
    """Originals, each made when it is asked for first. ``var``: where they lie; its guardian stops their servers."""

    def __init__(self, databases: Databases, var: Path) -> None:
        self._databases, self._var = databases, var
        self._originals: dict[object, Original] = {}
        self._stores: dict[str | None, Path] = {}
        self._lent: dict[object, SeaweedServer] = {}

    @contextmanager
    def of(self, fill: Fill, folder: Path, *edits: object) -> Iterator[Settings]:
        """The settings of a copy of what ``fill(settings, folder, *edits)`` leaves; its papers come into ``folder``."""
        original = self._original(fill, edits)
        store = self._store_like(original)
        with self._databases.fresh(original.database.name) as database, _server(store) as server:
            settings = _settings(original, database, server, folder)
            self._stores[settings.s3_endpoint] = store
            yield settings

    @contextmanager
    def lend(self, fill: Fill, folder: Path, *edits: object) -> Iterator[Settings]:
        """As :meth:`of` in a tenth of its time: a database of its own, and objects that all who are lent them share.

        For tests that take no object away, and that do not mind what others put there.
        """
        original = self._original(fill, edits)
        if (key := (fill, *edits)) not in self._lent:
            self._lent[key] = seaweed.start(self._store_like(original))
        with self._databases.fresh(original.database.name) as database:
            yield _settings(original, database, self._lent[key], folder)

    def close(self) -> None:
        """Stop the servers of what was lent; nobody reads their bytes again."""
        for server in self._lent.values():
            os.kill(server.pid, signal.SIGKILL)
            os.waitpid(server.pid, 0)

    def _original(self, fill: Fill, edits: tuple[object, ...]) -> Original:
        key = (fill, *edits)
        if key not in self._originals:
            self._originals[key] = self._made(lambda settings, empty: fill(settings, empty, *edits))
        return self._originals[key]

    def _store_like(self, original: Original) -> Path:
        store = self._fresh()
        for part in ("weed", "secrets"):
            shutil.copytree(original.store / part, store / part, ignore=shutil.ignore_patterns("*.sock"))
        return store

    def store_of(self, settings: Settings) -> Path:
        """``var`` of the S3 server of a copy."""
        return self._stores[settings.s3_endpoint]

    def _made(self, fill: Fill) -> Original:
        store, folder = self._fresh(), self._fresh()
        database = self._databases.create()
        settings = settings_of(database, seaweed.start(store), folder / "var", database.mark)
        make_stores(settings, store)
        fill(settings, folder)
        seaweed.stop(store)
        self._databases.disconnect(database.name)
        return Original(database, store, folder)

    def _fresh(self) -> Path:
        path = self._var / "copies" / secrets.token_hex(6)
        path.mkdir(parents=True)
        return path


def _settings(original: Original, database: Database, server: SeaweedServer, folder: Path) -> Settings:
    """The settings of a copy; its keys and papers come into ``folder``."""
    shutil.copytree(original.folder, folder, dirs_exist_ok=True)
    settings = settings_of(database, server, folder / "var", original.database.mark)
    papers = folder / PAPERS
    return settings.model_copy(update={"principals_dir": papers} if papers.exists() else {})


@contextmanager
def _server(store: Path) -> Iterator[SeaweedServer]:
    """The S3 server of a copy; killed afterwards, for nobody reads its bytes again."""
    server = seaweed.start(store)
    yield server
    os.kill(server.pid, signal.SIGKILL)
    os.waitpid(server.pid, 0)
    seaweed.stop(store)
    shutil.rmtree(store, ignore_errors=True)
