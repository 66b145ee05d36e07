"""The keeper: one background process that starts the embedded services and restarts those that die.

    python -m sluice.services.keeper HOME VAR

It reads what to run from ``var/run/plan.json``, writes its state to ``var/run/keeper.json``, and on
SIGTERM stops everything that it started. It adopts orphans, so that whatever a killed process leaves
behind is still found and stopped at the end.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType

from sluice.errors import SluiceError, told_of
from sluice.kernel import adopt_orphans
from sluice.services import airflow, plan, postgres, redis, seaweed, tidy
from sluice.services.model import StackBusy
from sluice.services.places import locked, make_var, text_of, write_private
from sluice.services.process import (
    ProcessId,
    family,
    kill_all,
    kill_group,
    reap,
    spawn,
    stop_all,
    wait_until,
)

STORES = ("postgresql", "s3", "redis")
"""The services that are not part of Airflow."""

TICK_SECONDS = 0.5
STOP_SECONDS = 8.0
LONGEST_PAUSE_SECONDS = 30.0
TIDY_PAUSE_SECONDS = 3600.0
"""Pause before looking whether the daily cleaning is due: after a start, when the first file should be quick, and
after each look."""
STEADY_SECONDS = 60.0
"""A process that ran this long is restarted at once; one that dies sooner waits a little longer each time."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One service that the keeper started, as recorded in ``keeper.json``."""

    name: str
    process: ProcessId
    restarts: int


@dataclass(frozen=True, slots=True)
class Standing:
    """The content of ``keeper.json``: the keeper, everything it started, and the number of workers Airflow knows of."""

    keeper: ProcessId
    services: tuple[Kept, ...]
    workers: int

    def find(self, name: str) -> Kept | None:
        return next((kept for kept in self.services if kept.name == name), None)


def read_standing(var: Path) -> Standing | None:
    """The last state that the keeper recorded, even if it is gone; None if there is none, or a power cut emptied it."""
    text = text_of(var / "run" / "keeper.json")
    if not text:
        return None
    told = json.loads(text)
    kept = (Kept(each["name"], ProcessId.from_record(each["process"]), each["restarts"]) for each in told["services"])
    return Standing(ProcessId.from_record(told["keeper"]), tuple(kept), told.get("workers", 0))


@dataclass
class Pause:
    """How long to wait before a process is started again."""

    attempts: int = 0
    not_before: float = 0.0

    def note(self, now: float) -> None:
        self.attempts += 1
        self.not_before = now + min(LONGEST_PAUSE_SECONDS, 0.5 * 2 ** min(self.attempts, 7) - 0.5)

    def settle(self, now: float) -> None:
        if now > self.not_before + STEADY_SECONDS:
            self.attempts = 0


