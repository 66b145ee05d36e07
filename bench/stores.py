"""A PostgreSQL and an S3 of a bench's own; a guardian stops and removes them, even after a kill."""

from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import SecretStr
from tests.support.stores import guarded_var

from bench import progress
from sluice.migrations import run as migrations
from sluice.services import buckets, postgres, seaweed
from sluice.services.model import PostgresServer
from sluice.settings import Settings, get_home


@contextmanager
def a_database() -> Iterator[PostgresServer]:
    """A running PostgreSQL with the migrated, empty database of Sluice."""
    with guarded_var() as var:
        server = postgres.start(var)
        migrations.migrate(server.admin_url, postgres.APP)
        yield server


@contextmanager
def an_installation() -> Iterator[Settings]:
    """Settings of a whole installation on fresh stores, with the papers of the checkout."""
    with guarded_var() as var:
        progress("starting PostgreSQL and S3")
        database, s3 = postgres.start(var), seaweed.start(var)
        migrations.migrate(database.admin_url, postgres.APP)
        settings = Settings(
            home=get_home(),
            var=var / "house",
            keys_dir=var / "house" / "keys",
            environment="bench",
            lineage_url=None,
            sqs_queue_url=None,
            database_url=SecretStr(database.app_url),
            database_admin_url=SecretStr(database.admin_url),
            s3_endpoint=s3.endpoint,
            s3_access_key=SecretStr(s3.access_key),
            s3_secret_key=SecretStr(s3.secret_key),
        )
        buckets.make_buckets(settings, embedded=True)
        yield settings
