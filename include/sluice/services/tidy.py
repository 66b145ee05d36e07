"""What Airflow keeps of runs that are long over goes: rows of its database, logs of tasks. Every day, by the keeper.

    python -m sluice.services.tidy

It works in Airflow's environment. What became of a file or of a person stands in the ledger; of that nothing goes here.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sluice.settings import get_settings

LOGS_VARIABLE = "AIRFLOW__LOGGING__BASE_LOG_FOLDER"
TABLES = (
    "dag_run", "task_instance", "task_instance_history", "task_reschedule", "xcom", "log", "job", "asset_event",
    "callback", "import_error", "revoked_token", "dag_version", "celery_taskmeta", "celery_tasksetmeta",
)  # fmt: skip
"""All that grow. Not `trigger`: its rows would go by when they were made, and watchers are as old as their DAG."""
BATCH_ROWS = 10_000
"""Deleted in one transaction: the scheduler goes on beside it."""
DAY_SECONDS = 24 * 3600.0
MOST_SECONDS = 12 * 3600.0
"""Of one command: one that hangs keeps no cleaning away for ever."""

DATABASE = (sys.executable, "-m", "airflow", "db")
OF_TABLES = ("--tables", ",".join(TABLES), "--yes")


def clean_command(before: datetime) -> list[str]:
    """What removes the rows of before a moment, for good: no copy in tables of another name, which grow as well."""
    asked = ("--clean-before-timestamp", before.isoformat(), "--batch-size", str(BATCH_ROWS))
    return [*DATABASE, "clean", *OF_TABLES, *asked, "--skip-archive", "--error-on-cleanup-failure"]


def drop_command() -> list[str]:
    """What drops those tables where a cleaning that was killed left them: Airflow drops each only at its end."""
    return [*DATABASE, "drop-archived", *OF_TABLES]


def remove_logs(folder: Path, before: datetime) -> int:
    """Remove files that nobody wrote to since, then the folders they leave empty; how many files."""
    old = [path for path in sorted(folder.rglob("*"), reverse=True) if _is_older(path, before)]  # what lies in it first
    return sum(_remove(each) for each in old)


def _is_older(path: Path, before: datetime) -> bool:
    with suppress(FileNotFoundError):
        return path.lstat().st_mtime < before.timestamp()
    return False


def _remove(path: Path) -> bool:
    """Whether it was a file and is gone. A folder in which something is left stays."""
    with suppress(OSError):
        if path.is_symlink() or not path.is_dir():
            path.unlink()
            return True
        path.rmdir()
    return False


def mark_path(var: Path) -> Path:
    """As old as the last time it was done whole, or as the first time that somebody asked."""
    return var / "run" / "airflow-tidied"


def age_days(var: Path, now: float) -> float:
    """How many days ago it was done. now: seconds of the wall's clock."""
    mark = mark_path(var)
    if not mark.exists():
        mark.touch(mode=0o600)
    return (now - mark.stat().st_mtime) / DAY_SECONDS


def _run(command: Sequence[str]) -> int:
    """Its exit code; that of a command that was killed where it did not end in time."""
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, check=False, timeout=MOST_SECONDS).returncode
    except subprocess.TimeoutExpired:
        return -signal.SIGKILL


def main() -> int:
    """Do it now, in the environment of Airflow; the exit code of the first of its commands that failed, or 0."""
    settings = get_settings()
    before = datetime.now(UTC) - timedelta(days=settings.keep_runs_days)
    failed = next(filter(None, [_run(command) for command in (drop_command(), clean_command(before))]), 0)
    removed = remove_logs(Path(os.environ[LOGS_VARIABLE]), before)
    print(
        f"before {before:%Y-%m-%d %H:%M} UTC: {removed} log files removed, airflow db ended with {failed}", flush=True
    )
    if not failed:
        mark_path(settings.var).touch(mode=0o600)
    return failed


if __name__ == "__main__":
    sys.exit(main())
