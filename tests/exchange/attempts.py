"""What a credential can be used for against another principal's prefix: every S3 call that names an object, a prefix
or the bucket, by the client and as raw requests, which no client tidies up on the way."""

import http.client
import json
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, ParamValidationError

RECEIPT = "receipts/leads/r.json"
SECRET = b"secret of "
TAGS = {"TagSet": [{"Key": "a", "Value": "b"}]}
Attempt = tuple[str, Callable[[], object]]
"""The name of a call, and the call; it raises one of REFUSED where the store refuses."""


@dataclass(frozen=True)
class Thief:
    """Who tries it: a principal with its credential, and a multipart upload of its own."""

    client: Any
    endpoint: str
    bucket: str
    mine: str
    access_key: str
    secret_key: str
    upload: str


@dataclass(frozen=True)
class Victim:
    """Whose prefix it is, what lies there, and an upload under way."""

    name: str
    version: str
    upload: str


def spellings(mine: str, theirs: str) -> dict[str, str]:
    """Prefixes that mean, or may be taken to mean, another principal's; none is the plain one twice."""
    wide = "".join(chr(ord(letter) + 0xFEE0) if letter != "-" else letter for letter in theirs)
    written = {
        "plain": f"{theirs}/",
        "up": f"{mine}/../{theirs}/",
        "up from where it writes": f"{mine}/inbound/../../{theirs}/",
        "up from where it reads": f"{mine}/receipts/../../{theirs}/",
        "up, dots encoded": f"{mine}/receipts/%2e%2e/%2e%2e/{theirs}/",
        "up, slash encoded": f"{mine}/receipts/..%2f..%2f{theirs}/",
        "up, encoded twice": f"{mine}/receipts/%252e%252e/%252e%252e/{theirs}/",
        "up, other slashes": f"{mine}\\receipts\\..\\..\\{theirs}\\",
        "root": f"/{theirs}/",
        "two slashes": f"{theirs}//",
        "here": f"./{theirs}/",
        "upper case": f"{theirs.upper()}/",
        "wide letters (NFKC makes them plain)": f"{wide}/",
        "accent composed (NFC)": f"{theirs}\u00e9/",
        "accent apart (NFD)": f"{theirs}e\u0301/",
        "end of text": f"{theirs}\x00/",
    }
    assert unicodedata.normalize("NFKC", wide) == theirs and len(set(written.values())) == len(written)
    return written


OF_OBJECTS = (
    "get_object", "head_object", "get_object_attributes", "get_object_tagging", "get_object_acl",
    "get_object_retention", "get_object_legal_hold", "delete_object", "delete_object_tagging",
)  # fmt: skip
"""Calls on one object, or on one version of it."""


def on_objects(thief: Thief, victim: Victim, prefix: str) -> Iterator[Attempt]:
    """Calls on what lies below a prefix, or may be put there."""
    c, at = thief.client, {"Bucket": thief.bucket, "Key": f"{prefix}{RECEIPT}"}
    for name in OF_OBJECTS:
        more = {"ObjectAttributes": ["ETag", "ObjectSize"]} if name == "get_object_attributes" else {}
        yield name, partial(getattr(c, name), **at, **more)
        yield f"{name} of a version", partial(getattr(c, name), **at, **more, VersionId=victim.version)
    yield "get_object, a range", partial(c.get_object, **at, Range="bytes=0-3")
    yield "put_object", partial(c.put_object, Bucket=thief.bucket, Key=f"{prefix}inbound/leads/x.csv", Body=b"x")
    yield "put_object over", partial(c.put_object, **at, Body=b"x")
    yield "put_object_tagging", partial(c.put_object_tagging, **at, Tagging=TAGS)
    yield "put_object_acl", partial(c.put_object_acl, **at, ACL="public-read")
    yield "put_object_retention", partial(c.put_object_retention, **at, Retention={"Mode": "GOVERNANCE"})
    yield "put_object_legal_hold", partial(c.put_object_legal_hold, **at, LegalHold={"Status": "ON"})
    yield "delete_objects", partial(c.delete_objects, Bucket=thief.bucket, Delete={"Objects": [{"Key": at["Key"]}]})
    yield from by_copy(thief, victim, prefix)
    yield from in_parts(thief, victim, prefix)
    yield from by_link(thief, prefix)


