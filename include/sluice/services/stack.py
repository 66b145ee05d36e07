"""Start, stop and inspect the embedded services of one checkout as a whole."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from sluice.errors import NotFound, Ref, SettingMissing
from sluice.keys import find_public
from sluice.migrations import run as migrations
from sluice.services import airflow, buckets, keeper, plan, plugins_folder, postgres, redis, seaweed
from sluice.services.model import Credential, Service, ServiceNotStarted, State
from sluice.services.places import LOOPBACK, locked, make_var, read_ports
from sluice.services.process import close_to_others, stop_all, wait_until
from sluice.services.system_user import find_home
from sluice.settings import Settings, get_settings, read_settings

STORES_SECONDS = 60.0
AIRFLOW_SECONDS = 180.0
DOWN_SECONDS = 60.0
HOPELESS = 3
"""After this many restarts of one process during one `up`, something is wrong with it that will not pass."""

Report = Callable[[str], None]
"""Called with one line per finished step."""


def bring_up(
    home: Path, var: Path, *, with_airflow: bool, workers: int | None = None, report: Report
) -> tuple[Service, ...]:
    """Start what the environment does not give, migrate the databases, create the buckets and test the store.

    With Airflow, also put the papers of the checkout in force. A refused one is reported and stops nothing.
    workers: of Celery; None leaves them as they are, with 0 tasks run beside the scheduler.
    Returns when all is healthy; safe to repeat. Raises ServiceNotStarted, StoreUnfit, EvidenceOfAnother,
    MigrationFailed, ExtraMissing, PluginsChanged, StackBusy.
    """
    close_to_others()
    make_var(var)
    with locked(var / "run" / "up.lock", wait=False):
        broker = _broker(var, workers)
        wanted = _wanted(var, with_airflow, workers, broker)
        _check_parts(home, wanted)
        plan.write_asked(var, _together(plan.read_plan(var), wanted))
        if not wanted.is_empty:
            with _step(report, "stores"):
                _start_stores(home, var, wanted)
        settings = fresh_settings(home, var)
        with _step(report, "database migrated"):
            _migrate(settings, _admin_url(settings, var, wanted))
        if wanted.airflow:
            with _step(report, "Airflow's database migrated"):
                if not keeper.is_kept(var, "api-server"):
                    airflow.settle_port(var)
                airflow.migrate(home, var, keeper.airflow_dsn(var))
            plan.write_broker(var, broker if wanted.workers else None)
        before = _restarts(var)
        _check_evidence(settings)  # before Airflow starts, which would sign
        if wanted.s3:  # it may answer 500 for some seconds after a start: Airflow starts meanwhile
            plan.write_plan(var, _together(plan.read_plan(var), wanted))
        with _step(report, "buckets, and the store keeps its promises"):
            _prepare_store(settings, wanted)
        plan.write_plan(var, _together(plan.read_plan(var), wanted))
        if wanted.airflow:
            _settle_papers(settings, report)  # Airflow starts meanwhile
            with _step(report, "Airflow healthy"):
                _wait_for_airflow(var, before)
    return standing(home, var)


def take_down(var: Path) -> None:
    """Stop everything that this checkout started and leave no process; safe to repeat.

    Raises StackBusy while another process brings it up.
    """
    make_var(var)
    with locked(var / "run" / "up.lock", wait=False):
        last = keeper.read_standing(var)
        if last:
            stop_all([last.keeper], DOWN_SECONDS)
        keeper.stop_everything(var)
        plan.forget(var)
        (var / "run" / "keeper.json").unlink(missing_ok=True)
        get_settings.cache_clear()


def standing(home: Path, var: Path) -> tuple[Service, ...]:
    """Every service with state, address, log and process, also of what an interrupted `up` left out; reads only."""
    wanted = plan.read_asked(var) or plan.read_plan(var) or plan.make_plan(os.environ, with_airflow=True)
    settings = fresh_settings(home, var)
    parts = _airflow_parts(var, wanted.workers) if wanted.airflow or os.environ.get(plan.AIRFLOW_VARIABLE) else ()
    return (*_stores(settings, wanted), *parts, *(() if wanted.is_empty else (_keeper(var),)))


def give_key(settings: Settings, principal: str) -> Credential:
    """The key of a principal for the embedded store, made without a restart if it has an agreement but no key.

    Raises NotFound, also when the store is not the embedded one, and StackBusy.
    """
    var, path = settings.var, seaweed.secret_path(settings.var, principal)
    mark = seaweed.revoked_path(var, principal)
    if mark.exists() or not path.exists():
        if not _is_embedded(settings) or principal not in _principals(settings):
            raise NotFound(Ref("principal with an agreement in the embedded store", "as given"))
        make_var(var)
        with locked(var / "run" / "up.lock", wait=False):
            if mark.exists():
                path.unlink(missing_ok=True)
                mark.unlink()
            seaweed.write_identities(var, settings.bucket_exchange, _principals(settings))
    return seaweed.credential(var, principal)


def take_key(settings: Settings, principal: str) -> None:
    """Shut a principal out of the embedded store, even after a restart, until it is given a new key.

    Raises NotFound when it has no key of ours, and StackBusy.
    """
    var, path = settings.var, seaweed.secret_path(settings.var, principal)
    if not path.exists() or not _is_embedded(settings):
        raise NotFound(Ref("key in the embedded store", "as given"))
    make_var(var)
    with locked(var / "run" / "up.lock", wait=False):
        seaweed.revoked_path(var, principal).touch(mode=0o600)
        seaweed.write_identities(var, settings.bucket_exchange, _principals(settings))
        path.unlink()  # last, so that the command can be repeated if it is killed before


def fresh_settings(home: Path, var: Path) -> Settings:
    """Read the settings again, because addresses may have changed since this process read them."""
    get_settings.cache_clear()
    return read_settings(plan.env_path(var), home=home, var=var)


def _start_stores(home: Path, var: Path, wanted: plan.Plan) -> None:
    if not keeper.is_running(var):
        plan.env_path(var).unlink(missing_ok=True)
        plan.write_plan(var, wanted.without_airflow())
        keeper.launch(home, var)
    else:
        plan.write_plan(var, _together(plan.read_plan(var), wanted.without_airflow()))
    if not wait_until(lambda: _stores_are_up(var, wanted), STORES_SECONDS):
        needs_postgres = wanted.postgres and postgres.find(var) is None
        log = postgres.LOG_NAME if needs_postgres else seaweed.LOG_NAME
        raise ServiceNotStarted(
            Ref("service", "postgresql" if needs_postgres else "s3"), Ref("log", f"{var}/logs/{log}")
        )


def _broker(var: Path, workers: int | None) -> str | None:
    """The queue that the environment gives, or, if the workers stay as they are, the one given for them before."""
    return os.environ.get(airflow.BROKER_VARIABLE) or (plan.read_broker(var) if workers is None else None)


def _wanted(var: Path, with_airflow: bool, workers: int | None, broker: str | None) -> plan.Plan:
    running = plan.read_plan(var)
    kept = running.workers if running and workers is None else 0
    return plan.make_plan({**os.environ, airflow.BROKER_VARIABLE: broker or ""}, with_airflow, workers or kept)


def _check_parts(home: Path, wanted: plan.Plan) -> None:
    """Check packages and plugins before the keeper is told, which could only retry forever.

    Raises ExtraMissing, PluginsChanged.
    """
    if wanted.workers:
        airflow.check_installed("apache-airflow-providers-celery")
    if wanted.redis:
        redis.check_installed()
    if wanted.airflow:
        plugins_folder.secure(home)


def _together(running: plan.Plan | None, wanted: plan.Plan) -> plan.Plan:
    """Combine two plans so that what runs keeps running: `up --no-airflow` stops neither Airflow nor its workers."""
    if running is None:
        return wanted
    newest = wanted if wanted.airflow else running
    return replace(
        newest,
        postgres=running.postgres or wanted.postgres,
        s3=running.s3 or wanted.s3,
    )


def _stores_are_up(var: Path, wanted: plan.Plan) -> bool:
    if not keeper.is_running(var) or not plan.env_path(var).exists():
        return not (wanted.postgres or wanted.s3) and keeper.is_running(var)
    return (not wanted.postgres or postgres.find(var) is not None) and (not wanted.s3 or seaweed.find(var) is not None)


def _admin_url(settings: Settings, var: Path, wanted: plan.Plan) -> str | None:
    """The URL of the role that may migrate: the one set, else that of the embedded server."""
    if settings.database_admin_url is not None:
        return settings.database_admin_url.get_secret_value()
    embedded = postgres.find(var) if wanted.postgres else None
    return embedded.admin_url if embedded else None


def _migrate(settings: Settings, admin_url: str | None) -> None:
    """Migrate the database with the administrator's URL. Without one, its owner must have migrated it already.

    Raises SettingMissing, MigrationFailed.
    """
    if settings.database_url is None:
        raise SettingMissing(Ref("setting", plan.DATABASE_VARIABLE))
    url = settings.database_url.get_secret_value()
    if admin_url is not None:
        app_role = str(conninfo_to_dict(url).get("user", postgres.APP))
        migrations.migrate(admin_url, app_role)
    elif not (found := migrations.current(url)).is_current:
        raise migrations.MigrationFailed(
            Ref("found", found.found or "nothing"), Ref("needed", found.needed or "nothing")
        )


def _check_evidence(settings: Settings) -> None:
    """Raises EvidenceOfAnother when there is evidence that another key signed."""
    from sluice.exchange.anchor import check_own_evidence
    from sluice.lake.s3.objects import ObjectStore

    with suppress(NotFound):  # the bucket is not made yet
        check_own_evidence(ObjectStore(settings), settings.bucket_evidence, find_public(settings))


def _settle_papers(settings: Settings, report: Report) -> None:
    """Put the checkout's papers in force, so that no command after this one finds none. What is refused is told."""
    from sluice.services.papers import put_in_force

    with _step(report, "papers in force"):
        refused = put_in_force(settings)
    for line in refused:
        report(line)


