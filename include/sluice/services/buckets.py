"""The buckets, and the test that their store can be relied on.

Everything that Sluice promises about accepting a file rests on conditional writes and versions. Several
S3 servers answer 200 and do neither, so the endpoint is tested, not trusted.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from sluice.errors import Ref, ServiceMissing
from sluice.lake.s3.objects import open_client
from sluice.lake.s3.probe import Promise, find_broken
from sluice.services.model import StoreUnfit
from sluice.settings import Settings

PATIENCE_SECONDS = 30.0
"""After a restart SeaweedFS may answer 500 for 8 s, on a busy machine for 20 s."""

FORBIDDEN = [
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:PutObjectAcl",
    "s3:PutObjectVersionAcl",
    "s3:PutObjectRetention",
    "s3:PutObjectLegalHold",
    "s3:BypassGovernanceRetention",
]
"""Actions forbidden to principals; the embedded server would count some of them as writing."""

NO_LOCK = "no object lock: whoever owns the bucket can remove what is in it"

PRINCIPALS = "arn:aws:iam::000000000000:user/principal-*"
"""A pattern for the identities of all principals on the embedded server."""


def bucket_names(settings: Settings) -> tuple[str, ...]:
    """The buckets of an installation."""
    return (
        settings.bucket_exchange,
        settings.bucket_internal,
        settings.bucket_lake,
        settings.bucket_vault,
        settings.bucket_evidence,
    )


def make_buckets(settings: Settings, *, embedded: bool) -> None:
    """Create the missing buckets, and turn versioning on.

    embedded: also forbid principals to delete; on other servers that is up to their own policies
    (``sluice principal onboard`` prints one). Raises ServiceMissing.
    """
    with _answers():
        s3 = open_client(settings)
        present = {bucket["Name"] for bucket in _patiently(s3.list_buckets)["Buckets"]}
        for bucket in bucket_names(settings):
            if bucket not in present:
                _patiently(partial(_create, s3, bucket, settings.s3_region))
            if not _is_versioned(s3, bucket):
                _patiently(partial(_keep_versions, s3, bucket))
        if embedded:
            _patiently(partial(_forbid_deletes, s3, settings.bucket_exchange))


def missing_buckets(settings: Settings) -> list[str]:
    """The buckets that do not exist. Raises ServiceMissing when the store does not answer."""
    with _answers():
        present = {bucket["Name"] for bucket in open_client(settings).list_buckets()["Buckets"]}
    return [name for name in bucket_names(settings) if name not in present]


def is_versioned(settings: Settings, bucket: str) -> bool:
    """Whether a bucket keeps every version. Raises ServiceMissing."""
    with _answers():
        return _is_versioned(open_client(settings), bucket)


def describe_lock(settings: Settings, bucket: str) -> str:
    """Say in words whether a bucket has object lock, without which whoever owns it can remove versions at any time.

    Reads only. Raises ServiceMissing when nothing answers.
    """
    from botocore.exceptions import ClientError

    with _answers():
        s3 = open_client(settings)
        try:
            lock = s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]
        except ClientError as error:
            code = error.response["Error"]["Code"]
            return NO_LOCK if code == "ObjectLockConfigurationNotFoundError" else f"object lock not known ({code})"
    rule = lock.get("Rule", {}).get("DefaultRetention", {})
    length = " ".join(f"{rule[unit]} {unit.lower()}" for unit in ("Days", "Years") if unit in rule)
    return (
        f"object lock on, {rule['Mode'].lower()}, {length}" if rule else "object lock on, without a default retention"
    )


def check_store(settings: Settings) -> None:
    """Test conditional writes and versions on the evidence bucket; takes about 30 ms.

    Raises StoreUnfit naming the broken promise, ServiceMissing when nothing answers.
    """
    with _answers():
        broken = find_broken(open_client(settings), settings.bucket_evidence, _patiently)
    for promise in broken:
        if promise is not Promise.DELETE:  # evidence may be locked on purpose
            raise StoreUnfit(Ref("promise", promise.value))


def _create(s3: Any, bucket: str, region: str) -> None:
    place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        s3.create_bucket(Bucket=bucket, **place)
    except (s3.exceptions.BucketAlreadyOwnedByYou, s3.exceptions.BucketAlreadyExists):
        return


def _is_versioned(s3: Any, bucket: str) -> bool:
    return bool(s3.get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled")


def _keep_versions(s3: Any, bucket: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})


def _forbid_deletes(s3: Any, bucket: str) -> None:
    statement = {
        "Sid": "PrincipalsDeleteNothing",
        "Effect": "Deny",
        "Principal": {"AWS": [PRINCIPALS]},
        "Action": FORBIDDEN,
        "Resource": [f"arn:aws:s3:::{bucket}/*"],
    }
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


def _patiently(call: Callable[[], Any]) -> Any:
    """Repeat a call for a while if the server answers 500 or 503, or not at all yet."""
    from botocore.exceptions import ClientError, EndpointConnectionError

    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return call()
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] < 500 or time.monotonic() > deadline:
                raise
        except EndpointConnectionError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.25)


@contextmanager
def _answers() -> Iterator[None]:
    """Turn boto3's errors, which may quote a key, into ServiceMissing with the server's code."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
        return
    except ClientError as error:
        reason = str(error.response["Error"]["Code"])
    except BotoCoreError as error:
        reason = type(error).__name__
    raise ServiceMissing(Ref("service", "s3"), Ref("answer", reason))
