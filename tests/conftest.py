"""What tests share: a clean environment, real stores, and the counts of what did not run.

The stores are one PostgreSQL and one S3 server per test process, started by the first test that
asks for ``database`` or ``store_settings`` and stopped by a guardian that outlives a kill.
"""

import functools
import gc
import os
import tempfile
from pathlib import Path

gc.disable()  # until all is imported and collected: none of that is garbage

CHECKOUT = Path(__file__).resolve().parents[1]
KEPT = ("SLUICE_REAL_DATA", "SLUICE_SCHEMAS", "SLUICE_LONG", "SLUICE_GOLDEN")


def _clean_environment() -> None:
    """Before anything imports airflow or reads settings: nothing of the caller's installation, nor of their umask."""
    os.umask(0o022)
    for name in list(os.environ):
        if name.startswith(("SLUICE_", "AIRFLOW_", "AWS_", "PG")) and name not in KEPT:
            del os.environ[name]
    scratch = tempfile.mkdtemp(prefix="sluice-env-")
    os.environ |= {
        "SLUICE_HOME": str(CHECKOUT),
        "SLUICE_VAR": scratch,
        "AIRFLOW_HOME": str(CHECKOUT),
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": f"{scratch}/logs",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql+psycopg://nobody@127.0.0.1:1/none",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": "postgresql+psycopg://nobody@127.0.0.1:1/none",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "True",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "GX_ANALYTICS_ENABLED": "false",
        "TZ": "UTC",
    }


_clean_environment()

import shutil
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import typer.testing
from hypothesis import settings as hypothesis_settings

from sluice.lake.s3 import objects
from sluice.migrations import run as migrations
from sluice.services import postgres, seaweed
from sluice.services.model import PostgresServer, SeaweedServer
from sluice.settings import Settings, get_settings
from support.copies import Copies
from support.stores import Database, Databases, guarded_var, make_stores, settings_of

if TYPE_CHECKING:
    from support.desk import Desk

STORES = {"database", "databases", "module_settings", "store_settings", "postgres_server", "s3_server"}
OUTSIDE = {
    "real_data": os.environ.get("SLUICE_REAL_DATA"),
    "schemas": os.environ.get("SLUICE_SCHEMAS"),
    "chromium": shutil.which("chromium"),
    "gpg": shutil.which("gpg"),
    "history": shutil.which("git") and (CHECKOUT / ".git").exists() and not (CHECKOUT / ".git" / "shallow").exists(),
}
"""What a fixture needs that no package of ours brings; where it is not, its tests are left out and counted."""
NOT_RUN = pytest.StashKey[int]()
hypothesis_settings.register_profile("house", deadline=None)  # a busy machine is no fault
hypothesis_settings.register_profile("loop", hypothesis_settings.get_profile("house"), max_examples=20)
hypothesis_settings.load_profile("house")
typer.testing._get_command = functools.cache(typer.testing._get_command)  # made once, as in a process of its own


@pytest.fixture(scope="session", autouse=True)
def patience() -> Iterator[None]:
    """A busy machine is no fault: what asks a store that does not answer just now asks on for longer than at work."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(objects, "TRY_FOR_SECONDS", 120)
        patch.setitem(seaweed.MEMORY, "GOGC", "off")  # half of what a store takes that lives for one test
        yield


@pytest.fixture(scope="session")
def service_var() -> Iterator[Path]:
    """The ``var`` of this process's stores. Its guardian stops them when the pipe closes."""
    with guarded_var() as var:
        yield var


@pytest.fixture(scope="session")
def postgres_server(service_var: Path) -> PostgresServer:
    """The real PostgreSQL of this test process. It waits for no disk: tests kill processes, never the machine."""
    server = postgres.start(service_var)
    with closing(psycopg.connect(server.admin_url, autocommit=True)) as conn:
        conn.execute("alter system set fsync = off")
        conn.execute("select pg_reload_conf()")
    return server


@pytest.fixture(scope="session")
def s3_server(service_var: Path) -> SeaweedServer:
    """The real S3 of this test process."""
    return seaweed.start(service_var)


@pytest.fixture(scope="session")
def migrated_template(postgres_server: PostgresServer) -> str:
    """Name of a migrated database that nobody connects to, so that it can be copied."""
    migrations.migrate(postgres_server.admin_url, postgres.APP)
    return postgres.APP


@pytest.fixture(scope="session")
def databases(postgres_server: PostgresServer, migrated_template: str) -> Databases:
    return Databases(postgres_server, migrated_template)


