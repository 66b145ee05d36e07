"""What a use case of this room works with: one connection, one store, the keys, one nursery."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sluice.db import Connection, connect
from sluice.exchange.nursery import Nursery
from sluice.keys import Keyring
from sluice.lake.objects import ObjectStore
from sluice.settings import Settings

CHILD = "sluice.exchange.child:judge_file"


@dataclass(frozen=True)
class House:
    """Everything a file meets on its way. Not shared between threads."""

    settings: Settings
    conn: Connection
    objects: ObjectStore
    keyring: Keyring
    nursery: Nursery


@contextmanager
def open_house(settings: Settings) -> Iterator[House]:
    """Connect to the services of ``settings``. Raises ServiceMissing, naming the one that is away."""
    with connect(settings) as conn, Nursery(CHILD) as nursery:
        yield House(settings, conn, ObjectStore(settings), Keyring.open(settings), nursery)
