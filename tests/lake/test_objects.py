"""The object store, as far as one answer of the server is not all of it, or none comes."""

from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError, SSLError
from pydantic import SecretStr

from sluice.errors import ServiceMissing
from sluice.lake.s3.objects import ObjectStore
from sluice.settings import Settings

pytestmark = pytest.mark.stores


def test_every_page_of_unfinished_uploads_is_given_up(store_settings: Settings) -> None:
    objects, bucket = ObjectStore(store_settings), store_settings.bucket_exchange
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


def test_a_connection_that_is_not_taken_in_time_is_tried_again_and_a_certificate_that_is_wrong_is_not() -> None:
    tried = iter([ConnectTimeoutError(endpoint_url="x"), ReadTimeoutError(endpoint_url="x"), None])

    def attempt() -> str:
        if failure := next(tried):
            raise failure
        return "done"

    def wrong() -> str:
        raise SSLError(endpoint_url="x", error="expired")

    store = ObjectStore(
        Settings(s3_endpoint="http://127.0.0.1:9", s3_access_key=SecretStr("a"), s3_secret_key=SecretStr("b"))
    )
    assert store._try("put", "lake", attempt) == "done"
    with pytest.raises(ServiceMissing, match="fault SSLError"):
        store._try("put", "lake", wrong)
