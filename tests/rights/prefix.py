"""A desk at whose principals' prefixes requests and instructions are put, and what the sweep makes of them."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sluice.lake.s3.objects import StoredObject
from sluice.ledger.record import Part
from sluice.rights.case import store
from sluice.rights.case.model import Actor, Right, Role, State, SubCase, Track
from sluice.rights.due_steps import take_due
from sluice.rights.opening import NewRequest, open_case
from sluice.rights.requests import RequestSweep, read_requests
from sluice.settings import Settings
from sluice.terms import Principal, SubjectKind
from support.desk import JANUARY, Desk, open_desk

DESK = Actor(Role.DESK, "anna")


@pytest.fixture
def desk(store_settings: Settings, tmp_path: Path) -> Iterator[Desk]:
    with open_desk(store_settings, tmp_path, JANUARY) as opened:
        yield opened


def put(desk: Desk, name: str, content: bytes | dict[str, object], principal: str = "energy01") -> StoredObject:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return desk.house.objects.put(desk.settings.bucket_exchange, f"{principal}/requests/{name}", body, "x/y")


def sweep(desk: Desk) -> RequestSweep:
    now = datetime.now(UTC)
    return read_requests(desk.house, now)


def notice(desk: Desk, kind: str, item: StoredObject, principal: str = "energy01") -> dict[str, object]:
    key = f"{principal}/notices/{kind}-{item.version_id}.json"
    return dict(json.loads(desk.house.objects.read(desk.settings.bucket_exchange, key)))


def asked(desk: Desk, right: Right = Right.ERASURE, principal: str = "energy01") -> SubCase:
    """A person's request, forwarded; the part its principal is to instruct on."""
    now = datetime.now(UTC)
    phone = [(SubjectKind.PHONE, "0470123456")]
    case = open_case(desk.house, NewRequest(right, phone, Principal(principal), now, "mail", "nl", DESK), now)
    assert take_due(desk.house, now).forwarded == 1
    return next(part for part in case.sub_cases if part.track is Track.PROCESSOR)


def persons(count: int) -> list[dict[str, str]]:
    return [{"customer": f"C-{number:06}", "phone": f"0470 {number:06}"} for number in range(count)]


def states(desk: Desk, part: SubCase) -> State:
    found = store.find_part(desk.house.conn, part.sub_case_id)
    assert found is not None
    return found.state


class Spoken(Part):
    """An instruction as it is signed."""

    case: str
    decision: str
