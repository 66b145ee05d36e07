"""The API and the pages of installations; where nothing else is said, tests share the objects of each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rights.test_journey import planted as planted_to_follow
from rights.town import Town, open_town
from sluice.settings import Settings
from support.copies import Copies
from support.desk import JANUARY, Desk, open_desk
from support.night import Night, copied_night
from web.desk_work import fill, lent_night
from web.house import Web, open_pages, open_web
from web.town import NAMES, planted


@pytest.fixture
def desk(store_settings: Settings, tmp_path: Path) -> Iterator[Desk]:
    """A desk whose papers have been in force since January."""
    with open_desk(store_settings, tmp_path, JANUARY) as opened:
        yield opened


@pytest.fixture(scope="module")
def module_desk(module_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The same for all tests of a module."""
    with open_desk(module_settings, tmp_path_factory.mktemp("desk"), JANUARY) as opened:
        yield opened


@pytest.fixture
def web(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """Anna, a clerk, at the API."""
    with open_web(desk, monkeypatch) as opened:
        yield opened


@pytest.fixture
def module_web(module_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """Anna at the API, in the installation that the tests of a module share."""
    with open_web(module_desk, monkeypatch) as opened:
        yield opened


@pytest.fixture(scope="module")
def still_night(copies: Copies, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    """The installation of the tests of a module that only read."""
    with lent_night(copies, tmp_path_factory.mktemp("still"), fill) as opened:
        yield opened


@pytest.fixture
def night(copies: Copies, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Night]:
    """An installation in which something of every kind waits for a person; READS and OWN say how much of its own."""
    how = getattr(request, "param", "lent")
    if how == "still":
        yield request.getfixturevalue("still_night")
        return
    with copied_night(copies, tmp_path, fill=fill) if how == "own" else lent_night(copies, tmp_path, fill) as opened:
        yield opened


@pytest.fixture
def at_work(night: Night, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """The pages of the installation in which something waits."""
    with open_pages(night.desk, monkeypatch) as opened:
        yield opened


@pytest.fixture(scope="module")
def town(copies: Copies, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Two principals: persons are in files of both, and in a return of one."""
    folder = tmp_path_factory.mktemp("town")
    with copies.lend(planted_to_follow, folder) as settings, open_town(settings, folder, NAMES, 3) as opened:
        yield opened


@pytest.fixture
def own_town(copies: Copies, tmp_path: Path) -> Iterator[Town]:
    """The same for one test, with objects of its own."""
    with copies.of(planted_to_follow, tmp_path) as settings, open_town(settings, tmp_path, NAMES, 3) as opened:
        yield opened


@pytest.fixture
def town_pages(town: Town, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """A viewer at the pages of that town."""
    with open_pages(town.desk, monkeypatch) as opened:
        yield opened.as_("vera:VIEWER")


@pytest.fixture(scope="module")
def place(copies: Copies, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """An installation of two principals that really exchanged files."""
    folder = tmp_path_factory.mktemp("place")
    with copies.lend(planted, folder) as settings, open_town(settings, folder, NAMES, 3) as there:
        yield there


@pytest.fixture
def town_api(place: Town, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """Anna at the API of that installation."""
    with open_web(place.desk, monkeypatch) as opened:
        yield opened
