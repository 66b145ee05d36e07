"""Pages of versions leave nothing out, whatever names lie side by side and wherever a page ends."""

import random
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from moto.server import ThreadedMotoServer
from pydantic import SecretStr

from sluice.lake.s3.objects import ObjectStore
from sluice.lake.s3.versions import Listing, ListingCut, said_of, versions_of
from sluice.settings import Settings
from support.effort import chosen
from support.stores import client_of, s3_client

pytestmark = pytest.mark.stores
PARTS = (
    *("a", "a-b", "a.csv", "a.csv.ok", "a.csv-1", "a.csv.gz", "a b", "ab", "a.csv.receipt.json", "a!", "a.zip", "é"),
    *("a\x01", "a\x02b"),
)
"""Names that begin like others: where the server's own order is not that of keys."""
SIZES = (6, 7, 8, 9, 11, 13, 19)
"""Above the versions that one key has: more of them behind longer names than a page holds cannot be told."""


class Place:
    """A prefix of its own in the bucket of this module."""

    def __init__(self, settings: Settings) -> None:
        self.s3, self.objects, self.bucket = client_of(settings), ObjectStore(settings), settings.bucket_exchange
        self.prefix = f"{uuid4().hex}/"

    def put(self, name: str, content: bytes = b"1") -> str:
        return str(self.s3.put_object(Bucket=self.bucket, Key=self.prefix + name, Body=content).get("VersionId"))

    def delete(self, name: str) -> str:
        return str(self.s3.delete_object(Bucket=self.bucket, Key=self.prefix + name)["VersionId"])

    def listed(self) -> set[tuple[str, str]]:
        """Version and name of each object, as the store of the product lists them; none is listed twice."""
        found = list(self.objects.list_versions(self.bucket, self.prefix))
        listed = {(each.version_id, each.key.removeprefix(self.prefix)) for each in found}
        assert len(listed) == len(found)
        return listed

    def in_pages(self, size: int) -> list[tuple[str, str]]:
        found = Listing(self.s3, self.bucket, {}, size).below(self.prefix)
        return [(each["Key"].removeprefix(self.prefix), each["VersionId"]) for each in found]

    def plain(self, size: int) -> set[str]:
        """As a paginator does it: each page after the last key of the one before."""
        pages = self.s3.get_paginator("list_object_versions").paginate(
            Bucket=self.bucket, Prefix=self.prefix, PaginationConfig={"PageSize": size}
        )
        return {each["VersionId"] for page in pages for each in page.get("Versions", ())}


@pytest.fixture
def place(module_settings: Settings) -> Place:
    return Place(module_settings)


@pytest.mark.parametrize("seed", chosen(range(4), 2))
def test_every_version_is_in_a_page_whatever_its_size(place, seed):
    """The control: a paginator leaves some out here."""
    draw, put = random.Random(seed), set()
    names = {"/".join(draw.choices(PARTS, k=draw.choice((1, 1, 2, 2, 3)))) for _ in range(90)}
    for key in sorted(each for each in names if not any(other.startswith(f"{each}/") for other in names)):
        for number in range(draw.choice((1, 1, 1, 2, 4))):
            put.add((key, place.put(key, b"%d" % number)))
        if draw.random() < 0.2 and said_of(key) == key:  # else nobody can tell its name
            place.delete(key)
    for size in SIZES:
        found = place.in_pages(size)
        assert (put - set(found), len(found)) == (set(), len(put)), size
    assert any(len(place.plain(size)) < len(put) for size in SIZES)


def test_every_name_of_a_level_is_in_a_page_whatever_its_size(place):
    folders = {f"{part}/" for part in ("a", "a-b", "a b", "a.csv-1", "ab", "a!")}
    files = set(PARTS) - {each.rstrip("/") for each in folders}
    for key in (*(f"{each}x" for each in folders), *files):
        place.put(key)
    for size in SIZES:
        pages = list(Listing(place.s3, place.bucket, {}, size).level(place.prefix))
        below = {each["Prefix"].removeprefix(place.prefix) for page in pages for each in page.get("CommonPrefixes", ())}
        keys = {each["Key"].removeprefix(place.prefix) for page in pages for each in page.get("Versions", ())}
        assert (below, keys) == (folders, files), size


