"""What somebody else does between two steps of a use case, or has done to a database."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any

import psycopg
from psycopg import sql

from sluice.exchange.house import House
from sluice.lake.s3.objects import ObjectStore
from sluice.settings import Settings


@dataclass(frozen=True)
class Meanwhile:
    """The store, and what happens as soon as an object lies under a key that is meant."""

    store: ObjectStore
    is_meant: Callable[[str], bool]
    then: Callable[[], object]

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.store, name)
        if name not in ("put_once", "put_converging"):
            return found

        @wraps(found)
        def put(bucket: str, key: str, *more: Any) -> Any:
            stored = found(bucket, key, *more)
            if self.is_meant(key):
                self.then()
            return stored

        return put


@contextmanager
def locked(house: House, table: str) -> Iterator[None]:
    """Somebody works on a table: it can be read, and whoever writes it gives up after a moment."""
    url = house.settings.database_admin_url
    assert url is not None
    with psycopg.connect(url.get_secret_value()) as other:
        other.execute(f"lock table {table} in share mode".encode())
        house.conn.execute("set lock_timeout = '100ms'")
        try:
            yield
        finally:
            house.conn.execute("reset lock_timeout")


ADD = "alter table sluice.exchange add constraint not_this_one check (key <> {}) not valid"


@contextmanager
def refusing(settings: Settings, key: str) -> Iterator[None]:
    """While the block runs, no exchange of an object with this key can be opened."""
    assert settings.database_admin_url is not None
    with closing(psycopg.connect(settings.database_admin_url.get_secret_value(), autocommit=True)) as admin:
        admin.execute(sql.SQL(ADD).format(sql.Literal(key)))
        yield
        admin.execute("alter table sluice.exchange drop constraint not_this_one")
