"""``House``: the resources that a use case works with (database connection, object store, keys, nursery)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sluice.agreement.in_force.customer_ids import ignored_by
from sluice.db import Connection, connect
from sluice.errors import Ref
from sluice.exchange.judging.nursery import CHILD, Nursery
from sluice.exchange.store import has_references
from sluice.key_files import KeyLost
from sluice.keys import SUBJECT, Keyring
from sluice.lake.s3.objects import ObjectStore
from sluice.settings import Settings
from sluice.subject.key import SubjectKey
from sluice.terms import Principal


@dataclass(frozen=True)
class House:
    """Everything a file meets on its way. Not shared between threads."""

    settings: Settings
    conn: Connection
    objects: ObjectStore
    keyring: Keyring
    nursery: Nursery

    def subject_key(self, principal: Principal) -> SubjectKey:
        """Return the key of a principal's references, which also says what its customer numbers are compared without.

        It is made on first use and never again. Raises KeyLost when references were made with it and it is gone: a new
        key would find nobody who must stay out.
        """
        if not self.keyring.has(principal, SUBJECT) and has_references(self.conn, principal):
            raise KeyLost(Ref("key", f"{principal}/{SUBJECT}"))
        return SubjectKey(self.keyring.subject_key(principal), ignored_by(self.conn, principal))


@contextmanager
def open_house(settings: Settings) -> Iterator[House]:
    """Connect to the services of ``settings``. Raises ServiceMissing, naming the one that is away."""
    with connect(settings) as conn, Nursery(CHILD) as nursery:
        yield House(settings, conn, ObjectStore(settings), Keyring.open(settings), nursery)
