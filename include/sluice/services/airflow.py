"""Airflow's processes on one machine: how each is started, and whether all are healthy.

Each gets its whole configuration through its environment, on top of the airflow.cfg of the checkout.
Of the caller's AIRFLOW_* variables only the users who may log in (USERS_VARIABLE) and the address that
people use (ADDRESS_VARIABLE) are inherited. Scheduler, triggerer and Celery's workers would serve their
logs on every address of the machine (Airflow has no setting for the host), so they are told not to; the
pages find the logs of this machine in their folder.
"""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, build_opener

from sluice.db import connect_to
from sluice.errors import ExtraMissing, Ref, SluiceError
from sluice.key_files import write_secret_once
from sluice.services.model import ServiceNotStarted
from sluice.services.places import LOOPBACK, choose_ports, private_dir, read_ports, secret, text_of, write_private

COMPONENTS: dict[str, tuple[str, ...]] = {
    "api-server": ("api-server",),
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
}
HEALTH = {
    "metadatabase": "api-server",
    "scheduler": "scheduler",
    "dag_processor": "dag-processor",
    "triggerer": "triggerer",
}
"""Name in Airflow's health report -> component."""
WORDS = ("airflow", "celery")
"""The command line of every Airflow process contains one of these; Celery's processes change theirs."""
WORKER = "worker-"
"""Prefix of the name of a Celery worker; its number follows."""
TASKS_PER_WORKER = 2
DSN_VARIABLE = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
BROKER_VARIABLE = "AIRFLOW__CELERY__BROKER_URL"
USERS_VARIABLE = "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"
ADDRESS_VARIABLE = "AIRFLOW__API__BASE_URL"
INHERITED = (USERS_VARIABLE, ADDRESS_VARIABLE)


@dataclass(frozen=True, slots=True)
class Celery:
    """How tasks run outside the scheduler: the URL of the queue, and the number of our workers."""

    broker: str
    workers: int


def components(workers: int) -> tuple[str, ...]:
    """Names of the processes that make up Airflow, with this number of Celery workers."""
    return (*COMPONENTS, *(f"{WORKER}{number + 1}" for number in range(workers)))


def command(component: str) -> list[str]:
    """The command line of one component, with the Python that runs us."""
    words = COMPONENTS.get(component) or ("celery", "worker", "--celery-hostname", component, "--skip-serve-logs")
    return [sys.executable, "-m", "airflow", *words]


def log_path(var: Path, component: str) -> Path:
    """Where a component's output goes; task logs lie in ``var/logs/airflow``."""
    return var / "logs" / f"airflow-{component}.log"


def settle_port(var: Path) -> None:
    """Choose the API server's port. Call it while the server is down, so that the port used last time is free."""
    choose_ports(var, ["airflow"])


def address(var: Path) -> str:
    """The URL of the pages."""
    return f"http://{LOOPBACK}:{read_ports(var)['airflow']}"


def environment(
    home: Path, var: Path, dsn: str, inherited: Mapping[str, str], celery: Celery | None = None
) -> dict[str, str]:
    """The environment of a component. dsn: SQLAlchemy URL of Airflow's own database.

    celery: None if tasks run beside the scheduler.
    """
    here = address(var)
    kept = {name: value for name, value in inherited.items() if not name.startswith("AIRFLOW")}
    given = {name: inherited[name] for name in INHERITED if inherited.get(name)}
    prefix = urlsplit(given.get(ADDRESS_VARIABLE, "")).path.rstrip("/")  # Airflow mounts everything below it
    return kept | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW_CONFIG": str(home / "airflow.cfg"),
        DSN_VARIABLE: dsn,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": dsn,  # else Airflow wants asyncpg
        "AIRFLOW__CORE__FERNET_KEY": _fernet_key(var),
        "AIRFLOW__API_AUTH__JWT_SECRET": secret(var, "airflow-jwt"),
        "AIRFLOW__API__SECRET_KEY": secret(var, "airflow-session"),
        "AIRFLOW__API__HOST": LOOPBACK,
        "AIRFLOW__API__PORT": here.rsplit(":", 1)[1],
        ADDRESS_VARIABLE: here,
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{here}{prefix}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords_path(var)),
        **log_folders(var),
        "SLUICE_HOME": str(home),
        "SLUICE_VAR": str(var),
        "GX_ANALYTICS_ENABLED": "false",
        "NO_PROXY": _without_proxy(inherited),
        "no_proxy": _without_proxy(inherited),
        "PYTHONUNBUFFERED": "1",
        **given,
        **(_executor(celery) if celery else {}),
    }