def _prepare_store(settings: Settings, wanted: plan.Plan) -> None:
    if wanted.s3:
        principals = _principals(settings)
        seaweed.write_identities(settings.var, settings.bucket_exchange, principals)
    buckets.make_buckets(settings, embedded=wanted.s3)
    buckets.check_store(settings)


def _principals(settings: Settings) -> list[str]:
    """The principals: all folders with an agreement; each gets its own key."""
    folder = settings.principals_dir
    return sorted({path.parent.name for path in folder.glob("*/agreement-*.yaml")}) if folder.is_dir() else []


def _is_embedded(settings: Settings) -> bool:
    """Whether the settings name the store that runs here; a shell may have a principal's AWS_ENDPOINT_URL instead."""
    server = seaweed.find(settings.var)
    return server is not None and server.endpoint == settings.s3_endpoint


def _wait_for_airflow(var: Path, before: dict[str, int]) -> None:
    """Wait until all parts are healthy, or one of them has died too often. Raises ServiceNotStarted."""
    is_well = False

    def is_settled() -> bool:
        nonlocal is_well
        is_well = not _sick(var)  # kept, because on a busy machine another answer may come too late
        return is_well or _hopeless(var, before) is not None

    wait_until(is_settled, AIRFLOW_SECONDS, every=0.25)
    if not is_well:
        wanted = plan.read_plan(var)
        if wanted and wanted.redis and redis.find(var) is None:
            raise ServiceNotStarted(Ref("service", "redis"), Ref("log", f"{var}/logs/{redis.LOG_NAME}"))
        part = _hopeless(var, before) or "*"
        raise ServiceNotStarted(Ref("service", "airflow"), Ref("log", str(airflow.log_path(var, part))))


