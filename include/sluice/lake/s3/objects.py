"""Objects in S3: pinned reads, conditional writes, whole-segment prefixes.

``If-None-Match: *`` and ``If-Match`` are the only locks. A 412 may be caused by our own earlier write
whose response was lost, so the stored object is compared before a conflict is reported. Reads pin a
version, because a ranged read of an unpinned key can mix two versions.
"""

import base64
import hashlib
import io
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from sluice.errors import NotFound, ObjectUnreadable, Ref, ServiceMissing, StoreConflict
from sluice.lake.s3.beside import SHA_METADATA, tags_of, words_of
from sluice.lake.s3.faults import SluiceFailure, coded, has_unfit_headers, is_passing
from sluice.lake.s3.probe import Promise, find_broken
from sluice.lake.s3.settings import naming_setting
from sluice.lake.s3.versions import Known, Listing, versions_of
from sluice.terms import Sha256

if TYPE_CHECKING:
    from sluice.settings import Settings

T = TypeVar("T")
CHUNK_BYTES = 1 << 20
TRY_FOR_SECONDS = 20
BELIEVED_FOR_SECONDS = 60.0
NO_GUARD: Mapping[str, str] = MappingProxyType({})
_ONE_AT_A_TIME = threading.Lock()
"""Any thread may use a client, but a session must create clients one at a time."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One version of one object. ``sha256`` is known only for objects that we wrote ourselves."""

    bucket: str
    key: str
    version_id: str
    size_bytes: int
    etag: str
    modified_at: datetime | None = None
    sha256: Sha256 | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """A downloaded version: hash and size of the bytes that were read, and when the version was written.

    ``beside``: what else whoever put it wrote, in metadata and headers, but our own hash. ``tags``: how many it has.
    """

    path: Path
    sha256: Sha256
    size_bytes: int
    modified_at: datetime
    beside: tuple[str, ...] = field(default=(), repr=False)
    tags: int = 0


@dataclass(frozen=True, slots=True)
class Level:
    """What lies directly below a prefix: deeper prefixes, with a trailing slash, and keys."""

    prefixes: tuple[str, ...]
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Upload:
    """An unfinished multipart upload; ``begun_at``: by the clock of the store."""

    bucket: str
    key: str
    upload_id: str
    begun_at: datetime


def prefix_of(*segments: str) -> str:
    """A prefix of whole segments with a trailing slash, so that ``client-a/`` never lists ``client-ab/``."""
    return "/".join(segments) + "/"


