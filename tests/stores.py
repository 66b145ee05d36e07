"""What tests may import of the shared fixtures (conftest itself must not be imported twice)."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Database:
    """A migrated, empty database of one test."""

    name: str
    app_url: str
    admin_url: str


@contextmanager
def guarded_var() -> Iterator[Path]:
    """A fresh ``var``; whatever runs in it is stopped afterwards, even if this process is killed."""
    var = Path(tempfile.mkdtemp(prefix="sluice-tests-"))
    var.chmod(0o711)
    command = [sys.executable, str(TESTS / "guardian.py"), str(var)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as guardian:
        yield var
        guardian.communicate(timeout=90)
