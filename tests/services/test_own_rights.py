"""What Sluice's own credential needs in S3, as the how-to says it: what the code calls, and no more."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import boto3

from support.stores import CHECKOUT

PAGE = CHECKOUT / "docs" / "how-to" / "more-than-one-machine.md"
CALLED = re.compile(r"\b(?:_?client|_?s3)\.(?:get_paginator\(\"(\w+)\"\)|(\w+))")
ACTIONS = {
    "abort_multipart_upload": {"s3:AbortMultipartUpload"},
    "copy_object": {"s3:GetObjectVersion", "s3:PutObject"},
    "create_bucket": {"s3:CreateBucket"},
    "delete_object": {"s3:DeleteObjectVersion"},  # always with the id of a version
    "get_bucket_versioning": {"s3:GetBucketVersioning"},
    "get_object": {"s3:GetObject", "s3:GetObjectVersion"},
    "get_object_lock_configuration": {"s3:GetBucketObjectLockConfiguration"},
    "get_object_tagging": {"s3:GetObjectVersionTagging"},  # always of a version
    "head_object": {"s3:GetObject"},
    "list_buckets": {"s3:ListAllMyBuckets"},
    "list_multipart_uploads": {"s3:ListBucketMultipartUploads"},
    "list_object_versions": {"s3:ListBucketVersions"},
    "list_objects_v2": {"s3:ListBucket"},
    "put_bucket_policy": set(),  # at the embedded store alone
    "put_bucket_versioning": {"s3:PutBucketVersioning"},
    "put_object": {"s3:PutObject"},
}
"""Call of boto3 -> the actions of IAM it needs."""


@cache
def known() -> dict[str, str]:
    return dict(boto3.client("s3", region_name="eu-central-1").meta.method_to_api_mapping)


def called(source: str) -> Iterator[str]:
    """Calls of S3 in a source, whatever the client is named."""
    names = (paged or plain for paged, plain in CALLED.findall(source))
    yield from (name for name in names if name in known())


def granted(page: str) -> set[str]:
    [policy] = re.findall(r"```json\n(.*?)```", page, re.S)
    return {action for statement in json.loads(policy)["Statement"] for action in statement["Action"]}


def needed(sources: list[str]) -> set[str]:
    return {action for source in sources for name in called(source) for action in ACTIONS[name]}


def test_the_policy_of_the_page_is_what_the_code_calls() -> None:
    sources = [path.read_text() for path in Path(CHECKOUT / "include" / "sluice").rglob("*.py")]
    assert {name for source in sources for name in called(source)} == set(ACTIONS)
    assert granted(PAGE.read_text()) == needed(sources)


def test_another_call_would_be_found() -> None:
    assert list(called("self._client.put_object_tagging(Bucket=b)")) == ["put_object_tagging"]
    assert list(called('s3.get_paginator("list_parts")')) == ["list_parts"]
    assert list(called("self._client.delete_message_batch(QueueUrl=q)")) == []
