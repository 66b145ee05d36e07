"""Each principal's credential against every other prefix (S-10)."""

import unicodedata
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
from botocore.exceptions import ClientError, ParamValidationError

from sluice.services import seaweed
from sluice.services.model import SeaweedServer
from sluice.services.process import wait_until
from sluice.settings import Settings
from stores import s3_client

PRINCIPALS = ("client-a", "client-ab", "client-b", "energy01", "telecom01")
RECEIPT = "receipts/leads/r.json"


def _spellings(mine: str, theirs: str) -> list[str]:
    """Prefixes that mean, or may be taken to mean, another principal's."""
    return [
        f"{theirs}/",
        f"{mine}/../{theirs}/",
        f"{mine}/inbound/../../{theirs}/",
        f"{mine}%2f..%2f{theirs}/",
        f"{mine}/%2e%2e/{theirs}/",
        f"/{theirs}/",
        f"./{theirs}/",
        f"{theirs.upper()}/",
        f"{unicodedata.normalize('NFD', theirs)}/",
    ]


def _attempts(client: Any, bucket: str, mine: str, prefix: str) -> Iterator[Callable[[], object]]:
    yield lambda: client.get_object(Bucket=bucket, Key=f"{prefix}{RECEIPT}")
    yield lambda: client.head_object(Bucket=bucket, Key=f"{prefix}{RECEIPT}")
    yield lambda: client.list_objects_v2(Bucket=bucket, Prefix=prefix)
    yield lambda: client.list_object_versions(Bucket=bucket, Prefix=prefix)
    yield lambda: client.put_object(Bucket=bucket, Key=f"{prefix}inbound/leads/x.csv", Body=b"x")
    yield lambda: client.copy_object(
        Bucket=bucket, Key=f"{mine}/inbound/leads/c.csv", CopySource={"Bucket": bucket, "Key": f"{prefix}{RECEIPT}"}
    )
    yield lambda: _open(client.generate_presigned_url("get_object", {"Bucket": bucket, "Key": f"{prefix}{RECEIPT}"}))
    yield lambda: client.create_multipart_upload(Bucket=bucket, Key=f"{prefix}inbound/leads/x.csv")
    yield lambda: client.delete_object(Bucket=bucket, Key=f"{prefix}{RECEIPT}")


def _open(url: str) -> bytes:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=10) as answer:
        return bytes(answer.read())


def _gets_in(attempt: Callable[[], Any]) -> bool:
    """Whether the answer is more than a refusal. An empty list of a prefix of one's own says nothing."""
    try:
        answer = attempt()
    except (ClientError, HTTPError, ParamValidationError):
        return False
    is_list = isinstance(answer, dict) and "MaxKeys" in answer
    return bool(answer.get("Contents") or answer.get("Versions")) if is_list else True


def _everything(shop: dict[str, Any], bucket: str) -> list[str]:
    """Every version in the bucket, as the center sees it."""
    found = shop["center"].list_object_versions(Bucket=bucket)
    return sorted(f"{each['Key']} {each['VersionId']}" for each in found.get("Versions", ()))


@pytest.fixture
def shop(store_settings: Settings, s3_server: SeaweedServer, service_var: Path) -> Iterator[dict[str, Any]]:
    """A client per principal, and one for the center; every principal has a receipt to steal."""
    seaweed.write_identities(service_var, store_settings.bucket_exchange, PRINCIPALS)
    center = s3_client(s3_server.endpoint, s3_server.access_key, s3_server.secret_key)
    for name in PRINCIPALS:
        center.put_object(Bucket=store_settings.bucket_exchange, Key=f"{name}/{RECEIPT}", Body=b"secret")
    keys = {name: seaweed.credential(service_var, name) for name in PRINCIPALS}
    clients = {n: s3_client(s3_server.endpoint, k.access_key, k.secret_key) for n, k in keys.items()}
    for name, client in clients.items():
        own = partial(client.get_object, Bucket=store_settings.bucket_exchange, Key=f"{name}/{RECEIPT}")
        assert wait_until(partial(_gets_in, own), 60), "the server reads its list of keys a moment later"
    yield {"center": center} | clients
    seaweed.write_identities(service_var, store_settings.bucket_exchange, ())


@pytest.mark.evidence
@pytest.mark.timeout(300)
def test_no_credential_gets_into_another_prefix(
    shop: dict[str, Any], store_settings: Settings, record_property: Callable[[str, object], None]
) -> None:
    before = _everything(shop, store_settings.bucket_exchange)
    tried = got_in = 0
    for mine in PRINCIPALS:
        for theirs in PRINCIPALS:
            for prefix in _spellings(mine, theirs) if mine != theirs else ():
                for attempt in _attempts(shop[mine], store_settings.bucket_exchange, mine, prefix):
                    tried += 1
                    got_in += _gets_in(attempt)
    assert got_in == 0
    assert _everything(shop, store_settings.bucket_exchange) == before
    record_property("S-10 reads, lists and writes in another principal's prefix", f"{got_in} of {tried}")


def test_the_same_attempts_succeed_for_who_may(shop: dict[str, Any], store_settings: Settings) -> None:
    """The control: they are well-formed, so a refusal above is a refusal."""
    bucket = store_settings.bucket_exchange
    done = [_gets_in(attempt) for attempt in _attempts(shop["center"], bucket, "client-a", "client-b/")]
    assert all(done)


def test_a_principal_reaches_its_own_prefix_and_only_as_agreed(shop: dict[str, Any], store_settings: Settings) -> None:
    bucket, mine = store_settings.bucket_exchange, shop["client-a"]
    mine.put_object(Bucket=bucket, Key="client-a/inbound/leads/x.csv", Body=b"x")
    assert mine.get_object(Bucket=bucket, Key=f"client-a/{RECEIPT}")["Body"].read() == b"secret"
    assert not _gets_in(lambda: mine.put_object(Bucket=bucket, Key="client-a/receipts/forged.json", Body=b"x"))
    assert not _gets_in(lambda: mine.get_object(Bucket=store_settings.bucket_lake, Key="client-a/x"))
