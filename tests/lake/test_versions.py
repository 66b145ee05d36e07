"""Names with characters that XML does not have: every version is found under the name it has."""

import pytest

from sluice.errors import NotFound
from sluice.lake.s3.objects import ObjectStore
from sluice.lake.s3.versions import ListingCut
from sluice.settings import Settings
from support.stores import client_of

pytestmark = pytest.mark.stores
NAMES = (
    "jan\x01é.csv", "jan\x02é.csv", "jan\ufffdé.csv", "jané.csv", "a\x1b b\x07.csv", "\uffff.csv", "x\t\n\r\x7f.csv",
)  # fmt: skip
PAGE = 1_000
"""What a server lists at once."""


def test_every_version_is_listed_under_the_name_it_can_be_read_by(store_settings: Settings) -> None:
    objects, bucket = ObjectStore(store_settings), store_settings.bucket_exchange
    put = {
        objects.put(bucket, f"p/{name}", f"{number} {name}".encode(), "text/csv").version_id: f"{number} {name}"
        for name in NAMES
        for number in (1, 2)
    }

    listed = list(objects.list_versions(bucket, "p/"))

    assert {each.version_id: objects.read(bucket, each.key, each.version_id).decode() for each in listed} == put
    assert sorted({each.key for each in listed}) == sorted(f"p/{name}" for name in NAMES)


def test_what_is_removed_under_such_a_name_is_gone_and_nothing_else(store_settings: Settings) -> None:
    objects, bucket = ObjectStore(store_settings), store_settings.bucket_exchange
    put = {name: [objects.put(bucket, f"p/{name}", str(n).encode(), "text/csv") for n in (1, 2)] for name in NAMES}
    for name, (first, second) in put.items():
        objects.delete_others(bucket, first.key, frozenset({second.version_id}))
        left = {each.version_id for each in objects.list_versions(bucket, "p/")}
        assert first.version_id not in left and second.version_id in left, name
    assert len(left) == len(NAMES)


def test_a_page_that_ends_on_such_a_name_leaves_nothing_out(store_settings: Settings) -> None:
    """A listing goes on where the page before ended, and a server is not told that in XML either."""
    objects, bucket = ObjectStore(store_settings), store_settings.bucket_exchange
    first = [objects.put(bucket, "p/\x01.csv", b"%d" % number, "text/csv").version_id for number in range(PAGE + 1)]
    other = [objects.put(bucket, f"p/{name}", b"other", "text/csv").version_id for name in ("customers.csv", "é.csv")]

    listed = {each.version_id: each.key for each in objects.list_versions(bucket, "p/")}

    assert listed == dict.fromkeys(first, "p/\x01.csv") | dict(zip(other, ("p/customers.csv", "p/é.csv"), strict=True))
    assert objects.delete_others(bucket, "p/\x01.csv", frozenset()) == PAGE + 1
    assert {each.version_id for each in objects.list_versions(bucket, "p/")} == set(other)


def test_where_a_page_ends_on_a_name_that_cannot_be_told_nothing_is_said(store_settings: Settings) -> None:
    objects, bucket = ObjectStore(store_settings), store_settings.bucket_exchange
    for number in range(PAGE + 1):
        objects.put(bucket, "p/\x01.csv", b"%d" % number, "text/csv")
    client_of(store_settings).delete_object(Bucket=bucket, Key="p/\x01.csv")
    objects.put(bucket, "p/customers.csv", b"other", "text/csv")

    with pytest.raises(ListingCut, match="NAME_UNSAID"):
        list(objects.list_versions(bucket, "p/"))


def test_pages_of_such_names_leave_nothing_out(store_settings: Settings) -> None:
    objects, bucket = ObjectStore(store_settings), store_settings.bucket_exchange
    names = [f"p/{chr(1 + number % 8)}{number // 8:04}.csv" for number in range(PAGE + 8)]
    put = {objects.put(bucket, name, name.encode(), "text/csv").version_id: name for name in names}

    assert {each.version_id: each.key for each in objects.list_versions(bucket, "p/")} == put


def test_of_what_is_deleted_the_name_cannot_be_told(store_settings: Settings) -> None:
    objects, bucket = ObjectStore(store_settings), store_settings.bucket_exchange
    objects.put(bucket, "p/jan\x01.csv", b"1", "text/csv")
    client_of(store_settings).delete_object(Bucket=bucket, Key="p/jan\x01.csv")

    [listed] = objects.list_versions(bucket, "p/")

    assert listed.key == "p/jan\ufffd.csv"
    with pytest.raises(NotFound):
        objects.read(bucket, listed.key, listed.version_id)
