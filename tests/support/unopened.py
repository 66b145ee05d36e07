"""A database that refuses one arrival alone, as one would that somebody else has put a rule into."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg
from psycopg import sql

from sluice.settings import Settings

ADD = "alter table sluice.exchange add constraint not_this_one check (key <> {}) not valid"


@contextmanager
def refusing(settings: Settings, key: str) -> Iterator[None]:
    """While the block runs, no exchange of an object with this key can be opened."""
    assert settings.database_admin_url is not None
    with closing(psycopg.connect(settings.database_admin_url.get_secret_value(), autocommit=True)) as admin:
        admin.execute(sql.SQL(ADD).format(sql.Literal(key)))
        yield
        admin.execute("alter table sluice.exchange drop constraint not_this_one")
