"""A whole installation of its own: embedded PostgreSQL, S3 and Airflow, up for the whole session."""

import shutil
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


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """`sluice up` in a folder of its own; `sluice down` at the end."""
    var = Path(tempfile.mkdtemp(prefix="sluice-journeys-"))
    var.chmod(0o711)
    command = [sys.executable, "-m", "sluice.cli.main"]
    try:
        up = subprocess.run([*command, "up"], env=environment(var), capture_output=True, text=True, check=False)
        assert up.returncode == 0, up.stderr
        started = Stack(var, Path(tempfile.mkdtemp(prefix="sluice-files-")))
        with connect(started.settings) as conn:
            activate_all(conn, started.settings.principals_dir, datetime.now(UTC))
        yield started
        shutil.rmtree(started.folder)
    finally:
        subprocess.run([*command, "down"], env=environment(var), capture_output=True, check=False)
        shutil.rmtree(var, ignore_errors=True)