def test_a_key_is_found_and_removed_behind_any_number_of_longer_ones(place):
    mine = {place.put("a.csv", b"%d" % number) for number in range(5)} | {place.delete("a.csv")}
    others = {place.put(f"a.csv-{number}") for number in range(12)}
    for size in SIZES:
        assert versions_of(place.s3, place.bucket, f"{place.prefix}a.csv", size) == mine, size
    assert place.objects.delete_others(place.bucket, f"{place.prefix}a.csv", frozenset()) == 6
    assert place.plain(1000) == others


def test_what_is_hidden_and_more_than_a_page_is_not_told_in_part(place):
    for name in ["a.csv"] * 5 + [f"a.csv-{number}" for number in range(4)]:
        place.put(name)
    with pytest.raises(ListingCut, match="TOO_MANY_VERSIONS"):
        versions_of(place.s3, place.bucket, f"{place.prefix}a.csv", 4)
    with pytest.raises(ListingCut, match="TOO_MANY_VERSIONS"):
        place.in_pages(4)
    assert len(place.in_pages(9)) == 9  # the control


def test_behind_a_proxy_it_is_taken_for_what_it_is(place):
    for part in PARTS:
        place.put(part)

    def found(server: str) -> set[str]:
        def said(**more: Any) -> Any:
            return place.s3.list_object_versions(**more) | {"ResponseMetadata": {"HTTPHeaders": {"server": server}}}

        through = SimpleNamespace(list_object_versions=said, list_objects_v2=place.s3.list_objects_v2)
        below = Listing(through, place.bucket, {}, 3).below(place.prefix)
        return {each["Key"].removeprefix(place.prefix) for each in below}

    assert found("nginx") == found("") == set(PARTS)
    assert found("AmazonS3") < set(PARTS)  # the control: as if it listed in order


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Settings]:
    """A server that is not SeaweedFS and gives what lies at a key that ends in a slash."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url, bucket, key = f"http://{host}:{port}", f"exchange-{uuid4().hex}", SecretStr("a")
    client = s3_client(url, "a", "a")
    client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3 = {"s3_endpoint": url, "s3_access_key": key, "s3_secret_key": key}
    yield Settings(home=tmp_path, var=tmp_path, bucket_exchange=bucket, **s3)
    server.stop()


@pytest.mark.parametrize("server", ["module_settings", "other"])
def test_what_has_content_under_a_folder_s_key_is_an_object_and_a_mark_is_not(server, request):
    place = Place(request.getfixturevalue(server))
    content = {"contacts/": b"phone\n0470123456\n", "contacts/big/": b"0470123456\n" * 500, "contacts/a.csv": b"x"}
    marks = ("mark/", "contacts/mark/", "nothing/")
    for key, body in (content | dict.fromkeys(marks, b"")).items():
        place.put(key, body)
    assert sorted(name for _, name in place.listed()) == sorted(content)
    keys = place.objects.list_level(place.bucket, f"{place.prefix}contacts/").keys
    assert keys == (f"{place.prefix}contacts/", f"{place.prefix}contacts/a.csv")
    has = [place.objects.has_versions(place.bucket, place.prefix + each) for each in ("contacts/big/", *marks)]
    assert has == [True, False, False, False]
    for version, name in place.listed():
        place.objects.delete_version(place.bucket, place.prefix + name, version)
    left = place.s3.list_object_versions(Bucket=place.bucket, Prefix=place.prefix).get("Versions", [])
    assert {each["Key"].removeprefix(place.prefix) for each in left} <= set(marks)
