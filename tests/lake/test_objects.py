"""The object store, as far as one answer of the server is not all of it, or none comes."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError, SSLError
from pydantic import SecretStr

from sluice.errors import NotFound, ObjectUnreadable, ServiceMissing, StoreConflict, StoreError
from sluice.lake.s3.faults import coded
from sluice.lake.s3.objects import ObjectStore
from sluice.settings import Settings
from support.effort import effort

RACES = effort(5, 100)
AWS = "The object was stored using a form of Server Side Encryption. The correct parameters must be provided"
WEED = "Requests specifying Server Side Encryption with Customer provided keys must provide the client calculated MD5"


@pytest.mark.parametrize(
    ("operation", "code", "message", "kind"),
    [
        ("get", "InvalidRequest", AWS, ObjectUnreadable),
        ("get", "InvalidArgument", WEED, ObjectUnreadable),
        ("get", "InvalidObjectState", "The operation is not valid for the object's storage class", ObjectUnreadable),
        ("get", "InvalidRequest", "Please use AWS4-HMAC-SHA256.", StoreError),
        ("get", "InvalidArgument", "Invalid version id specified", StoreError),
        ("get", "AccessDenied", "User is not authorized to perform: kms:Decrypt", StoreError),
        ("put", "InvalidRequest", AWS, StoreError),
        ("delete", "InvalidObjectState", "", StoreError),
        ("get", "NoSuchVersion", "", NotFound),
        ("put", "PreconditionFailed", "", StoreConflict),
    ],
)
def test_a_refusal_is_of_the_object_only_where_the_store_says_so(operation, code, message, kind):
    error = ClientError({"Error": {"Code": code, "Message": message}}, "GetObject")
    assert type(coded(operation, "exchange", error)) is kind


def test_every_page_of_unfinished_uploads_is_given_up(module_settings: Settings):
    objects, bucket = ObjectStore(module_settings), module_settings.bucket_exchange
    client = objects._client
    for key in (*(f"client-a/inbound/{n % 2}.csv" for n in range(5)), "client-ab/inbound/x.csv"):
        client.create_multipart_upload(Bucket=bucket, Key=key)

    def two_at_a_time(params: dict[str, Any], **_: Any) -> None:
        params["MaxUploads"] = 2

    client.meta.events.register("before-parameter-build.s3.ListMultipartUploads", two_at_a_time)
    page = client.list_multipart_uploads(Bucket=bucket, Prefix="client-a/")
    assert (len(page["Uploads"]), page["IsTruncated"]) == (2, True), "control: one answer is not all of it"
    assert objects.abort_uploads(bucket, "client-a/") == 5
    assert [left.key for left in objects.list_uploads(bucket, "")] == ["client-ab/inbound/x.csv"]


def test_a_connection_that_is_not_taken_in_time_is_tried_again_and_a_certificate_that_is_wrong_is_not():
    tried = iter([ConnectTimeoutError(endpoint_url="x"), ReadTimeoutError(endpoint_url="x"), None])

    def attempt() -> str:
        if failure := next(tried):
            raise failure
        return "done"

    def wrong() -> str:
        raise SSLError(endpoint_url="x", error="expired")

    secret = SecretStr("a")
    store = ObjectStore(Settings(s3_endpoint="http://127.0.0.1:9", s3_access_key=secret, s3_secret_key=secret))
    assert store._try("put", "lake", attempt) == "done"
    with pytest.raises(ServiceMissing, match="fault SSLError"):
        store._try("put", "lake", wrong)


def edit(
    client: Any, place: dict[str, str], change: Callable[[set[str]], set[str]], met: threading.Barrier, *, asks: bool
) -> None:
    """Read rows, change them, write them: once both have read; ``asks``: if they are still those, else anew."""
    while True:
        read = client.get_object(**place)
        body = " ".join(sorted(change(set(read["Body"].read().decode().split())))).encode()
        with suppress(threading.BrokenBarrierError):
            met.wait(10)
        met.abort()
        try:
            client.put_object(**place, Body=body, **({"IfMatch": read["ETag"]} if asks else {}))
            return
        except ClientError as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 412


def race(client: Any, place: dict[str, str], *, asks: bool) -> set[str]:
    """One erases a row while another appends one: what is there afterwards."""
    client.put_object(**place, Body=b"erased stays")
    met = threading.Barrier(2)
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(edit, client, place, lambda rows: rows - {"erased"}, met, asks=asks)
        two = pool.submit(edit, client, place, lambda rows: rows | {"new"}, met, asks=asks)
        one.result(), two.result()
    return set(client.get_object(**place)["Body"].read().decode().split())


@pytest.mark.evidence
def test_what_one_writer_did_is_lost_unless_the_other_asks_for_what_it_read(module_settings, record_property):
    """S-05's control: without ``If-Match`` a row is lost, or the erased one is back; the store heeds the condition."""
    client = ObjectStore(module_settings)._client
    place = {"Bucket": module_settings.bucket_lake, "Key": "race/rows"}
    bare, asked = ([race(client, place, asks=asks) for _ in range(RACES)] for asks in (False, True))
    wrong = sum(rows != {"stays", "new"} for rows in bare)
    assert wrong >= 1
    assert asked == [{"stays", "new"}] * RACES
    record_property(
        "S-05 control: races without If-Match in which a row is lost or back", f"{wrong} of {RACES}, with it 0"
    )
