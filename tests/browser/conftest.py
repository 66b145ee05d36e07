"""One installation, one server and one browser for all tests of a module."""

from collections.abc import Iterator

import pytest

from browser.hostile import hostile
from browser.house import Site, open_site
from rights.town import open_town
from support.copies import Copies
from support.night import Call, copied_night
from web.desk_work import PREPARER, fill


@pytest.fixture(scope="module")
def site(copies: Copies, chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Something of every kind waits for a person: no page is empty."""
    with copied_night(copies, tmp_path_factory.mktemp("site"), fill=fill) as night:
        [waiting] = night.returns()
        night.release(waiting, "bert")
        night.desk.house.conn.execute(
            "update acknowledgement set due_at = now(), escalate_at = now()"
        )  # nobody said so
        night.called(Call("c9", *night.people(8)[7]), name="later.csv")
        night.make(by=PREPARER)
        with open_site(night.desk, chromium) as opened:
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
