"""The API on fresh stores."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rights.test_journey import planted as planted_to_follow
from rights.town import Town, open_town
from sluice.settings import Settings
from sluice.web.pages.app import MOUNT, make_pages
from support.copies import Copies
from support.desk import JANUARY, Desk, open_desk
from support.night import Night, copied_night
from web.desk_work import fill
from web.house import Web, open_web
from web.town import NAMES, planted


@pytest.fixture
def desk(store_settings: Settings, tmp_path: Path) -> Iterator[Desk]:
    """A desk whose papers have been in force since January."""
    with open_desk(store_settings, tmp_path, JANUARY) as opened:
        yield opened


@pytest.fixture
def web(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """Anna, a clerk, at the API."""
    with open_web(desk, monkeypatch) as opened:
        yield opened


@pytest.fixture
def night(copies: Copies, tmp_path: Path) -> Iterator[Night]:
    """An installation in which something of every kind waits for a person."""
    with copied_night(copies, tmp_path, fill=fill) as opened:
        yield opened


@pytest.fixture
def at_work(night: Night, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """The pages of that installation."""
    with open_web(night.desk, monkeypatch, make_pages(), MOUNT) as opened:
        yield opened


@pytest.fixture
def town(copies: Copies, tmp_path: Path) -> Iterator[Town]:
    """Two principals: persons are in files of both, and in a return of one."""
    with copies.of(planted_to_follow, tmp_path) as settings, open_town(settings, tmp_path, NAMES, 3) as opened:
        yield opened


@pytest.fixture
def town_pages(town: Town, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """A viewer at the pages of that town."""
    with open_web(town.desk, monkeypatch, make_pages(), MOUNT) as opened:
        yield opened.as_("vera:VIEWER")


@pytest.fixture
def place(copies: Copies, tmp_path: Path) -> Iterator[Town]:
    """An installation of two principals that really exchanged files."""
    with copies.of(planted, tmp_path) as settings, open_town(settings, tmp_path, NAMES, 3) as there:
        yield there


@pytest.fixture
def town_api(place: Town, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """Anna at the API of that installation."""
    with open_web(place.desk, monkeypatch) as opened:
        yield opened
