"""An erasure reaches files whose names have characters that XML does not have, or says that it could not."""

from dataclasses import replace

from rights.town import Town, now, town_fixture
from sluice.lake.s3.objects import ObjectStore
from sluice.rights.copies.copy_store import find_copies
from sluice.rights.copies.swap import drop_superseded
from sluice.rights.erasure.erase import run, verify
from sluice.terms import Principal
from support.desk import ENERGY
from support.stores import client_of

PRINCIPAL = Principal(ENERGY[0])
NAME = "jan\x01.csv"
KEY = f"{PRINCIPAL}/inbound/{ENERGY[1]}/{NAME}"
town = town_fixture([PRINCIPAL], 5, lambda opened: opened.arrive(PRINCIPAL, opened.people[:3]))


def names_them(town: Town) -> bool:
    """Whether any version of the file, of whatever age, holds the person's telephone: as bytes, asked by hand."""
    client, bucket = client_of(town.desk.settings), town.desk.settings.bucket_exchange
    listed = client.list_object_versions(Bucket=bucket, Prefix=KEY)["Versions"]
    read = (client.get_object(Bucket=bucket, Key=KEY, VersionId=each["VersionId"])["Body"].read() for each in listed)
    return any(town.people[0].phone.removeprefix("+32").encode() in content for content in read)


def stranger(town: Town) -> ObjectStore:
    """Who has not met a name before."""
    return ObjectStore(town.desk.settings)


def test_a_file_under_such_a_name_is_edited_and_what_is_hidden_under_one_is_a_doubt(town: Town) -> None:
    """Only older versions of it are left, and SeaweedFS lists those under a name that nothing can be read by."""
    town.arrive(PRINCIPAL, town.people[:2], NAME)
    case, bucket = town.decided(town.people[0]), town.desk.settings.bucket_exchange
    assert names_them(town)
    report = run(town.house, case.case_id, now())
    assert (report.residual, report.doubts) == (0, 0) and not names_them(town)

    hidden = KEY.replace("jan", "piet")
    town.house.objects.put(bucket, hidden, town.people[0].phone.encode(), "text/csv")
    assert verify(town.house, case.case_id, now()).waiting == 1, "control: while its name can be told"
    client_of(town.desk.settings).delete_object(Bucket=bucket, Key=hidden)
    for _ in ("by no name", "by another's"):
        house = replace(town.house, objects=stranger(town))
        found = verify(house, case.case_id, now())
        assert (found.residual, found.doubts, [each.reason for each in found.unread]) == (0, 1, ["NAME_UNSAID"])
        town.house.objects.put(bucket, hidden.replace("\x01", "\x02"), b"of nobody", "text/csv")


def test_a_version_that_nobody_opened_yet_is_kept_under_a_mark_of_deletion(town: Town) -> None:
    """Then a listing says it by another name than its copy has."""
    name = NAME.replace("jan", "an")
    key = KEY.replace("jan", "an")
    town.arrive(PRINCIPAL, town.people[3:], name)
    [copy] = [each for each in find_copies(town.house.conn, PRINCIPAL) if each.key == key]
    bucket, client = town.desk.settings.bucket_exchange, client_of(town.desk.settings)
    unopened = client.put_object(Bucket=bucket, Key=key, Body=b"x")["VersionId"]
    mark = client.delete_object(Bucket=bucket, Key=key)["VersionId"]

    assert drop_superseded(replace(town.house, objects=stranger(town)), copy) == 1

    listed = client.list_object_versions(Bucket=bucket, Prefix=key)
    assert {each["VersionId"] for each in listed["Versions"]} == {copy.version_id, unopened}
    assert mark not in str(listed), "the control: it removes what nobody names"
