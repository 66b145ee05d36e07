"""One server of the command for all pages."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from handbook import server


@pytest.fixture(scope="session")
def command(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a `sluice` that starts at once."""
    folder = tmp_path_factory.mktemp("command")
    address = folder / "asked.sock"
    with subprocess.Popen(
        [sys.executable, server.__file__, str(address)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stdout and process.stdout.readline() == b"ready\n"
        yield server.write_client(folder, address).parent
        process.kill()