@dataclass
class Keeper:
    """The state of the loop."""

    home: Path
    var: Path
    kept: dict[str, Kept] = field(default_factory=dict)
    pauses: dict[str, Pause] = field(default_factory=dict)
    celery: airflow.Celery | None = None
    told: Standing | None = None
    published: tuple[Kept | None, ...] = (None, None)
    stopping: bool = False
    looked_at: float = field(default_factory=time.monotonic)
    tidying: ProcessId | None = None

    def run(self) -> None:
        """Start whatever should run and does not, until SIGTERM; then stop everything.

        A failed tick does not end the loop, because a full disk or a lack of processes may pass.
        """
        is_ours, failure = False, ""
        while not self.stopping:
            try:
                if not is_ours:
                    self._take_over()
                    is_ours = True
                self._look()
                failure = ""
            except Exception as error:
                if failure != (failure := told_of(error)[1]):
                    _say(f"keeper: {failure}")
            time.sleep(TICK_SECONDS)
        stop_everything(self.var)

    def stop(self, _signal: int, _frame: FrameType | None) -> None:
        self.stopping = True

    def _take_over(self) -> None:
        """Stop the parts of Airflow that a killed keeper may have left, so that this keeper starts them anew."""
        before = read_standing(self.var)
        if before:
            kill_all(_left_behind(before))
            for kept in before.services:  # one that died meanwhile may have left children
                if kept.name not in STORES:
                    kill_group(kept.process, airflow.WORDS)
        redis.stop(self.var)  # it belongs to Airflow's parts, and is started with them if still wanted
        self._tell()

    def _look(self) -> None:
        reap()
        wanted = plan.read_plan(self.var)
        if wanted:
            self._tick(wanted)
        self._tell()

    def _tick(self, wanted: plan.Plan) -> None:
        if not self._stores(wanted) or not wanted.airflow:
            return
        if wanted.redis:
            self._keep("redis", lambda: _known(redis.start(self.var).pid))
        celery = find_celery(self.var, wanted)
        is_found = celery is not None or not wanted.workers  # a Redis that is down for a moment is no change
        if is_found and celery != self.celery:
            self._turn(wanted, celery)
        if not wanted.redis and "redis" in self.kept:
            redis.stop(self.var)
            del self.kept["redis"]
        for name in airflow.components(self.celery.workers if self.celery else 0):
            if not self.stopping and (is_found or name in self.kept):
                self._keep(name, partial(self._start_component, name))
        self._tidy(time.monotonic())

    def _tidy(self, now: float) -> None:
        """Once a day, remove old runs from Airflow, one cleaning at a time.

        now: seconds of the monotonic clock.
        """
        if now < self.looked_at + TIDY_PAUSE_SECONDS:
            return
        self.looked_at = now
        is_at_it = self.tidying is not None and self.tidying.is_alive()
        if not is_at_it and tidy.age_days(self.var, time.time()) > 1:
            command = [sys.executable, "-m", "sluice.services.tidy"]
            self.tidying = spawn(command, log=airflow.log_path(self.var, "tidy"), env=self._environment())

    def _turn(self, wanted: plan.Plan, celery: airflow.Celery | None) -> None:
        """Switch to another executor, number of workers or queue: all parts of Airflow are restarted with it."""
        _stop_parts(self.kept.values())
        names = {*STORES, *airflow.components(wanted.workers)}
        self.kept = {name: kept for name, kept in self.kept.items() if name in names}
        self.celery = celery
        self._tell()

    def _stores(self, wanted: plan.Plan) -> bool:
        """Start the wanted stores that are down, and publish their addresses; whether all of them are up."""
        up = [
            not needed or self._keep(name, start)
            for name, needed, start in (
                ("postgresql", wanted.postgres, lambda: _known(postgres.start(self.var).pid)),
                ("s3", wanted.s3, lambda: _known(seaweed.start(self.var).pid)),
            )
        ]
        stores = (self.kept.get("postgresql"), self.kept.get("s3"))
        if all(up) and stores != self.published:
            self._publish(wanted)
            self.published = stores
        return all(up)

    def _publish(self, wanted: plan.Plan) -> None:
        """Write the addresses of the stores. If they changed, restart Airflow's parts, which know the old ones.

        If the environment gives a database, our PostgreSQL only serves Airflow and is not published.
        """
        is_given = bool(os.environ.get(plan.DATABASE_VARIABLE))
        changed = plan.write_env(
            self.var,
            postgres.find(self.var) if wanted.postgres and not is_given else None,
            seaweed.find(self.var) if wanted.s3 else None,
        )
        if changed:
            _stop_parts(self.kept.values())

    def _keep(self, name: str, start: Callable[[], ProcessId]) -> bool:
        """Start ``name`` unless it is alive; whether it is up now. A failed start is tried again after a pause."""
        now, pause = time.monotonic(), self.pauses.setdefault(name, Pause())
        last = self.kept.get(name)
        if last and last.process.is_alive():
            pause.settle(now)
            return True
        if now < pause.not_before:
            return False
        pause.note(now)
        if last and name not in STORES:
            kill_group(last.process, airflow.WORDS)
        try:
            process = start()
        except SluiceError as error:
            _say(f"{name}: {error}")
            return False
        _say(f"{name}: started, pid {process.pid}")
        self.kept[name] = Kept(name, process, last.restarts + 1 if last else 0)
        self._tell()
        return True

    def _start_component(self, name: str) -> ProcessId:
        return spawn(airflow.command(name), log=airflow.log_path(self.var, name), env=self._environment())

    def _environment(self) -> dict[str, str]:
        """The environment of every Airflow process."""
        return airflow.environment(self.home, self.var, airflow_dsn(self.var), os.environ, self.celery)

    def _tell(self) -> None:
        """Record the state if it changed. Called at every tick, because a full disk may have prevented it before."""
        workers = self.celery.workers if self.celery else 0
        now = Standing(_known(os.getpid()), tuple(self.kept.values()), workers)
        if now != self.told:
            write_private(self.var / "run" / "keeper.json", json.dumps(asdict(now), indent=1))
            self.told = now


