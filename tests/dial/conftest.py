"""A desk whose papers a test changes, with a young list of numbers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sluice.settings import Settings
from support.desk import Desk, open_desk
from support.night import with_papers


@pytest.fixture
def papers_desk(store_settings: Settings, tmp_path: Path) -> Iterator[Desk]:
    with open_desk(with_papers(store_settings, tmp_path), tmp_path) as opened:
        opened.may_call()
        yield opened
