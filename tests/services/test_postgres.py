"""The embedded PostgreSQL, killed and started again."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import psycopg
import pytest

from sluice.db import connect_to
from sluice.errors import ServiceMissing
from sluice.services import plan, postgres
from sluice.services.model import PostgresServer
from sluice.services.process import ProcessId, wait_until
from sluice.services.stack import standing, take_down
from sluice.services.system_user import pick_home, server_user
from sluice.settings import get_settings
from support.stores import CHECKOUT, forget_postgres

pytestmark = pytest.mark.stores


@pytest.fixture
def closed_var(var: Path) -> Iterator[Path]:
    """Below a folder that nobody but its owner may cross, like a home of mode 0700."""
    home = var / "home"
    home.mkdir(mode=0o700)
    yield home / "var"
    forget_postgres(home / "var")


def test_data_and_port_outlive_a_stop_and_what_was_committed_a_kill(var: Path) -> None:
    first = postgres.start(var)
    with closing(connect_to(first.admin_url)) as conn:
        conn.execute("create table kept as select 7 as number")
    postgres.stop(var)
    assert postgres.find(var) is None
    second = postgres.start(var)
    assert second.port == first.port and number_kept(second) == 7
    os.kill(second.pid, signal.SIGKILL)
    wait_until(lambda: ProcessId.of(second.pid) is None, 10)
    third = postgres.start(var)
    assert number_kept(third) == 7
    assert (third.port, third.pid) != (second.port, second.pid)
    assert ProcessId.of(second.pid) is None


def number_kept(server: PostgresServer) -> int:
    with closing(connect_to(server.admin_url)) as conn:
        [row] = conn.execute("select number from kept").fetchall()
    return int(row["number"])


def test_where_no_server_was_made_down_asks_for_no_wheel_and_no_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        pytest.fail("asked for")

    monkeypatch.setattr(postgres, "server_user", fail)
    monkeypatch.setattr(postgres, "find_spec", fail)
    plan.write_plan(tmp_path, plan.Plan(postgres=False, s3=False, airflow=False))

    take_down(tmp_path)

    assert plan.read_plan(tmp_path) is None and postgres.find(tmp_path) is None
    get_settings.cache_clear()


def test_starting_twice_is_starting_once(service_var: Path, postgres_server: PostgresServer) -> None:
    assert postgres.start(service_var) == postgres.find(service_var) == postgres_server


def test_a_process_that_only_has_the_number_of_an_old_server_is_not_taken_for_it(
    service_var: Path, postgres_server: PostgresServer
) -> None:
    number = pick_home(service_var, server_user()) / "data" / "postmaster.pid"
    own, others = number.read_text(), f"{os.getpid()}"
    try:
        number.write_text(own.replace(str(postgres_server.pid), others, 1))  # and something answers at that port
        assert postgres.find(service_var) is None
    finally:
        number.write_text(own)
    assert postgres.find(service_var) == postgres_server  # the control


def test_a_wrong_password_is_refused(postgres_server: PostgresServer) -> None:
    with pytest.raises(ServiceMissing, match=r"28P01|no answer"):
        connect_to(postgres_server.app_url.replace("postgresql://sluice:", "postgresql://sluice:x"))


def test_each_role_enters_its_own_database_only(postgres_server: PostgresServer) -> None:
    for url, other in ((postgres_server.app_url, "airflow"), (postgres_server.airflow_url, "sluice")):
        connect_to(url).close()
        with pytest.raises(ServiceMissing):
            connect_to(f"{url.rsplit('/', 1)[0]}/{other}")


def test_the_log_never_quotes_a_row(service_var: Path, postgres_server: PostgresServer) -> None:
    heard = ""
    with closing(connect_to(postgres_server.admin_url)) as conn:
        conn.execute("create temp table person (name text primary key)")
        for statement in ("insert into person values ('Canary')",) * 2 + ("select 'Canary'::int",):
            with suppress(psycopg.errors.UniqueViolation, psycopg.errors.InvalidTextRepresentation):
                try:
                    conn.execute(statement)
                except psycopg.Error as error:
                    heard += str(error)
                    raise
    assert "Canary" in heard  # the control: the server did say it, to the client
    assert "Canary" not in (service_var / "logs" / postgres.LOG_NAME).read_text()


def test_it_listens_on_this_machine_only(postgres_server: PostgresServer) -> None:
    with closing(connect_to(postgres_server.admin_url)) as conn:
        row = conn.execute("select current_setting('listen_addresses') as address").fetchone()
    assert row == {"address": "127.0.0.1"}


def test_it_runs_where_the_home_is_closed_to_its_user_and_the_status_says_where_the_data_lie(
    closed_var: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(plan.DATABASE_VARIABLE, raising=False)
    assert [line.data for line in standing(CHECKOUT, closed_var) if line.name == "postgresql"] == [None]
    server = postgres.start(closed_var)
    connect_to(server.app_url).close()
    home = pick_home(closed_var, server_user())
    assert (home == closed_var / "postgres") == (os.geteuid() != 0)
    assert (closed_var / "logs" / postgres.LOG_NAME).stat().st_size > 0
    [line] = [line for line in standing(CHECKOUT, closed_var) if line.name == "postgresql"]
    assert line.data == home and (line.data / "data" / "PG_VERSION").exists()


IN_PRIVATE = """set -e
cp -a /etc "$1"; sed -i /^sluice-pg:/d "$1"/etc/passwd "$1"/etc/shadow "$1"/etc/group "$1"/etc/gshadow
mount --bind "$1"/etc /etc
for _ in 1 2 3 4 5 6; do "$0" -c "
from sluice.services.system_user import server_user
import os, pwd, time
uid = server_user().uid
time.sleep(1)
os.write(1, f'{pwd.getpwuid(uid).pw_name} {uid}\\n'.encode())" & done; wait"""


def can_have_its_own_etc() -> bool:
    unshare = shutil.which("unshare")
    return unshare is not None and subprocess.run([unshare, "-m", "true"], check=False).returncode == 0


@pytest.mark.skipif(not can_have_its_own_etc(), reason="only root with a mount namespace has its own users")
def test_processes_that_start_at_once_on_a_new_machine_run_the_server_as_one_user(tmp_path: Path) -> None:
    private = ["unshare", "-m", "sh", "-c", IN_PRIVATE, sys.executable, tmp_path]
    done = subprocess.run(private, stdout=subprocess.PIPE, check=True)

    said = done.stdout.decode().splitlines()
    assert len(said) == 6 and len(set(said)) == 1 and said[0].startswith("sluice-pg "), said