def by_copy(thief: Thief, victim: Victim, prefix: str) -> Iterator[Attempt]:
    """What lies there copied into one's own prefix, and one's own copied over there."""
    c, key = thief.client, f"{prefix}{RECEIPT}"
    mine = {"Bucket": thief.bucket, "Key": f"{thief.mine}/inbound/leads/c.csv"}
    source, own = {"Bucket": thief.bucket, "Key": key}, {"Bucket": thief.bucket, "Key": f"{thief.mine}/{RECEIPT}"}
    version = {**source, "VersionId": victim.version}
    yield "copy_object from", partial(c.copy_object, **mine, CopySource=source)
    yield "copy_object from a version", partial(c.copy_object, **mine, CopySource=version)
    yield "copy_object from, written out", partial(c.copy_object, **mine, CopySource=f"/{thief.bucket}/{key}")
    yield "copy_object from, encoded", partial(c.copy_object, **mine, CopySource=quote(f"{thief.bucket}/{key}", ""))
    yield "copy_object to", partial(c.copy_object, Bucket=thief.bucket, Key=f"{prefix}inbound/l/x", CopySource=own)
    part = {"Key": f"{thief.mine}/inbound/leads/part.csv", "UploadId": thief.upload, "PartNumber": 1}
    yield "upload_part_copy from", partial(c.upload_part_copy, Bucket=thief.bucket, **part, CopySource=source)


def in_parts(thief: Thief, victim: Victim, prefix: str) -> Iterator[Attempt]:
    """A multipart upload there, and the one that is under way there."""
    c, key = thief.client, {"Bucket": thief.bucket, "Key": f"{prefix}inbound/leads/up.csv"}
    under_way = {**key, "UploadId": victim.upload}
    yield "create_multipart_upload", partial(c.create_multipart_upload, **key)
    yield "upload_part", partial(c.upload_part, **under_way, PartNumber=2, Body=b"x")
    yield "list_parts", partial(c.list_parts, **under_way)
    parts = {"Parts": [{"PartNumber": 1, "ETag": "x"}]}
    yield "complete_multipart_upload", partial(c.complete_multipart_upload, **under_way, MultipartUpload=parts)
    yield "abort_multipart_upload", partial(c.abort_multipart_upload, **under_way)
    mine = {"Bucket": thief.bucket, "Key": f"{thief.mine}/inbound/leads/up.csv", "UploadId": victim.upload}
    yield "list_parts under a key of one's own", partial(c.list_parts, **mine)
    yield "upload_part under a key of one's own", partial(c.upload_part, **mine, PartNumber=2, Body=b"x")


def by_link(thief: Thief, prefix: str) -> Iterator[Attempt]:
    """Links signed for there, and one signed for one's own that is pointed there."""
    c, there = thief.client, {"Bucket": thief.bucket, "Key": f"{prefix}{RECEIPT}"}
    for call in ("get_object", "head_object", "delete_object", "put_object"):
        method = call.partition("_")[0].upper()
        yield f"link to {call}", partial(fetch, method, c.generate_presigned_url(call, there))
    own = c.generate_presigned_url("get_object", {"Bucket": thief.bucket, "Key": f"{thief.mine}/{RECEIPT}"})
    yield "link of one's own, pointed there", partial(fetch, "GET", own.replace(f"/{thief.mine}/", f"/{quote(prefix)}"))
    listing = c.generate_presigned_url("list_objects_v2", {"Bucket": thief.bucket, "Prefix": prefix})
    yield "link to a list", partial(fetch, "GET", listing)
    form = c.generate_presigned_post(thief.bucket, f"{prefix}inbound/leads/x.csv")
    yield "form", partial(post_form, form["url"], form["fields"])
    mine = c.generate_presigned_post(thief.bucket, f"{thief.mine}/inbound/leads/x.csv")
    pointed = {**mine["fields"], "key": f"{prefix}inbound/leads/x.csv"}
    yield "form of one's own, pointed there", partial(post_form, mine["url"], pointed)


