"""Test what Sluice needs of an S3 bucket on a probe object, which is removed again.

A server's word is not enough: several answer 200 but neither keep versions nor honour a condition, and a credential
may be allowed to write but not to remove.
"""

import uuid
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from typing import Any

PROBES = "_sluice/probe/"
"""Prefix of the probe objects; they are removed version by version."""
NO_ETAG = '"00000000000000000000000000000000"'


class Promise(StrEnum):
    """Features of S3 on which Sluice relies."""

    IF_NONE_MATCH = "If-None-Match"
    IF_MATCH = "If-Match"
    VERSIONS = "versions"
    DELETE = "delete versions"


def find_broken(s3: Any, bucket: str, call: Callable[[Callable[[], Any]], Any] = lambda each: each()) -> list[Promise]:
    """The promises that a bucket breaks; takes about 30 ms. ``s3``: a boto3 client; ``call``: how to run a request."""
    key = f"{PROBES}{uuid.uuid4()}"
    put = partial(s3.put_object, Bucket=bucket, Key=key)
    broken = []
    try:
        call(partial(put, Body=b"1", IfNoneMatch="*"))
        if not _refuses(partial(put, Body=b"2", IfNoneMatch="*")):
            broken.append(Promise.IF_NONE_MATCH)
        if not _refuses(partial(put, Body=b"3", IfMatch=NO_ETAG)):
            broken.append(Promise.IF_MATCH)
        if not broken:
            put(Body=b"4")
            if _bodies(s3, bucket, key, call) != [b"1", b"4"]:
                broken.append(Promise.VERSIONS)
    finally:
        is_gone = _removed(s3, bucket, key)
    return broken if is_gone else [*broken, Promise.DELETE]


def _refuses(put: Callable[[], Any]) -> bool:
    from botocore.exceptions import ClientError

    try:
        put()
    except ClientError as error:
        return bool(error.response["ResponseMetadata"]["HTTPStatusCode"] == 412)
    return False


def _removed(s3: Any, bucket: str, key: str) -> bool:
    """Whether every version of the probe could be removed for good."""
    from botocore.exceptions import ClientError

    try:
        for version in _versions(s3, bucket, key):
            s3.delete_object(Bucket=bucket, Key=key, VersionId=version)
    except ClientError:
        return False
    return not _versions(s3, bucket, key)


def _versions(s3: Any, bucket: str, key: str) -> list[str]:
    found = s3.list_object_versions(Bucket=bucket, Prefix=key)
    return [each["VersionId"] for each in (*found.get("Versions", ()), *found.get("DeleteMarkers", ()))]


def _bodies(s3: Any, bucket: str, key: str, call: Callable[[Callable[[], Any]], Any]) -> list[bytes]:
    """The content of each version, sorted."""
    pinned = [partial(s3.get_object, Bucket=bucket, Key=key, VersionId=each) for each in _versions(s3, bucket, key)]
    return sorted(call(get)["Body"].read() for get in pinned)
