"""What has content under a key that ends in a slash is an object like any other; an empty one marks a folder."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from moto.server import ThreadedMotoServer
from pydantic import SecretStr

from sluice.lake.s3.objects import ObjectStore
from sluice.settings import Settings
from support.stores import client_of, s3_client

pytestmark = pytest.mark.stores
CONTENT = {"p/contacts/": b"phone\n0470123456\n", "p/contacts/big/": b"0470123456\n" * 500, "p/contacts/a.csv": b"x"}
MARKS = ("p/mark/", "p/contacts/mark/", "nothing/")


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Settings]:
    """A server that is not SeaweedFS and gives what lies at such a key."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url, bucket = f"http://{host}:{port}", f"exchange-{uuid4().hex}"
    client = s3_client(url, "a", "b")
    client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    key = SecretStr("b")
    yield Settings(
        home=tmp_path, var=tmp_path, s3_endpoint=url, s3_access_key=SecretStr("a"), s3_secret_key=key,
        bucket_exchange=bucket,
    )  # fmt: skip
    server.stop()


@pytest.fixture(params=["embedded", "other"])
def settings(request: pytest.FixtureRequest) -> Settings:
    given: Settings = request.getfixturevalue({"embedded": "store_settings", "other": "other"}[request.param])
    return given


def test_what_has_content_is_listed_and_a_mark_is_not(settings: Settings) -> None:
    client, objects, bucket = client_of(settings), ObjectStore(settings), settings.bucket_exchange
    for key, content in (CONTENT | dict.fromkeys(MARKS, b"")).items():
        client.put_object(Bucket=bucket, Key=key, Body=content)

    assert sorted(each.key for each in objects.list_versions(bucket, "p/")) == sorted(CONTENT)
    assert objects.list_level(bucket, "p/contacts/").keys == ("p/contacts/", "p/contacts/a.csv")
    assert [objects.has_versions(bucket, each) for each in ("p/contacts/big/", *MARKS)] == [True, False, False, False]


def test_it_is_removed_like_any_other(settings: Settings) -> None:
    client, objects, bucket = client_of(settings), ObjectStore(settings), settings.bucket_exchange
    for key, content in CONTENT.items():
        client.put_object(Bucket=bucket, Key=key, Body=content)
    for item in list(objects.list_versions(bucket, "p/")):
        objects.delete_version(bucket, item.key, item.version_id)

    assert client.list_object_versions(Bucket=bucket, Prefix="p/").get("Versions", []) == []