def lists(thief: Thief, prefix: str) -> Iterator[Attempt]:
    """Every way to list a prefix."""
    c, there = thief.client, {"Bucket": thief.bucket, "Prefix": prefix}
    for name in ("list_objects_v2", "list_objects", "list_object_versions", "list_multipart_uploads"):
        call = getattr(c, name)
        yield name, partial(call, **there)
        yield f"{name}, folders", partial(call, **there, Delimiter="/")
        yield f"{name}, encoded", partial(call, **there, EncodingType="url")
    yield "list_objects_v2 after", partial(c.list_objects_v2, **there, StartAfter=prefix)
    yield "list_objects after", partial(c.list_objects, **there, Marker=prefix)
    yield "list_object_versions after", partial(c.list_object_versions, **there, KeyMarker=prefix)


def raw(thief: Thief, victim: Victim) -> Iterator[Attempt]:
    """Requests whose path nobody tidied up: signed and sent as they are written, by header and by link."""
    for name, prefix in spellings(thief.mine, victim.name).items():
        for method, key in (("GET", RECEIPT), ("HEAD", RECEIPT), ("PUT", "inbound/leads/x.csv"), ("DELETE", RECEIPT)):
            path = f"/{thief.bucket}/{quote(prefix + key, safe='/%.~')}"
            for by_link_too in (False, True):
                way = "link" if by_link_too else "header"
                yield f"raw {method} {name}, {way}", partial(signed, thief, method, path, by_link=by_link_too)
        path = f"/{thief.bucket}/{thief.mine}/inbound/leads/c.csv"
        source = f"/{thief.bucket}/{quote(prefix + RECEIPT, safe='/%.~')}"
        yield f"raw copy {name}", partial(signed, thief, "PUT", path, {"x-amz-copy-source": source})


def signed(
    thief: Thief, method: str, path: str, headers: Mapping[str, str] | None = None, *, by_link: bool = False
) -> bytes:
    """The body of the answer to a request with exactly this path; raises ConnectionError on a refusal."""
    request = AWSRequest(method, thief.endpoint + path, headers=dict(headers or {}), data=b"")
    who = Credentials(thief.access_key, thief.secret_key)
    (S3SigV4QueryAuth if by_link else S3SigV4Auth)(who, "s3", "eu-central-1").add_auth(request)
    return ask(method, request.url, dict(request.headers))


def fetch(method: str, url: str) -> bytes:
    """The body of the answer to a link."""
    return ask(method, url, {})


def ask(method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """The body of an answer of 2xx; anything else raises ConnectionError with status and code of the store."""
    parts = urlsplit(url)
    line = http.client.HTTPConnection(parts.netloc, timeout=20)
    try:
        line.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), body=body, headers=dict(headers))
        answer = line.getresponse()
        said = answer.read()
    finally:
        line.close()
    if not 200 <= answer.status < 300:
        code = said.partition(b"<Code>")[2].partition(b"</Code>")[0].decode()
        raise ConnectionError(f"{answer.status} {code}")
    return said or b"done"


