"""What Airflow keeps of runs that are long over goes, on a real database of Airflow; what is younger stays."""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sluice.db import Connection, connect_to
from sluice.services import airflow, keeper, postgres, tidy
from sluice.services.places import make_var
from sluice.services.process import family, kill_all, wait_until

HOME = Path(__file__).resolve().parents[2]
NOW = datetime.now(UTC)
DAYS = (400, 31, 29, 0)
RUN = """
insert into dag_run (dag_id, run_id, run_type, run_after, start_date, state, clear_number, span_status)
values (%(dag)s, %(run)s, 'scheduled', %(at)s, %(at)s, 'success', 0, 'ended')"""
TASK = """
insert into task_instance (id, task_id, dag_id, run_id, map_index, start_date, state, try_number, max_tries, pool,
    pool_slots, span_status)
values (gen_random_uuid(), 'task', %(dag)s, %(run)s, -1, %(at)s, 'success', 1, 1, 'default_pool', 1, 'ended')"""
LOG = "insert into log (dttm, dag_id, event, run_id) values (%(at)s, %(dag)s, 'success', %(run)s)"
WATCHER = """
insert into trigger (classpath, kwargs, created_date)
values ('sluice.orchestration.trigger.ObjectsWaiting', '{}', %(at)s)"""


def fill(conn: Connection, folder: Path) -> None:
    """A run, its task, its line of the log and its file for each of DAYS ago; a watcher of a year ago."""
    for days in DAYS:
        at = NOW - timedelta(days=days)
        for statement in (RUN, TASK, LOG):
            conn.execute(statement.encode(), {"dag": "reconcile", "run": f"ago_{days}", "at": at})
        path = folder / "dag_id=reconcile" / f"run_id=ago_{days}" / "task_id=task" / "attempt=1.log"
        path.parent.mkdir(parents=True)
        path.write_text("said\n")
        for each in (path, *path.parents[:2]):
            os.utime(each, (at.timestamp(), at.timestamp()))
    conn.execute(WATCHER.encode(), {"at": NOW - timedelta(days=400)})


def left(conn: Connection, table: str) -> set[str]:
    return {
        str(row["run_id"])
        for row in conn.execute(f"select run_id from {table} where dag_id = 'reconcile'".encode()).fetchall()
    }


@pytest.mark.slow
@pytest.mark.stores
@pytest.mark.timeout(300)
def test_runs_and_logs_older_than_the_day_go_and_younger_ones_and_watchers_stay(
    var: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(airflow.DSN_VARIABLE)  # the tests' own leads nowhere
    make_var(var)
    airflow.settle_port(var)
    server = postgres.start(var)
    dsn = keeper.airflow_dsn(var)
    airflow.migrate(HOME, var, dsn)
    env = airflow.environment(HOME, var, dsn, os.environ)
    folder = var / "logs" / "airflow"
    with connect_to(server.airflow_url) as conn:
        fill(conn, folder)
        assert {len(left(conn, table)) for table in ("dag_run", "task_instance", "log")} == {4}, "the control"
        assert f"{tidy.age_days(var, time.time()):.0f}" == "0", "nobody cleaned yet: counted from this look on"
        assert tidy.age_days(var, time.time() + 2 * tidy.DAY_SECONDS) > 1.9, "the control"
        os.utime(tidy.mark_path(var), (0, 0))
        conn.execute("create table _airflow_deleted__dag_run__20260101000000 as select * from dag_run")  # killed

        done = subprocess.run([sys.executable, "-m", "sluice.services.tidy"], env=env, capture_output=True, text=True)

        assert done.returncode == 0, done.stderr[-2000:]
        for table in ("dag_run", "task_instance", "log"):
            assert left(conn, table) == {"ago_29", "ago_0"}, table
        assert len(conn.execute("select 1 from trigger").fetchall()) == 1, "who watches for arrivals goes on"
        copies = conn.execute("select relname from pg_class where relname like '%airflow_deleted%'").fetchall()
        assert copies == [], "or they would grow instead; that of a cleaning that was killed goes too"
    assert {path.name for path in (folder / "dag_id=reconcile").iterdir()} == {"run_id=ago_29", "run_id=ago_0"}
    assert "2 log files removed" in done.stdout and tidy.age_days(var, time.time()) < 0.1


@pytest.mark.slow
def test_the_keeper_does_it_once_a_day_and_takes_a_failure_for_none(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_var(var)
    airflow.settle_port(var)
    monkeypatch.setenv(airflow.DSN_VARIABLE, "postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    tidy.mark_path(var).touch()
    os.utime(tidy.mark_path(var), (0, 0))
    watching, log = keeper.Keeper(HOME, var), airflow.log_path(var, "tidy")

    watching._tidy(watching.looked_at + keeper.TIDY_PAUSE_SECONDS - 1)
    assert not log.exists(), "not while the first file should be quick"
    watching._tidy(watching.looked_at + keeper.TIDY_PAUSE_SECONDS)
    first = watching.tidying
    assert first is not None and first.is_alive(), "the control"
    watching._tidy(watching.looked_at + keeper.TIDY_PAUSE_SECONDS)
    assert watching.tidying == first, "no second one beside it"
    assert wait_until(lambda: "airflow db ended with 1" in log.read_text() and not first.is_alive(), 120)
    assert tidy.age_days(var, time.time()) > 1
    watching._tidy(watching.looked_at + keeper.TIDY_PAUSE_SECONDS)
    second = watching.tidying
    assert second is not None and second != first, "what failed is tried again"
    kill_all(family(second.pid))
    tidy.mark_path(var).touch()
    log.unlink()
    watching._tidy(watching.looked_at + keeper.TIDY_PAUSE_SECONDS)
    assert not log.exists(), "once a day"


def test_a_folder_that_is_written_to_stays(tmp_path: Path) -> None:
    old, new = tmp_path / "a" / "old.log", tmp_path / "a" / "new.log"
    old.parent.mkdir()
    old.touch()
    new.touch()
    long_ago = (NOW - timedelta(days=40)).timestamp()
    for path in (old, old.parent):
        os.utime(path, (long_ago, long_ago))
    assert tidy.remove_logs(tmp_path, NOW - timedelta(days=30)) == 1
    assert (old.exists(), new.exists()) == (False, True)
