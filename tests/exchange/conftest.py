"""The desk: everything of the inbound path but Airflow."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from desk import Desk, open_desk
from sluice.settings import Settings


@pytest.fixture
def desk(store_settings: Settings, tmp_path: Path) -> Iterator[Desk]:
    """An exchange desk with a database and buckets of its own."""
    with open_desk(store_settings, tmp_path) as opened:
        yield opened
