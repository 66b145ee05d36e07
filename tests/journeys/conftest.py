"""A whole installation of its own: embedded PostgreSQL, S3 and Airflow, up for the whole session."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from installation import Stack, environment
from sluice.agreement.activate import activate_all
from sluice.db import connect
from stores import guarded_var


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """`sluice up` in a folder of its own; its guardian takes it down, even if the tests are killed."""
    with guarded_var() as var, tempfile.TemporaryDirectory(prefix="sluice-files-") as files:
        command = [sys.executable, "-m", "sluice.cli.main", "up"]
        up = subprocess.run(command, env=environment(var), capture_output=True, text=True, check=False)
        assert up.returncode == 0, up.stderr
        started = Stack(var, Path(files))
        with connect(started.settings) as conn:
            activate_all(conn, started.settings.principals_dir, datetime.now(UTC))
        yield started