def post_form(url: str, fields: Mapping[str, str]) -> bytes:
    """Send a file as a browser does, with the fields of a signed form."""
    mark = "sluice-form"
    lines = [f'--{mark}\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items()]
    lines += [f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\nx\r\n--{mark}--\r\n']
    return ask("POST", url, {"Content-Type": f"multipart/form-data; boundary={mark}"}, "".join(lines).encode())


OF_THE_BUCKET = (
    "get_bucket_policy", "delete_bucket_policy", "get_bucket_acl", "get_bucket_lifecycle_configuration",
    "delete_bucket_lifecycle", "get_bucket_cors", "delete_bucket_cors", "get_bucket_tagging", "delete_bucket_tagging",
    "get_bucket_encryption", "delete_bucket_encryption", "delete_public_access_block",
    "get_object_lock_configuration", "get_bucket_notification_configuration", "get_bucket_logging",
    "get_bucket_replication", "delete_bucket_ownership_controls", "delete_bucket_website", "delete_bucket",
)  # fmt: skip


def on_the_bucket(thief: Thief) -> Iterator[Attempt]:
    """Calls that would change who may do what, or how long something stays, or that name what is there."""
    c, bucket = thief.client, {"Bucket": thief.bucket}
    for name in OF_THE_BUCKET:
        yield name, partial(getattr(c, name), **bucket)
    anybody = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": f"arn:aws:s3:::{thief.bucket}/*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [anybody]})
    yield "put_bucket_policy", partial(c.put_bucket_policy, **bucket, Policy=policy)
    yield "put_bucket_acl", partial(c.put_bucket_acl, **bucket, ACL="public-read-write")
    ends = {"Rules": [{"ID": "x", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}]}
    yield "put_bucket_lifecycle", partial(c.put_bucket_lifecycle_configuration, **bucket, LifecycleConfiguration=ends)
    cors = {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]}
    yield "put_bucket_cors", partial(c.put_bucket_cors, **bucket, CORSConfiguration=cors)
    off = {"Status": "Suspended"}
    yield "put_bucket_versioning", partial(c.put_bucket_versioning, **bucket, VersioningConfiguration=off)
    yield "put_bucket_tagging", partial(c.put_bucket_tagging, **bucket, Tagging=TAGS)
    owned = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    yield "put_bucket_ownership_controls", partial(c.put_bucket_ownership_controls, **bucket, OwnershipControls=owned)
    yield "create_bucket", partial(c.create_bucket, Bucket=f"{thief.bucket}-{thief.mine}")
    for action in ("ListUsers", "CreateUser", "CreateAccessKey", "ListAccessKeys", "PutUserPolicy", "GetUser"):
        yield f"identities: {action}", partial(identities, thief, action)


def identities(thief: Thief, action: str) -> bytes:
    """Ask the server's own service of identities, which answers at the same address, about another's."""
    other = "principal-client-a" if thief.mine == "client-b" else "principal-client-b"
    form = {"Action": action, "Version": "2010-05-08", "UserName": other, "PolicyName": "x"}
    form["PolicyDocument"] = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'
    body = urlencode(form).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    request = AWSRequest("POST", f"{thief.endpoint}/", headers=headers, data=body)
    SigV4Auth(Credentials(thief.access_key, thief.secret_key), "iam", "us-east-1").add_auth(request)
    return ask("POST", request.url, dict(request.headers), body)


LISTED = ("Contents", "Versions", "DeleteMarkers", "Uploads", "CommonPrefixes")
REFUSED = (ClientError, ParamValidationError, ConnectionError, http.client.HTTPException, ValueError)


def outcome(attempt: Callable[[], object], mine: str) -> str:
    """Empty where it was refused or said nothing; else what it told or did. Raises nothing of REFUSED."""
    try:
        answer = attempt()
    except REFUSED:
        return ""
    return told(answer, mine)


def told(answer: object, mine: str) -> str:
    """What an answer says of others, or that it did something. Of a copy, what lies there is looked at afterwards."""
    if isinstance(answer, bytes) and b"ListBucketResult" in answer:
        return "a list" if b"<Key>" in answer else ""
    if not isinstance(answer, dict):
        return "done"
    if "MaxKeys" in answer or "MaxUploads" in answer:
        found = [each for kind in LISTED for each in answer.get(kind, ())]
        names = [str(each.get("Key") or each.get("Prefix")) for each in found]
        return " ".join(name for name in names if not name.startswith(f"{mine}/"))
    if "CopyObjectResult" in answer or "CopyPartResult" in answer or ("Errors" in answer and "Deleted" not in answer):
        return ""
    return "done"
