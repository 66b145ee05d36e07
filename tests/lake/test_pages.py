"""Pages of versions leave nothing out, whatever names lie side by side and wherever a page ends."""

import random
from types import SimpleNamespace
from typing import Any

import pytest

from sluice.lake.s3.objects import ObjectStore
from sluice.lake.s3.versions import Listing, ListingCut, said_of, versions_of
from sluice.settings import Settings
from support.stores import client_of

pytestmark = pytest.mark.stores
PARTS = (
    "a",
    "a-b",
    "a.csv",
    "a.csv.ok",
    "a.csv-1",
    "a.csv.gz",
    "a b",
    "ab",
    "a.csv.receipt.json",
    "a!",
    "a.zip",
    "é",
    "a\x01",
    "a\x02b",
)
"""Names that begin like others: where the server's own order is not that of keys."""
SIZES = (6, 7, 8, 9, 11, 13, 19)
"""Above the versions that one key has: more of them behind longer names than a page holds cannot be told."""


def plain(s3: Any, bucket: str, prefix: str, size: int) -> set[tuple[str, str]]:
    """As a paginator does it: each page after the last key of the one before."""
    pages = s3.get_paginator("list_object_versions").paginate(
        Bucket=bucket, Prefix=prefix, PaginationConfig={"PageSize": size}
    )
    return {(each["Key"], each["VersionId"]) for page in pages for each in page.get("Versions", ())}


@pytest.fixture(scope="module", params=range(4))
def seed(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def test_every_version_is_in_a_page_whatever_its_size(store_settings: Settings, seed: int) -> None:
    """The control: a paginator leaves some out here."""
    s3, bucket, draw = client_of(store_settings), store_settings.bucket_exchange, random.Random(seed)
    put: set[tuple[str, str]] = set()
    names = {f"p/{'/'.join(draw.choices(PARTS, k=draw.choice((1, 1, 2, 2, 3))))}" for _ in range(90)}
    files = {each for each in names if not any(other.startswith(f"{each}/") for other in names)}
    for key in sorted(files):
        for number in range(draw.choice((1, 1, 1, 2, 4))):
            put.add((key, s3.put_object(Bucket=bucket, Key=key, Body=b"%d" % number)["VersionId"]))
        if draw.random() < 0.2 and said_of(key) == key:  # else nobody can tell its name
            s3.delete_object(Bucket=bucket, Key=key)
    found = {size: list(Listing(s3, bucket, {}, size).below("p/")) for size in SIZES}

    left_out = {size: put - {(each["Key"], each["VersionId"]) for each in found[size]} for size in SIZES}
    assert {size: len(each) for size, each in left_out.items()} == dict.fromkeys(SIZES, 0), left_out
    assert {size: len(each) for size, each in found.items()} == dict.fromkeys(SIZES, len(put))
    assert any(len(plain(s3, bucket, "p/", size)) < len(put) for size in SIZES)


def test_every_name_of_a_level_is_in_a_page_whatever_its_size(store_settings: Settings) -> None:
    s3, bucket = client_of(store_settings), store_settings.bucket_exchange
    folders = {f"p/{part}/" for part in ("a", "a-b", "a b", "a.csv-1", "ab", "a!")}
    files = {f"p/{part}" for part in PARTS} - {each.rstrip("/") for each in folders}
    for key in (*(f"{each}x" for each in folders), *files):
        s3.put_object(Bucket=bucket, Key=key, Body=b"1")
    for size in SIZES:
        pages = list(Listing(s3, bucket, {}, size).level("p/"))
        assert {each["Prefix"] for page in pages for each in page.get("CommonPrefixes", ())} == folders, size
        assert {each["Key"] for page in pages for each in page.get("Versions", ())} == files, size


def test_a_key_is_found_and_removed_behind_any_number_of_longer_ones(store_settings: Settings) -> None:
    s3, bucket, key = client_of(store_settings), store_settings.bucket_exchange, "p/a.csv"
    mine = {s3.put_object(Bucket=bucket, Key=key, Body=b"%d" % number)["VersionId"] for number in range(5)}
    mine.add(s3.delete_object(Bucket=bucket, Key=key)["VersionId"])
    others = {s3.put_object(Bucket=bucket, Key=f"{key}-{n}", Body=b"1")["VersionId"] for n in range(12)}
    for size in SIZES:
        assert versions_of(s3, bucket, key, size) == mine, size

    assert ObjectStore(store_settings).delete_others(bucket, key, frozenset()) == 6
    assert {version for _, version in plain(s3, bucket, "p/", 1000)} == others


def test_what_is_hidden_and_more_than_a_page_is_not_told_in_part(store_settings: Settings) -> None:
    s3, bucket, key = client_of(store_settings), store_settings.bucket_exchange, "p/a.csv"
    for number in range(5):
        s3.put_object(Bucket=bucket, Key=key, Body=b"%d" % number)
    for number in range(4):
        s3.put_object(Bucket=bucket, Key=f"{key}-{number}", Body=b"1")

    with pytest.raises(ListingCut, match="TOO_MANY_VERSIONS"):
        versions_of(s3, bucket, key, 4)
    with pytest.raises(ListingCut, match="TOO_MANY_VERSIONS"):
        list(Listing(s3, bucket, {}, 4).below("p/"))
    assert len(list(Listing(s3, bucket, {}, 9).below("p/"))) == 9  # the control


def test_a_flow_whose_name_goes_on_after_another_is_met_behind_a_thousand_files(store_settings: Settings) -> None:
    """At the size of the server's own pages, through the store."""
    s3, bucket = client_of(store_settings), store_settings.bucket_exchange
    s3.put_object(Bucket=bucket, Key="p/contacts-b2b/one.csv", Body=b"1")
    for number in range(1001):
        s3.put_object(Bucket=bucket, Key=f"p/contacts/{number:04}.csv", Body=b"1")

    listed = {each.key for each in ObjectStore(store_settings).list_versions(bucket, "p/")}

    assert len(listed) == 1002 and "p/contacts-b2b/one.csv" in listed
    assert len(plain(s3, bucket, "p/", 1000)) == 1001  # the control


def test_where_the_name_of_a_folder_cannot_be_told_nothing_below_is_said(store_settings: Settings) -> None:
    """Its one file is deleted, so that only its older version says that there is a folder."""
    s3, bucket = client_of(store_settings), store_settings.bucket_exchange
    s3.put_object(Bucket=bucket, Key="p/x\x01y/one.csv", Body=b"1")
    for number in range(9):
        s3.put_object(Bucket=bucket, Key=f"p/{number}.csv", Body=b"1")
    assert len(list(Listing(s3, bucket, {}, 6).below("p/"))) == 10  # the control

    s3.delete_object(Bucket=bucket, Key="p/x\x01y/one.csv")

    with pytest.raises(ListingCut, match="NAME_UNSAID"):
        list(Listing(s3, bucket, {}, 6).below("p/"))


def test_behind_a_proxy_it_is_taken_for_what_it_is(store_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    s3, bucket = client_of(store_settings), store_settings.bucket_exchange
    keys = {f"p/{part}" for part in PARTS}
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"1")

    def found(server: str) -> set[str]:
        def said(**more: Any) -> Any:
            return s3.list_object_versions(**more) | {"ResponseMetadata": {"HTTPHeaders": {"server": server}}}

        through = SimpleNamespace(list_object_versions=said, list_objects_v2=s3.list_objects_v2)
        return {each["Key"] for each in Listing(through, bucket, {}, 3).below("p/")}

    assert found("nginx") == found("") == keys
    assert found("AmazonS3") < keys  # the control: as if it listed in order
