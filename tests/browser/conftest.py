"""One installation, one server and one browser for all tests of a module."""

from collections.abc import Iterator

import pytest

from browser.hostile import hostile
from browser.house import Site, open_site
from copies import Copies
from rights.town import open_town
from web.town import NAMES, planted


@pytest.fixture(scope="module")
def site(copies: Copies, chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two principals that really exchanged files."""
    folder = tmp_path_factory.mktemp("site")
    with (
        copies.of(planted, folder) as settings,
        open_town(settings, folder, NAMES, 3) as town,
        open_site(town.desk, chromium) as opened,
    ):
        town.ask(town.people[0])
        yield opened


@pytest.fixture(scope="module")
def hostile_site(copies: Copies, chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A principal whose papers, columns and file names are full of scripts."""
    folder = tmp_path_factory.mktemp("hostile")
    with (
        copies.of(hostile, folder) as settings,
        open_town(settings, folder, ["energy01"], 1) as town,
        open_site(town.desk, chromium) as opened,
    ):
        yield opened