@pytest.fixture
def database(databases: Databases) -> Iterator[Database]:
    """A fresh copy of the migrated database; dropped afterwards."""
    with databases.fresh() as fresh:
        yield fresh


@pytest.fixture
def store_settings(database: Database, s3_server: SeaweedServer, service_var: Path, tmp_path: Path) -> Settings:
    """Settings of a whole installation of one test: own database, own buckets, own ``var``."""
    settings = settings_of(database, s3_server, tmp_path / "var", database.mark)
    make_stores(settings, service_var)
    return settings


@pytest.fixture
def desk(store_settings: Settings, tmp_path: Path) -> Iterator["Desk"]:
    """An exchange desk with the papers of the checkout in force: everything of the inbound path but Airflow."""
    from support.desk import open_desk

    with open_desk(store_settings, tmp_path) as opened:
        yield opened


@pytest.fixture(scope="module")
def module_settings(
    databases: Databases, s3_server: SeaweedServer, service_var: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """Settings of one installation for a whole module; each test works with a principal or a person of its own."""
    with databases.fresh() as database:
        settings = settings_of(database, s3_server, tmp_path_factory.mktemp("installation") / "var", database.mark)
        make_stores(settings, service_var)
        yield settings


@pytest.fixture(scope="module")
def module_desk(module_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator["Desk"]:
    """The exchange desk of that installation."""
    from support.desk import open_desk

    with open_desk(module_settings, tmp_path_factory.mktemp("desk")) as opened:
        yield opened


@pytest.fixture
def fresh_settings() -> Iterator[None]:
    """Settings are read anew in each test, so that no test sees those of another."""
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


@pytest.fixture(scope="session")
def copies(databases: Databases, service_var: Path) -> Iterator[Copies]:
    """Installations that are filled once and copied for each test."""
    made = Copies(databases, service_var)
    yield made
    made.close()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real files, from SLUICE_REAL_DATA; without it the test is not selected."""
    return Path(os.environ["SLUICE_REAL_DATA"])


@pytest.fixture(scope="session")
def schemas() -> Path:
    """Folder of official schemas, from SLUICE_SCHEMAS; without it the test is not selected."""
    return Path(os.environ["SLUICE_SCHEMAS"])


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser of the machine (``apt-get install chromium``); without it the test is not selected."""
    return str(OUTSIDE["chromium"])


@pytest.fixture(scope="session")
def gpg() -> str:
    """GnuPG of the machine; without it the test is not selected."""
    return str(OUTSIDE["gpg"])


@pytest.fixture(scope="session")
def history() -> Path:
    """The checkout, where git has its whole history; in a shallow clone or without git the test is not selected."""
    return CHECKOUT


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what needs stores; leave out, and count, what needs files that are not here."""
    absent = {name for name, place in OUTSIDE.items() if not place}
    left_out = [item for item in items if absent & _fixtures(item)]
    for item in items:
        if _fixtures(item) & STORES:
            item.add_marker("stores")
    if left_out:
        config.stash[NOT_RUN] = len(left_out)
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    if hasattr(config, "workerinput"):
        _longest_first(items)


def _longest_first(items: list[pytest.Item]) -> None:
    """Files in the order of the time that their tests may take, so that no worker ends long after the others."""
    patience: dict[Path, float] = {}
    for item in items:
        marker = item.get_closest_marker("timeout")
        patience[item.path] = max(patience.get(item.path, 0), marker.args[0] if marker else 0)
    items.sort(key=lambda item: -patience[item.path])


def pytest_collection_finish() -> None:
    """What was imported and collected stays to the end: looking through it again and again is a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    gc.enable()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of xdist tells its controller how many it left out."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["not_run"] = session.config.stash.get(NOT_RUN, 0)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was not run, so that a green line never means less than it seems."""
    if count := config.stash.get(NOT_RUN, 0):
        terminalreporter.write_line(f"not run (no real data, browser, gpg or history): {count}", yellow=True)
    figures = [each for report in terminalreporter.getreports("passed") for each in report.user_properties]
    if figures:
        terminalreporter.section("figures")
    for name, figure in sorted(figures):
        terminalreporter.write_line(f"{name}: {figure}")


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """The controller takes the count of one worker: each of them collects the same tests."""
    node.config.stash[NOT_RUN] = getattr(node, "workeroutput", {}).get("not_run", 0)


def pytest_unconfigure() -> None:
    shutil.rmtree(os.environ["SLUICE_VAR"], ignore_errors=True)


def _fixtures(item: pytest.Item) -> set[str]:
    return set(getattr(item, "fixturenames", ()))
