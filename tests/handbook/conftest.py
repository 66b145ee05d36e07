"""One server of the command for all pages."""

from pathlib import Path

import pytest

from support import forks


@pytest.fixture(scope="session")
def command() -> Path:
    """The folder of a `sluice` that starts at once."""
    return forks.folder()