def _sick(var: Path) -> set[str]:
    """Parts of Airflow that are missing or unhealthy; all of them until a restart is done. Workers are asked last."""
    wanted = plan.read_plan(var)
    workers = wanted.workers if wanted else 0
    names = set(airflow.components(workers))
    last = keeper.read_standing(var)
    if last is None or last.workers != workers or "airflow" not in read_ports(var):
        return names
    alive = {kept.name for kept in last.services if kept.process.is_alive()}
    return airflow.unhealthy(airflow.address(var)) | (names - alive) or _silent(var, wanted)


def _silent(var: Path, wanted: plan.Plan | None) -> set[str]:
    """The Celery workers that do not answer through the queue."""
    if wanted is None or not wanted.workers:
        return set()
    celery = keeper.find_celery(var, wanted)
    workers = airflow.components(wanted.workers)[len(airflow.COMPONENTS) :]
    return set(workers) - (airflow.answering(celery) if celery else set())


def _restarts(var: Path) -> dict[str, int]:
    last = keeper.read_standing(var)
    return {kept.name: kept.restarts for kept in last.services} if last else {}


def _hopeless(var: Path, before: dict[str, int]) -> str | None:
    return next((name for name, count in _restarts(var).items() if count >= before.get(name, 0) + HOPELESS), None)


