"""A night at the desk: contacts accepted, staff known, nobody called yet."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from night import Night, open_night
from sluice.settings import Settings


@pytest.fixture
def night(store_settings: Settings, tmp_path: Path) -> Iterator[Night]:
    """An open night on fresh stores."""
    with open_night(store_settings, tmp_path) as opened:
        yield opened
