"""The API on fresh stores."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from copies import Copies
from desk import Desk
from rights.town import Town, open_town
from sluice.agreement.activate import activate_all
from sluice.exchange.house import open_house
from sluice.settings import Settings
from web.house import Web, open_web
from web.town import NAMES, planted


@pytest.fixture
def desk(store_settings: Settings, tmp_path: Path) -> Iterator[Desk]:
    """A desk whose papers have been in force since January."""
    with open_house(store_settings) as house:
        activate_all(house.conn, store_settings.principals_dir, datetime(2026, 1, 2, tzinfo=UTC))
        yield Desk(house, tmp_path)


@pytest.fixture
def web(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """Anna, a clerk, at the API."""
    with open_web(desk, monkeypatch) as opened:
        yield opened


@pytest.fixture
def place(copies: Copies, tmp_path: Path) -> Iterator[Town]:
    """An installation of two principals that really exchanged files."""
    with copies.of(planted, tmp_path) as settings, open_town(settings, tmp_path, NAMES, 3) as there:
        yield there


@pytest.fixture
def town(place: Town, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """Anna at the API of that installation."""
    with open_web(place.desk, monkeypatch) as opened:
        yield opened
