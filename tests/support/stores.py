"""What tests may import of the shared fixtures (conftest itself must not be imported twice).

    python stores.py guardian VAR

cleans up after a test process however it ends: it waits for the end of stdin, then stops and removes. It is started in
a session of its own, so neither Ctrl-C nor kill -9 of the tests reaches it; the pipe closes when the tests are gone.
"""

import base64
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import urlopen

import boto3
import psutil
import psycopg
from botocore.config import Config
from psycopg import sql
from pydantic import SecretStr

from sluice.migrations import run as migrations
from sluice.services import buckets, postgres, seaweed, stack
from sluice.services.model import PostgresServer, SeaweedServer
from sluice.services.places import LOOPBACK, choose_ports, read_ports
from sluice.services.system_user import homes
from sluice.settings import Settings

MEMORY, ROOM_BYTES = Path("/dev/shm"), 8 << 30  # a folder of its own is made there
CHECKOUT = Path(__file__).resolve().parents[2]
MASTER_KEY = base64.b64encode(b"a key that only tests open with!").decode()
"""The same everywhere, so that which notes are drawn for a person does not change from run to run."""


@dataclass(frozen=True, slots=True)
class Database:
    """A migrated, empty database of one test."""

    name: str
    app_url: str
    admin_url: str

    @property
    def mark(self) -> str:
        """How the names of the buckets end that belong to it."""
        return self.name.removeprefix("t_")


class Databases:
    """The databases of one server. ``template``: a migrated one that nobody connects to, so that it can be copied."""

    def __init__(self, server: PostgresServer, template: str) -> None:
        self._server, self._template = server, template

    def create(self, template: str | None = None) -> Database:
        """A copy of a database at rest, by default of the empty one."""
        name = f"t_{secrets.token_hex(6)}"
        fresh = Database(name, _with_name(self._server.app_url, name), _with_name(self._server.admin_url, name))
        self._do("create database {} template {} strategy file_copy", name, template or self._template)
        migrations.prepare(fresh.admin_url, postgres.APP)
        return fresh

    @contextmanager
    def fresh(self, template: str | None = None) -> Iterator[Database]:
        """As :meth:`create`, and dropped afterwards."""
        database = self.create(template)
        yield database
        self._do("drop database {} with (force)", database.name)

    def disconnect(self, name: str) -> None:
        """Bring a database to rest: whoever is still connected to it is cut off, and nobody new comes."""
        self._do("alter database {} allow_connections false", name)
        self._do("select pg_terminate_backend(pid) from pg_stat_activity where datname = {literal}", literal=name)

    def _do(self, statement: str, *names: str, **values: str) -> None:
        literals = {name: sql.Literal(value) for name, value in values.items()}
        with closing(psycopg.connect(_with_name(self._server.admin_url, "postgres"), autocommit=True)) as conn:
            conn.execute(sql.SQL(statement).format(*map(sql.Identifier, names), **literals))


def _with_name(url: str, name: str) -> str:
    return f"{url.rsplit('/', 1)[0]}/{name}"


def settings_of(database: Database, server: SeaweedServer, var: Path, mark: str) -> Settings:
    """Settings of a whole installation on these stores. ``mark``: how the names of its buckets end."""
    return Settings(
        home=CHECKOUT,
        var=var,
        environment="test",
        master_key=SecretStr(MASTER_KEY),
        database_url=SecretStr(database.app_url),
        database_admin_url=SecretStr(database.admin_url),
        s3_endpoint=server.endpoint,
        s3_access_key=SecretStr(server.access_key),
        s3_secret_key=SecretStr(server.secret_key),
        bucket_exchange=f"exchange-{mark}",
        bucket_internal=f"internal-{mark}",
        bucket_lake=f"lake-{mark}",
        bucket_vault=f"vault-{mark}",
        bucket_evidence=f"evidence-{mark}",
        other_buckets="exchange-*,internal-*,lake-*,vault-*,evidence-*",
    )


def make_stores(settings: Settings, var: Path) -> None:
    """The buckets of an installation whose S3 server is that of ``var``, each with room for its first object.

    SeaweedFS makes a bucket's first volume at its first object, and looks 200 ms later whether it is there.
    """
    buckets.make_buckets(settings, embedded=True)
    master = f"http://{LOOPBACK}:{read_ports(var)['s3-master']}"
    for bucket in buckets.bucket_names(settings):
        with urlopen(f"{master}/vol/grow?collection={bucket}&count=1&replication=000", timeout=30) as answer:
            assert answer.status == 200


def s3_client(endpoint: str | None, access_key: str, secret_key: str, attempts: int = 1) -> Any:
    """A boto3 client of the tests' own: what is asked is asked once, unless ``attempts`` says otherwise."""
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        region_name="eu-central-1",
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": attempts}),
    )


def client_of(settings: Settings) -> Any:
    """The same with the center's own credential, for what the product's has no words for."""
    access, secret = settings.s3_access_key, settings.s3_secret_key
    assert access and secret
    return s3_client(settings.s3_endpoint, access.get_secret_value(), secret.get_secret_value(), attempts=5)


def _in_memory() -> Path | None:
    """A folder that is no disk, where there is one with room: each database of a test is a thousand small files."""
    if not MEMORY.is_dir() or os.statvfs(MEMORY).f_flag & os.ST_NOEXEC:
        return None
    room = min(shutil.disk_usage(MEMORY).free, psutil.virtual_memory().available)
    return MEMORY if room > ROOM_BYTES and os.access(MEMORY, os.W_OK) else None


@contextmanager
def guarded_var() -> Iterator[Path]:
    """A fresh ``var``; whatever runs in it is stopped afterwards, even if this process is killed."""
    var = Path(tempfile.mkdtemp(prefix="sluice-tests-", dir=_in_memory()))
    var.chmod(0o711)
    command = [sys.executable, __file__, "guardian", str(var)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as guardian:
        yield var
        guardian.communicate(timeout=90)


@contextmanager
def occupied(port: int) -> Iterator[None]:
    """Listen on a free port. Its last server may have left connections in TIME_WAIT: those bar whoever does not share
    the address, and no server of ours."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((LOOPBACK, port))
        other.listen()
        yield


def free_port() -> int:
    """A free port below the kernel's range, so that no outgoing connection takes it before its server starts."""
    with TemporaryDirectory() as var:
        return choose_ports(Path(var), ["port"])["port"]


def forget_postgres(var: Path) -> None:
    """Stop the server and remove its data for good."""
    postgres.stop(var)
    for home in homes(var):
        shutil.rmtree(home, ignore_errors=True)


def clean_up(var: Path) -> None:
    """Wait until whoever uses ``var`` is gone; then stop all that runs in it, and remove it."""
    sys.stdin.buffer.read()
    for copy in var.glob("copies/*/run"):
        seaweed.stop(copy.parent)
    stack.take_down(var)
    forget_postgres(var)
    shutil.rmtree(var, ignore_errors=True)


if __name__ == "__main__":
    clean_up(Path(sys.argv[2]))