def _stores(settings: Settings, wanted: plan.Plan) -> Iterator[Service]:
    var = settings.var
    if wanted.postgres:
        server = postgres.find(var)
        address = f"127.0.0.1:{server.port}" if server else ""
        line = _line("postgresql", address, var / "logs" / postgres.LOG_NAME, server.pid if server else None)
        yield replace(line, data=find_home(var))
    if settings.database_url and os.environ.get(plan.DATABASE_VARIABLE):
        yield Service("database", State.GIVEN, plan.DATABASE_VARIABLE, None, None)
    if wanted.s3:
        store = seaweed.find(var)
        address = store.endpoint if store else ""
        weed = var / "weed"
        line = _line("s3", address, var / "logs" / seaweed.LOG_NAME, store.pid if store else None)
        yield replace(line, data=weed if weed.is_dir() else None)
    else:
        yield Service("s3", State.GIVEN, settings.s3_endpoint or "AWS settings", None, None)
    if wanted.redis:
        queue = redis.find(var)
        address = f"{LOOPBACK}:{queue.port}" if queue else ""
        yield _line("redis", address, var / "logs" / redis.LOG_NAME, queue.pid if queue else None)
    elif wanted.workers:
        yield Service("redis", State.GIVEN, airflow.BROKER_VARIABLE, None, None)


def _airflow_parts(var: Path, workers: int) -> Iterator[Service]:
    if given := os.environ.get(plan.AIRFLOW_VARIABLE):
        yield Service("airflow", State.GIVEN, given, None, None)
        return
    last = keeper.read_standing(var)
    sick = _sick(var)
    for name in airflow.components(workers):
        kept = last.find(name) if last else None
        pid = kept.process.pid if kept and kept.process.is_alive() else None
        address = airflow.address(var) if name == "api-server" and pid else ""
        line = _line(name, address, airflow.log_path(var, name), pid)
        yield Service(name, State.STARTING, address, line.log, pid) if pid and name in sick else line


def _keeper(var: Path) -> Service:
    last = keeper.read_standing(var)
    pid = last.keeper.pid if last and last.keeper.is_alive() else None
    return _line("keeper", "", var / "logs" / "keeper.log", pid)


def _line(name: str, address: str, log: Path, pid: int | None) -> Service:
    return Service(name, State.UP if pid else State.DOWN, address, log, pid)


@contextmanager
def _step(report: Report, name: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    report(f"{name} ({time.monotonic() - started:.1f} s)")