class ObjectStore:
    """The object store of the settings. Its methods raise StoreError, ServiceMissing or NotFound."""

    def __init__(self, settings: "Settings") -> None:
        self._client = open_client(settings)
        self._fit: dict[str, float] = {}
        self._names: Known = {}

    def broken_promises(self, bucket: str) -> tuple[Promise, ...]:
        """The promises that a bucket breaks. A bucket that keeps them all is tested again only after a minute."""
        if time.monotonic() - self._fit.get(bucket, float("-inf")) < BELIEVED_FOR_SECONDS:
            return ()
        broken = tuple(self._try("probe", bucket, lambda: find_broken(self._client, bucket)))
        if not broken:
            self._fit[bucket] = time.monotonic()
        return broken

    def list_prefixes(self, bucket: str) -> list[str]:
        """The first segments of the keys in the bucket."""
        pages = self._client.get_paginator("list_objects_v2")
        found = self._try("list", bucket, lambda: list(pages.paginate(Bucket=bucket, Delimiter="/")))
        return [entry["Prefix"].rstrip("/") for page in found for entry in page.get("CommonPrefixes", ())]

    def list_buckets(self) -> list[str]:
        """Every bucket that the credential can see."""
        answer = self._try("list buckets", "all", self._client.list_buckets)
        return [each["Name"] for each in answer["Buckets"]]

    def list_level(self, bucket: str, prefix: str) -> Level:
        """One level below a whole-segment prefix, including deleted objects of which older versions are left."""
        found = self._try("list versions", bucket, lambda: list(self._listing(bucket).level(prefix)))
        prefixes = {each["Prefix"] for page in found for each in page.get("CommonPrefixes", ())}
        keys = {each["Key"] for page in found for each in page.get("Versions", ())}
        return Level(tuple(sorted(prefixes)), tuple(sorted(keys)))

    def has_versions(self, bucket: str, prefix: str) -> bool:
        """Whether any version of any object is below a whole-segment prefix; folder marks do not count."""
        return next(self.list_versions(bucket, prefix), None) is not None

    def list_versions(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        """Every version below a whole-segment prefix, without delete markers and folder marks.

        A folder mark is an empty object whose key ends in a slash. With content, it is listed like any other object.
        """
        for entry in self._try("list versions", bucket, lambda: list(self._listing(bucket).below(prefix))):
            yield StoredObject(
                bucket,
                entry["Key"],
                entry["VersionId"],
                entry["Size"],
                entry["ETag"].strip('"'),
                entry["LastModified"],
            )

    def _listing(self, bucket: str) -> Listing:
        """A new listing for each attempt, because a listing does not repeat the requests that it made."""
        return Listing(self._client, bucket, self._names)

    def fetch(self, bucket: str, key: str, version_id: str, target: Path) -> Fetched:
        """Download one pinned version to ``target``, hashing on the way."""

        def attempt() -> Fetched:
            answer = self._client.get_object(Bucket=bucket, Key=key, VersionId=version_id)
            digest, size = hashlib.sha256(), 0
            with target.open("wb") as file:
                for chunk in answer["Body"].iter_chunks(CHUNK_BYTES):
                    digest.update(chunk)
                    size += len(chunk)
                    file.write(chunk)
            said = tuple(words_of(answer)), answer.get("TagCount", 0)
            return Fetched(target, Sha256(digest.hexdigest()), size, answer["LastModified"], *said)

        return self._try("get", bucket, attempt)

    def read_beside(self, bucket: str, key: str, version_id: str, fetched: Fetched) -> tuple[str, ...]:
        """All words beside a fetched version, its tags too; the store is asked for tags only if there are any."""
        named = {"Bucket": bucket, "Key": key, "VersionId": version_id}
        found = fetched.tags and self._try("get tags", bucket, lambda: self._client.get_object_tagging(**named))
        return (*fetched.beside, *(tags_of(found) if found else ()))

    def read(self, bucket: str, key: str, version_id: str | None = None) -> bytes:
        """The bytes of one small object: the given version, or the current one."""
        pin = {"VersionId": version_id} if version_id else {}
        return self._try(
            "get", bucket, lambda: bytes(self._client.get_object(Bucket=bucket, Key=key, **pin)["Body"].read())
        )

    def head(self, bucket: str, key: str, version_id: str | None = None) -> StoredObject | None:
        """The given version of a key, or the current one; None when there is none."""
        pin = {"VersionId": version_id} if version_id else {}
        try:
            answer = self._try("head", bucket, lambda: self._client.head_object(Bucket=bucket, Key=key, **pin))
        except NotFound:
            return None
        return _stored(bucket, key, answer, answer["ContentLength"], answer["Metadata"].get(SHA_METADATA))

    def put(self, bucket: str, key: str, content: bytes | Path, content_type: str) -> StoredObject:
        """Write a new version of a key without a condition, as a principal's own tool does."""
        return self._put(bucket, key, content, content_type, {})

    def put_once(self, bucket: str, key: str, content: bytes | Path, content_type: str) -> StoredObject:
        """Write a key unless it exists. A rerun that finds its own bytes there goes on.

        For keys that are a function of their exchange. Raises StoreConflict when the key already holds other content.
        """
        try:
            return self._put(bucket, key, content, content_type, {"IfNoneMatch": "*"})
        except StoreConflict:
            present = self._current(bucket, key)
        return _ours(present, bucket, hash_of(content)[0])

    def copy(
        self, source: StoredObject, bucket: str, key: str, content_type: str, guard: Mapping[str, str] = NO_GUARD
    ) -> StoredObject:
        """Write a new version of a key with the bytes of a pinned version, copied by the store itself."""

        def attempt() -> StoredObject:
            answer = self._client.copy_object(
                Bucket=bucket,
                Key=key,
                CopySource={"Bucket": source.bucket, "Key": source.key, "VersionId": source.version_id},
                MetadataDirective="REPLACE",
                ContentType=content_type,
                Metadata={SHA_METADATA: source.sha256} if source.sha256 else {},
                **guard,
            )
            told = {**answer, **answer["CopyObjectResult"]}
            return _stored(bucket, key, told, source.size_bytes, source.sha256)

        return self._try("copy", bucket, attempt)

    def copy_once(self, source: StoredObject, bucket: str, key: str, content_type: str) -> StoredObject:
        """Like :meth:`put_once`, with the bytes of a pinned version. Raises StoreConflict.

        Not every S3 server honours a condition on a copy. The caller must therefore hold a lock on the key, and the
        key is looked at first.
        """
        present = self.head(bucket, key)
        if present is None:
            try:
                return self.copy(source, bucket, key, content_type, {"IfNoneMatch": "*"})
            except StoreConflict:
                present = self.head(bucket, key)
        return _ours(present, bucket, source.sha256)

    def put_converging(
        self, bucket: str, key: str, content: bytes | Path, content_type: str, over: str = ""
    ) -> StoredObject:
        """Like :meth:`put_once`, but add a version on top of what an earlier, uncommitted attempt left (``If-Match``).

        over: a version to write over even if it has these very bytes and says so. Nothing is deleted here: versions
        that no record names are swept after the commit. Raises StoreConflict.
        """
        try:
            present: StoredObject | None = self.put_once(bucket, key, content, content_type)
            if present is not None and present.version_id != over:
                return present
        except StoreConflict:
            present = self._current(bucket, key)
        guard = {"IfMatch": present.etag} if present else {"IfNoneMatch": "*"}
        try:
            return self._put(bucket, key, content, content_type, guard)
        except StoreConflict:
            present = self.head(bucket, key)
        return _ours(present, bucket, hash_of(content)[0])

    def _current(self, bucket: str, key: str) -> StoredObject | None:
        """The current version of a key; without its hash if the store does not say what its metadata is."""
        try:
            return self.head(bucket, key)
        except ObjectUnreadable:
            return next((item for item in self.list_versions(bucket, key) if item.key == key), None)

    def delete_others(self, bucket: str, key: str, keep: frozenset[str]) -> int:
        """Remove all versions and delete markers of a key for good, except those in ``keep``; return how many."""
        found = self._try("list versions", bucket, lambda: versions_of(self._client, bucket, key))
        gone = [version_id for version_id in found if version_id not in keep]
        for version_id in gone:
            self.delete_version(bucket, key, version_id)
        return len(gone)

    def list_uploads(self, bucket: str, prefix: str) -> list[Upload]:
        """Unfinished multipart uploads below a prefix; no listing of objects shows their parts."""
        pages = self._client.get_paginator("list_multipart_uploads")
        found = self._try("list uploads", bucket, lambda: list(pages.paginate(Bucket=bucket, Prefix=prefix)))
        listed = (each for page in found for each in page.get("Uploads", ()))
        return [Upload(bucket, each["Key"], each["UploadId"], each["Initiated"]) for each in listed]

    def abort_uploads(self, bucket: str, prefix: str) -> int:
        """Abort every unfinished multipart upload below a prefix; return how many."""
        found = self.list_uploads(bucket, prefix)
        for upload in found:
            self.abort_upload(upload)
        return len(found)

    def abort_upload(self, upload: Upload) -> None:
        """Abort one unfinished multipart upload, unless there is none of this name: it ended, or its name is unsaid."""
        named = {"Bucket": upload.bucket, "Key": upload.key, "UploadId": upload.upload_id}
        with suppress(NotFound):
            self._try("abort upload", upload.bucket, lambda: self._client.abort_multipart_upload(**named))

    def delete_version(self, bucket: str, key: str, version_id: str) -> None:
        """Remove one version for good; a plain delete on a versioned bucket would only add a marker."""
        self._try("delete", bucket, lambda: self._client.delete_object(Bucket=bucket, Key=key, VersionId=version_id))

    def _put(
        self, bucket: str, key: str, content: bytes | Path, content_type: str, guard: dict[str, str]
    ) -> StoredObject:
        sha256, size = hash_of(content)
        checksum = base64.b64encode(bytes.fromhex(sha256)).decode()

        def attempt() -> StoredObject:
            with content.open("rb") if isinstance(content, Path) else io.BytesIO(content) as body:
                answer = self._client.put_object(
                    Bucket=bucket,
                    Key=key,
                    Body=body,
                    ContentType=content_type,
                    ChecksumSHA256=checksum,
                    Metadata={SHA_METADATA: sha256},
                    **guard,
                )
            return _stored(bucket, key, answer, size, sha256)

        return self._try("put", bucket, attempt)

    def _try(self, operation: str, bucket: str, attempt: Callable[[], T]) -> T:
        """Run one request; retry transient faults (5xx, 429, no connection) for 20 s."""
        from botocore.exceptions import BotoCoreError, ClientError
        from tenacity import RetryError, Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

        retrying = Retrying(
            retry=retry_if_exception(is_passing),
            stop=stop_after_delay(TRY_FOR_SECONDS),
            wait=wait_random_exponential(multiplier=0.1, max=2),
        )
        failure: SluiceFailure
        try:
            return retrying(attempt)
        except ClientError as error:
            failure = coded(operation, bucket, error)
        except (BotoCoreError, RetryError) as error:
            last = error.last_attempt.exception() if isinstance(error, RetryError) else error
            about = (Ref("operation", operation), Ref("bucket", bucket))
            if has_unfit_headers(last):
                failure = ObjectUnreadable(*about, Ref("fault", "HEADERS"))
            else:
                failure = ServiceMissing(Ref("service", "s3"), *about, Ref("fault", type(last).__name__))
        raise failure


def hash_of(content: bytes | Path) -> tuple[Sha256, int]:
    """SHA-256 and size of bytes or of a file."""
    if isinstance(content, bytes):
        return Sha256(hashlib.sha256(content).hexdigest()), len(content)
    with content.open("rb") as file:
        return Sha256(hashlib.file_digest(file, "sha256").hexdigest()), content.stat().st_size


def _ours(present: StoredObject | None, bucket: str, sha256: Sha256 | None) -> StoredObject:
    """Return the stored object if it has the expected content. Raises StoreConflict."""
    if present is not None and present.sha256 == sha256:
        return present
    raise StoreConflict(Ref("bucket", bucket), Ref("sha256", sha256 or ""))


def _stored(bucket: str, key: str, answer: dict[str, Any], size: int, sha256: str | None) -> StoredObject:
    return StoredObject(
        bucket,
        key,
        answer.get("VersionId", "null"),
        size,
        answer["ETag"].strip('"'),
        answer.get("LastModified"),
        Sha256(sha256) if sha256 else None,
    )


@cache
def _session() -> Any:
    """The one session of this process, because reading botocore's models takes longer than most requests."""
    import boto3

    return boto3.session.Session()


def open_client(settings: "Settings") -> Any:
    """The boto3 client of the settings, also for probing, so that a server is probed just as it will be used.

    Raises SettingInvalid."""
    from botocore.config import Config

    endpoint = None if settings.s3_endpoint in (None, "aws") else settings.s3_endpoint
    own = {}
    if settings.s3_access_key and settings.s3_secret_key:
        own = {
            "aws_access_key_id": settings.s3_access_key.get_secret_value(),
            "aws_secret_access_key": settings.s3_secret_key.get_secret_value(),
        }
    config = Config(
        connect_timeout=5,
        read_timeout=60,
        retries={"mode": "standard", "total_max_attempts": 2},
        s3={"addressing_style": "path" if endpoint else "auto"},
        request_checksum_calculation="when_required",
    )
    with naming_setting(settings), _ONE_AT_A_TIME:
        return _session().client("s3", endpoint_url=endpoint, region_name=settings.s3_region, config=config, **own)
