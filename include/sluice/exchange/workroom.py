"""Private folders of workers. Each name begins with an id that its worker locked, so those of the dead are known."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from sluice.exchange import locks
from sluice.exchange.house import House
from sluice.exchange.model import Opened


@contextmanager
def work_folder(house: House, opened: Opened) -> Iterator[Path]:
    """Yield an empty folder named by exchange and attempt; whoever claimed the exchange holds its lock."""
    with _folder(house, f"{opened.exchange_id}.{opened.attempts}") as folder:
        yield folder


@contextmanager
def private_folder(house: House) -> Iterator[Path]:
    """Yield an empty folder with a lock of its own, for work on many exchanges."""
    name = str(uuid4())
    with locks.try_lock(house.conn, name), _folder(house, name) as folder:
        yield folder


@contextmanager
def _folder(house: House, name: str) -> Iterator[Path]:
    folder = house.settings.var / "work" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep_folders(house: House) -> None:
    """Remove the folders that dead workers left."""
    work = house.settings.var / "work"
    for folder in work.iterdir() if work.is_dir() else ():
        with locks.try_lock(house.conn, folder.name.split(".")[0]) as is_free:
            if is_free:
                shutil.rmtree(folder, ignore_errors=True)
