"""A night at the desk: contacts accepted, staff known, nobody called yet."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.copies import Copies
from support.night import Night, copied_night


@pytest.fixture
def night(copies: Copies, tmp_path: Path) -> Iterator[Night]:
    """An installation with papers, ready staff and empty stores."""
    with copied_night(copies, tmp_path) as opened:
        yield opened
