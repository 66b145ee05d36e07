"""Remove what Airflow keeps of old runs: rows of its database and logs of tasks. The keeper runs this every day.

    python -m sluice.services.tidy

It works in Airflow's environment. What became of a file or person is in the ledger, from which nothing is removed.
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
"""All tables that grow, except `trigger`: its rows would go by their creation date, but watchers live as long as their
DAG."""
BATCH_ROWS = 10_000
"""Rows deleted in one transaction, so that the scheduler can go on meanwhile."""
DAY_SECONDS = 24 * 3600.0
MOST_SECONDS = 12 * 3600.0
"""Time limit of one command, so that one that hangs does not prevent cleaning forever."""

DATABASE = (sys.executable, "-m", "airflow", "db")
OF_TABLES = ("--tables", ",".join(TABLES), "--yes")


def clean_command(before: datetime) -> list[str]:
    """The command that deletes rows older than a moment, without copying them to archive tables, which grow too."""
    asked = ("--clean-before-timestamp", before.isoformat(), "--batch-size", str(BATCH_ROWS))
    return [*DATABASE, "clean", *OF_TABLES, *asked, "--skip-archive", "--error-on-cleanup-failure"]


def drop_command() -> list[str]:
    """The command that drops archive tables left by a killed cleaning; Airflow drops each one only at its end."""
    return [*DATABASE, "drop-archived", *OF_TABLES]


def remove_logs(folder: Path, before: datetime) -> int:
    """Remove files not written since ``before``, and the folders that this leaves empty; return how many files."""
    old = [
        path for path in sorted(folder.rglob("*"), reverse=True) if _is_older(path, before)
    ]  # a folder after its files
    return sum(_remove(each) for each in old)


def _is_older(path: Path, before: datetime) -> bool:
    with suppress(FileNotFoundError):
        return path.lstat().st_mtime < before.timestamp()
    return False


def _remove(path: Path) -> bool:
    """Remove a file or an empty folder; whether it was a file and is gone. A folder that is not empty stays."""
    with suppress(OSError):
        if path.is_symlink() or not path.is_dir():
            path.unlink()
            return True
        path.rmdir()
    return False


def mark_path(var: Path) -> Path:
    """The file whose age is that of the last complete cleaning, or of the first time that somebody asked."""
    return var / "run" / "airflow-tidied"


def age_days(var: Path, now: float) -> float:
    """How many days ago the last cleaning was. now: seconds of the wall clock."""
    mark = mark_path(var)
    if not mark.exists():
        mark.touch(mode=0o600)
    return max(0.0, (now - mark.stat().st_mtime) / DAY_SECONDS)  # the mark may be younger than now was read


def _run(command: Sequence[str]) -> int:
    """Run a command and return its exit code; -SIGKILL if it did not end in time."""
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, check=False, timeout=MOST_SECONDS).returncode
    except subprocess.TimeoutExpired:
        return -signal.SIGKILL


def main() -> int:
    """Clean now, in Airflow's environment; return the exit code of the first command that failed, or 0."""
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
