"""An object with more metadata than Python takes in one answer holds up neither what others put nor their erasures."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from http.client import RemoteDisconnected
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError
from urllib3.exceptions import ProtocolError

from rights.erasure.test_beside_flows import NAMES, asked, names, put, two_principals
from rights.town import Town
from sluice.errors import ObjectUnreadable
from sluice.exchange.read import list_exchanges
from sluice.lake.s3.faults import has_unfit_headers, is_passing
from sluice.returns.acks import read_acks
from sluice.rights.erasure.certificate import issue
from sluice.rights.erasure.control import status
from sluice.rights.erasure.erase import run
from sluice.rights.requests import read_requests
from sluice.settings import Settings
from support.desk import ENERGY
from support.stores import client_of

TOO_MANY: dict[str, Any] = {"Metadata": {f"n{number}": "x" for number in range(120)}}
TOO_LONG: dict[str, Any] = {"Metadata": {"n": "x" * 70_000}}
BODY = b"a;b\n1;2\n"


@pytest.fixture
def town(store_settings: Settings, tmp_path: Path) -> Iterator[Town]:
    with two_principals(store_settings, tmp_path) as opened:
        yield opened


@pytest.mark.parametrize("how", [TOO_MANY, TOO_LONG], ids=["many", "long"])
def test_it_is_refused_and_whatever_others_put_is_served(town: Town, how: dict[str, Any]) -> None:
    for key in (f"inbound/{ENERGY[1]}/later.csv", "requests/a.json", "requests/instruction-a.json", "acks/a.ack"):
        put(town, key, BODY, **how)
    bucket, objects, now = town.desk.settings.bucket_exchange, town.house.objects, datetime.now(UTC)
    said = {"right": "erasure", "persons": [{"phone": town.people[3].phone}]}
    objects.put(bucket, f"{NAMES[1]}/requests/a.json", json.dumps(said).encode(), "text/json")

    done = read_requests(town.house, now)
    town.desk.open_new()
    town.arrive(NAMES[1], town.people[2:3], "third.csv")

    assert (done.requests, done.instructions, done.failed) == ({"UNREADABLE": 1, "READ": 1}, {"UNREADABLE": 1}, 0)
    assert read_acks(town.house, now).failed == 0
    decided = {line.principal: (line.decision, line.reason_code) for line in reversed(list_exchanges(town.house.conn))}
    assert decided == {NAMES[0]: ("refused", "UNREADABLE_SEALED"), NAMES[1]: ("accepted", None)}
    with closing(client_of(town.desk.settings)) as client, pytest.raises(ConnectionClosedError) as told:
        client.get_object(Bucket=bucket, Key=f"{NAMES[0]}/requests/a.json")  # the control: it looks like a lost one
    assert has_unfit_headers(told.value) and not is_passing(told.value)
    lost = ConnectionClosedError(endpoint_url="x", error=ProtocolError("Connection aborted.", RemoteDisconnected()))
    assert is_passing(lost) and not has_unfit_headers(lost)


@pytest.mark.parametrize("name", ["other.csv", "first.csv"])
def test_an_erasure_removes_it_and_no_other_waits(town: Town, name: str) -> None:
    """Also where it lies on top of a file that names the person."""
    put(town, f"inbound/{ENERGY[1]}/{name}", BODY, **TOO_MANY)
    town.desk.open_new()
    town.desk.work()
    case, other = asked(town, town.people[0], NAMES[0]), asked(town, town.people[2], NAMES[1])

    report = run(town.house, case.case_id, datetime.now(UTC))

    assert (report.residual, report.doubts, report.waiting) == (0, 0, 0) and issue(town.house, case.case_id)
    assert names(town, f"inbound/{ENERGY[1]}") == {"first.csv"}
    assert not any(each.is_in_error for each in status(town.house.conn).cases)
    assert run(town.house, other.case_id, datetime.now(UTC)).residual == 0


def test_one_that_came_on_top_meanwhile_is_left_for_its_own_exchange(town: Town) -> None:
    case = asked(town, town.people[0], NAMES[0])
    put(town, f"inbound/{ENERGY[1]}/first.csv", BODY, **TOO_MANY)

    report = run(town.house, case.case_id, datetime.now(UTC))

    assert (report.residual, town.desk.open_new()) == (0, 1)


def test_it_is_told_with_its_own_code(town: Town) -> None:
    put(town, "acks/a.ack", BODY, **TOO_MANY)
    with pytest.raises(ObjectUnreadable, match="SLU-210"):
        town.house.objects.read(town.desk.settings.bucket_exchange, f"{NAMES[0]}/acks/a.ack")
