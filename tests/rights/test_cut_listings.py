"""A principal whose files cannot be listed to the end keeps nobody else waiting, and is counted at every look."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from sluice.agreement.in_force.activate import activate_all
from sluice.exchange.house import open_house
from sluice.lake.s3 import objects
from sluice.lake.s3.versions import Listing, ListingCut
from sluice.returns.acks import read_acks
from sluice.rights.notices.answers import read_answers
from sluice.rights.requests import read_requests
from sluice.settings import Settings
from support.desk import Desk, open_desk

FIRST, OTHER = "aaa01", "energy01"
NUMBER = "7b0d3f1e-2c00-4e51-9d44-1f0c5f3a7b10"
PAGE = 4
"""Instead of the 1,000 of a real page: more versions than that, behind a longer name, are listed by nobody."""


@pytest.fixture
def desk(store_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr(objects, "Listing", partial(Listing, size=PAGE))
    before = datetime.now(UTC) - timedelta(minutes=1)  # the store tells whole seconds of when it took a file
    with open_house(store_settings) as house:
        activate_all(house.conn, store_settings.principals_dir, before)
    with open_desk(store_settings, tmp_path) as opened:
        yield opened


def cut(desk: Desk, folder: str) -> None:
    """Make a listing of the first principal's end in the middle."""
    for name in ("a.csv", "a.csv.ok"):
        for _ in range(PAGE + 1):
            put(desk, FIRST, folder, name, b"x")
    with pytest.raises(ListingCut):
        list(desk.house.objects.list_versions(desk.settings.bucket_exchange, f"{FIRST}/{folder}/"))


def put(desk: Desk, principal: str, folder: str, name: str, content: bytes) -> None:
    desk.house.objects.put(desk.settings.bucket_exchange, f"{principal}/{folder}/{name}", content, "x/y")


def test_what_others_ask_acknowledge_and_say_of_notices_is_read(desk: Desk) -> None:
    cut(desk, "requests")
    put(desk, OTHER, "requests", "erasure-1.csv", b"phone\n0470123456\n")
    asked = read_requests(desk.house, datetime.now(UTC))
    assert (asked.requests, asked.failed) == ({"READ": 1}, 1)

    cut(desk, "acks")
    put(desk, OTHER, "acks", f"{NUMBER}.ack", b"")
    acks = read_acks(desk.house, datetime.now(UTC))
    assert (acks.outcomes, acks.notices, acks.failed) == ({"UNKNOWN_EXCHANGE": 1}, 1, 1)

    put(desk, OTHER, "acks", f"notice-{NUMBER}.done", b"")
    said = read_answers(desk.house, datetime.now(UTC))
    assert (said.outcomes, said.notices, said.waiting, said.failed) == ({"UNKNOWN_NOTICE": 1}, 1, 0, 1)