def airflow_dsn(var: Path) -> str:
    """The SQLAlchemy URL of Airflow's database: the one given, else that of the embedded server."""
    if given := os.environ.get(airflow.DSN_VARIABLE):
        return given
    server = postgres.start(var)
    return server.airflow_url.replace("postgresql://", "postgresql+psycopg://", 1)


def find_celery(var: Path, wanted: plan.Plan) -> airflow.Celery | None:
    """The queue of tasks: the embedded Redis or the one given. None without workers, or while there is no queue."""
    if not wanted.workers:
        return None
    server = redis.find(var) if wanted.redis else None
    broker = (server.url if server else None) if wanted.redis else plan.read_broker(var)
    return airflow.Celery(broker, wanted.workers) if broker else None


def is_running(var: Path) -> bool:
    """Whether a keeper is running for this ``var``."""
    standing = read_standing(var)
    return standing is not None and standing.keeper.is_alive()


def is_kept(var: Path, name: str) -> bool:
    """Whether the keeper started this service and it is alive."""
    standing = read_standing(var)
    kept = standing.find(name) if standing else None
    return kept is not None and kept.process.is_alive()


def launch(home: Path, var: Path) -> None:
    """Start a keeper in the background, in a session of its own, unless one is running."""
    if not is_running(var):
        command = [sys.executable, "-m", "sluice.services.keeper", str(home), str(var)]
        spawn(command, log=var / "logs" / "keeper.log", env=os.environ)
        wait_until(lambda: is_running(var), 10)


def stop_everything(var: Path) -> None:
    """Stop everything that the keeper of ``var`` started, even if the keeper itself is gone.

    All are asked at the same time, except PostgreSQL, which is last because the others end more cleanly
    while it answers. Only the main processes are asked, not their children: a worker that ends on its own
    can leave a lock behind.
    """
    standing = read_standing(var)
    if standing:
        parts = [kept for kept in standing.services if kept.name not in STORES]
        everyone = set(_left_behind(standing))
        stores = [kept.process for kept in standing.services if kept.name == "s3"]
        stop_all([*(kept.process for kept in parts), *stores], STOP_SECONDS)
        kill_all(everyone)
        for kept in parts:
            kill_group(kept.process, airflow.WORDS)
    redis.stop(var)
    seaweed.stop(var)
    postgres.stop(var)


def _left_behind(standing: Standing) -> Iterator[ProcessId]:
    """Airflow's processes with all their descendants, and their orphans that the keeper adopted."""
    stores = [kept.process.pid for kept in standing.services if kept.name in STORES]
    for kept in standing.services:
        if kept.name not in STORES and kept.process.is_alive():
            yield from family(kept.process.pid)
    if standing.keeper.is_alive():
        below = family(standing.keeper.pid)[1:]
        own = {found for store in stores for found in family(store)}  # asked last: a backend may fork meanwhile
        yield from (found for found in below if found not in own)


def _stop_parts(kept: Iterable[Kept]) -> None:
    """Stop Airflow's processes among these, with what is left of their process groups."""
    parts = [each.process for each in kept if each.name not in STORES]
    stop_all(parts, STOP_SECONDS)
    for process in parts:
        kill_group(process, airflow.WORDS)


def _known(pid: int) -> ProcessId:
    return ProcessId.of(pid) or ProcessId(pid)


def _say(line: str) -> None:
    with suppress(OSError):  # the log may lie on a full disk
        print(line, flush=True)


def main(home: Path, var: Path) -> None:
    """Keep the services of ``var`` running until told to stop. A second keeper exits at once."""
    make_var(var)
    adopt_orphans()
    keeper = Keeper(home, var)
    signal.signal(signal.SIGTERM, keeper.stop)
    signal.signal(signal.SIGINT, keeper.stop)
    try:
        with locked(var / "run" / "keeper.lock", wait=False):
            keeper.run()
    except StackBusy:
        print("another keeper runs", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
