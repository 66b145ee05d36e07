"""An erasure reaches files whose names have characters that XML does not have, or says that it could not."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rights.town import Town, open_town
from sluice.lake.s3.objects import ObjectStore
from sluice.rights.copies.copy_store import find_copies
from sluice.rights.copies.swap import drop_superseded
from sluice.rights.erasure.erase import run, verify
from sluice.settings import Settings
from sluice.terms import Principal
from support.desk import ENERGY
from support.stores import client_of

NAME = "jan\x01.csv"
KEY = f"{ENERGY[0]}/inbound/{ENERGY[1]}/{NAME}"


@pytest.fixture
def town(store_settings: Settings, tmp_path: Path) -> Iterator[Town]:
    with open_town(store_settings, tmp_path, [Principal(ENERGY[0])], 3) as opened:
        opened.arrive(ENERGY[0], opened.people)
        yield opened


def names_them(town: Town) -> bool:
    """Whether any version of the file, of whatever age, holds the person's telephone: as bytes, asked by hand."""
    client, bucket = client_of(town.desk.settings), town.desk.settings.bucket_exchange
    listed = client.list_object_versions(Bucket=bucket, Prefix=KEY)["Versions"]
    read = (client.get_object(Bucket=bucket, Key=KEY, VersionId=each["VersionId"])["Body"].read() for each in listed)
    return any(town.people[0].phone.removeprefix("+32").encode() in content for content in read)


def test_a_file_under_such_a_name_is_found_and_edited(town: Town) -> None:
    town.arrive(ENERGY[0], town.people[:2], NAME)
    case = town.decided(town.people[0])
    assert names_them(town)

    report = run(town.house, case.case_id, datetime.now(UTC))

    assert (report.residual, report.doubts) == (0, 0) and not names_them(town)


def test_what_is_hidden_under_such_a_name_is_a_doubt(town: Town) -> None:
    """Only older versions of it are left, and SeaweedFS lists those under a name that nothing can be read by."""
    case, bucket = town.decided(town.people[0]), town.desk.settings.bucket_exchange
    assert run(town.house, case.case_id, datetime.now(UTC)).doubts == 0
    town.house.objects.put(bucket, KEY, town.people[0].phone.encode(), "text/csv")
    assert verify(town.house, case.case_id, datetime.now(UTC)).waiting == 1, "control: while its name can be told"

    client_of(town.desk.settings).delete_object(Bucket=bucket, Key=KEY)

    for _ in ("by no name", "by another's"):
        stranger = replace(town.house, objects=ObjectStore(town.desk.settings))  # who has not met it before
        found = verify(stranger, case.case_id, datetime.now(UTC))
        assert (found.residual, found.doubts, [each.reason for each in found.unread]) == (0, 1, ["NAME_UNSAID"])
        town.house.objects.put(bucket, KEY.replace("\x01", "\x02"), b"of nobody", "text/csv")


def test_a_version_that_nobody_opened_yet_is_kept_under_a_mark_of_deletion(town: Town) -> None:
    """Then a listing says it by another name than its copy has."""
    town.arrive(ENERGY[0], town.people[:2], NAME)
    [copy] = [each for each in find_copies(town.house.conn, Principal(ENERGY[0])) if each.key == KEY]
    bucket, client = town.desk.settings.bucket_exchange, client_of(town.desk.settings)
    unopened = client.put_object(Bucket=bucket, Key=KEY, Body=b"x")["VersionId"]
    mark = client.delete_object(Bucket=bucket, Key=KEY)["VersionId"]
    stranger = replace(town.house, objects=ObjectStore(town.desk.settings))

    assert drop_superseded(stranger, copy) == 1

    listed = client.list_object_versions(Bucket=bucket, Prefix=KEY)
    assert {each["VersionId"] for each in listed["Versions"]} == {copy.version_id, unopened}
    assert mark not in str(listed), "the control: it removes what nobody names"
