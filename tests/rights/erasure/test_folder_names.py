"""What lies under the name of a folder is an arrival, and nothing is certified while nobody can read it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rights.town import Town, open_town
from sluice.rights.erasure.census import find_unknown
from sluice.rights.erasure.certificate import NotProven, issue
from sluice.rights.erasure.erase import run, verify
from sluice.settings import Settings
from sluice.terms import Principal
from support.desk import ENERGY
from support.stores import client_of

PRINCIPAL, FLOW = ENERGY
INBOUND = f"{PRINCIPAL}/inbound/{FLOW}"


@pytest.fixture
def town(store_settings: Settings, tmp_path: Path) -> Iterator[Town]:
    with open_town(store_settings, tmp_path, [Principal(PRINCIPAL)], 3) as opened:
        opened.arrive(PRINCIPAL, opened.people)
        yield opened


def put(town: Town, key: str, times: int) -> None:
    """Rows that name the first person, as a tool uploads them that takes a folder for a file."""
    person = town.people[0]
    content = f"{town.head}\n{person.record(PRINCIPAL)};{person.line}\n".encode() * times
    client_of(town.desk.settings).put_object(Bucket=town.desk.settings.bucket_exchange, Key=key, Body=content)


def test_it_is_opened_and_refused_by_its_name(town: Town) -> None:
    put(town, f"{INBOUND}/", 1)
    put(town, f"{INBOUND}/contacts/", 40)

    assert town.desk.open_new() == 2
    town.desk.work()

    new = [line for line in town.desk.lines() if line.reason_code == "NAME_UNSAFE"]
    assert len(new) == 2


@pytest.mark.parametrize("times", [1, 40], ids=["within the name", "beside it"])
def test_nothing_is_certified_while_it_lies_there(town: Town, times: int) -> None:
    """The embedded server keeps it and gives nothing of it: small ones where it keeps names, others beside them."""
    key, settings = f"{INBOUND}/contacts/", town.desk.settings
    put(town, key, times)
    town.desk.open_new()
    town.desk.work()
    case = town.decided(town.people[0])

    report = run(town.house, case.case_id, datetime.now(UTC))

    assert (report.residual, report.doubts, {each.reason for each in report.unread}) == (0, 1, {"NOT_READ"})
    with pytest.raises(NotProven):
        issue(town.house, case.case_id)
    [item] = town.house.objects.list_versions(settings.bucket_exchange, key)
    town.house.objects.delete_version(item.bucket, item.key, item.version_id)
    assert verify(town.house, case.case_id, datetime.now(UTC)).doubts == 0
    assert len(issue(town.house, case.case_id)) == 1, "the control"


def test_a_folder_that_only_marks_one_stands_in_nobodys_way(town: Town) -> None:
    client, bucket = client_of(town.desk.settings), town.desk.settings.bucket_exchange
    client.put_object(Bucket=bucket, Key=f"{INBOUND}/contacts/", Body=b"")
    client.put_object(Bucket=bucket, Key="elsewhere/", Body=b"")
    case = town.decided(town.people[0])

    assert town.desk.open_new() == 0
    assert run(town.house, case.case_id, datetime.now(UTC)).doubts == 0
    assert find_unknown(town.desk.settings, town.house.conn, town.house.objects) == ()


@pytest.mark.parametrize("key", ["elsewhere/", "elsewhere/x/", "_handed/"])
def test_where_no_store_looks_it_is_named(town: Town, key: str) -> None:
    put(town, key, 40)
    assert len(find_unknown(town.desk.settings, town.house.conn, town.house.objects)) == 1
