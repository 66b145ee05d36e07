"""A ``var`` of its own for tests that start, kill and stop services themselves."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.stores import guarded_var


@pytest.fixture
def var() -> Iterator[Path]:
    """A ``var`` folder of one test; its services are stopped and it is emptied afterwards."""
    with guarded_var() as fresh:
        yield fresh