def log_folders(var: Path) -> dict[str, str]:
    """The log folders, for any process that imports Airflow, since importing it already creates them."""
    logs = private_dir(var / "logs" / "airflow")
    return {
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(logs),
        "AIRFLOW__LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(logs / "dag_processor"),
    }


def _executor(celery: Celery) -> dict[str, str]:
    """The settings of the Celery executor.

    No more tasks are sent than the workers can take at once, so a task that waits longer in the queue was lost with a
    worker. Celery keeps the results of tasks in Airflow's own database.
    """
    return {
        "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
        "AIRFLOW__CORE__PARALLELISM": str(celery.workers * TASKS_PER_WORKER),
        "AIRFLOW__CELERY__WORKER_CONCURRENCY": str(TASKS_PER_WORKER),
        BROKER_VARIABLE: celery.broker,
    }


def passwords_path(var: Path) -> Path:
    """The login file of Airflow's simple auth manager; user ``admin``, made on first use."""
    path = private_dir(var / "secrets") / "airflow-login.json"
    write_secret_once(path, lambda: json.dumps({"admin": secrets.token_urlsafe(12)}).encode())
    return path


def admin_password(var: Path) -> str:
    """The password of ``admin``."""
    return str(json.loads(passwords_path(var).read_text())["admin"])


def migrate(home: Path, var: Path, dsn: str) -> bool:
    """Migrate Airflow's database to this version of Airflow; return False if that was done before.

    Starting Airflow to find that out takes 4 s, so the state reached is kept in a file and compared with
    the database. Raises ServiceNotStarted, ExtraMissing.
    """
    mark = var / "run" / "airflow-migrated"
    told = text_of(mark)
    if told and told == _reached(dsn):
        return False
    log = log_path(var, "migrate")
    with log.open("ab") as output:
        done = subprocess.run(
            [sys.executable, "-m", "airflow", "db", "migrate"],
            env=environment(home, var, dsn, os.environ),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode != 0:
        raise ServiceNotStarted(Ref("service", "airflow"), Ref("step", "db migrate"), Ref("log", str(log)))
    write_private(mark, _reached(dsn))
    return True


def unhealthy(url: str) -> set[str]:
    """The components that do not report themselves healthy; all of them when nothing answers."""
    opener = build_opener(ProxyHandler({}))
    try:
        with opener.open(f"{url}/api/v2/monitor/health", timeout=5) as answer:
            parts = json.load(answer)
    except (URLError, OSError, ValueError):
        return set(COMPONENTS)
    return {component for name, component in HEALTH.items() if (parts.get(name) or {}).get("status") != "healthy"}


def answering(celery: Celery) -> set[str]:
    """Names of the workers that answer through the queue; none if the queue is down. Takes up to two seconds."""
    from celery import Celery as App
    from kombu.exceptions import KombuError
    from redis.exceptions import RedisError

    with App(broker=celery.broker, set_as_current=False) as app:
        try:
            answers = app.control.ping(timeout=2, limit=celery.workers)
        except (OSError, KombuError, RedisError):
            return set()
    return {name.partition("@")[2] for answer in answers for name in answer}


def check_installed(package: str = "apache-airflow") -> str:
    """The version of Airflow, or of another package that belongs to it. Raises ExtraMissing without it."""
    try:
        return version(package)
    except PackageNotFoundError:
        raise ExtraMissing(Ref("package", package)) from None


def _reached(dsn: str) -> str:
    """Airflow's version and the revision of its database, as one line."""
    import psycopg

    url = dsn.replace("+psycopg", "", 1)
    try:
        with connect_to(url) as conn:
            row = conn.execute("select version_num from alembic_version").fetchone()
    except (psycopg.Error, SluiceError):
        row = None
    return f"{check_installed()} {row['version_num'] if row else 'none'}"


def _fernet_key(var: Path) -> str:
    from cryptography.fernet import Fernet

    return write_secret_once(private_dir(var / "secrets") / "airflow-fernet", Fernet.generate_key).decode()


def _without_proxy(inherited: Mapping[str, str]) -> str:
    """The NO_PROXY list. Airflow's parts talk to each other over HTTP, which must not go through a proxy."""
    present = inherited.get("NO_PROXY") or inherited.get("no_proxy") or ""
    return ",".join(filter(None, [present, LOOPBACK, "localhost"]))
