"""Each principal's credential against every other prefix, by every call of S3 that could get there (S-10)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from exchange.attempts import (
    RECEIPT,
    REFUSED,
    SECRET,
    Attempt,
    Thief,
    Victim,
    lists,
    on_objects,
    on_the_bucket,
    outcome,
    raw,
    spellings,
)
from sluice.services import seaweed
from sluice.services.model import SeaweedServer
from sluice.services.process import wait_until
from sluice.settings import Settings
from support.effort import chosen, effort
from support.stores import s3_client

PRINCIPALS = ("client-a", "client-ab", "client-b", "energy01", "telecom01")
ALL = [(mine, theirs) for mine in PRINCIPALS for theirs in PRINCIPALS if mine != theirs]
PAIRS = chosen(ALL, 5)
IN_ALL_SPELLINGS = effort([("client-a", "client-ab")], PAIRS)
SHORTER = ("", "c", "client-", "/")
"""Beginnings that several prefixes have."""


@dataclass(frozen=True)
class Shop:
    """The exchange bucket, with a receipt to steal and an upload under way in every prefix."""

    center: Any
    server: SeaweedServer
    bucket: str
    var: Path
    victims: dict[str, Victim]

    def thief(self, mine: str, *, as_center: bool = False) -> Thief:
        """A principal with its credential, or the center, which may do it all, in its place."""
        key = self.server if as_center else seaweed.credential(self.var, mine)
        client = s3_client(self.server.endpoint, key.access_key, key.secret_key)
        part = {"Bucket": self.bucket, "Key": f"{mine}/inbound/leads/part.csv"}
        upload = client.create_multipart_upload(**part)["UploadId"]
        return Thief(client, self.server.endpoint, self.bucket, mine, key.access_key, key.secret_key, upload)

    def everything(self) -> list[tuple[str, str, bytes]]:
        """Key, version and content of all there is, as the center sees it, and who has which upload under way."""
        found = self.center.list_object_versions(Bucket=self.bucket)
        assert not found["IsTruncated"]
        versions = [(each["Key"], each["VersionId"]) for each in found.get("Versions", ())]
        held = [(key, version, self.read(key, version)) for key, version in versions]
        marks = [(each["Key"], each["VersionId"], b"marker") for each in found.get("DeleteMarkers", ())]
        uploads = self.center.list_multipart_uploads(Bucket=self.bucket).get("Uploads", ())
        parts = [(each["Key"], each["UploadId"], self.parts(each["Key"], each["UploadId"])) for each in uploads]
        return sorted(held + marks + parts)

    def read(self, key: str, version: str) -> bytes:
        return bytes(self.center.get_object(Bucket=self.bucket, Key=key, VersionId=version)["Body"].read())

    def parts(self, key: str, upload: str) -> bytes:
        """How many bytes an upload under way holds: a part that was copied there has some."""
        listed = self.center.list_parts(Bucket=self.bucket, Key=key, UploadId=upload).get("Parts", ())
        return f"{sum(part['Size'] for part in listed)} bytes of an upload".encode()


@pytest.fixture(scope="module")
def shop(module_settings: Settings, s3_server: SeaweedServer, service_var: Path) -> Iterator[Shop]:
    """Every principal has a key, a receipt, and an upload under way."""
    bucket = module_settings.bucket_exchange
    seaweed.write_identities(service_var, bucket, PRINCIPALS)
    center = s3_client(s3_server.endpoint, s3_server.access_key, s3_server.secret_key)
    victims = {}
    for name in PRINCIPALS:
        put = center.put_object(Bucket=bucket, Key=f"{name}/{RECEIPT}", Body=SECRET + name.encode())
        upload = center.create_multipart_upload(Bucket=bucket, Key=f"{name}/inbound/leads/up.csv")["UploadId"]
        victims[name] = Victim(name, put["VersionId"], upload)
    opened = Shop(center, s3_server, bucket, service_var, victims)
    for name in PRINCIPALS:
        key = seaweed.credential(service_var, name)
        own = partial(s3_client(s3_server.endpoint, key.access_key, key.secret_key).get_object, Bucket=bucket)
        reads = partial(outcome, partial(own, Key=f"{name}/{RECEIPT}"), name)
        assert wait_until(partial(bool_of, reads), 60), "the server reads its list of keys a moment later"
    yield opened
    seaweed.write_identities(service_var, bucket, ())


def bool_of(said: Callable[[], str]) -> bool:
    return bool(said())


def attempts(shop: Shop, thief: Thief, theirs: str, *, spelt: bool) -> Iterator[Attempt]:
    """All calls against another's prefix; ``spelt``: in every spelling of it, else as it is."""
    victim = shop.victims[theirs]
    for name, prefix in spellings(thief.mine, theirs).items() if spelt else [("plain", f"{theirs}/")]:
        for call, attempt in (*on_objects(thief, victim, prefix), *lists(thief, prefix)):
            yield f"{thief.mine} {call}, {theirs} {name}", attempt
    for call, attempt in raw(thief, victim) if spelt else ():
        yield f"{thief.mine} {call}, {theirs}", attempt


def at_large(thief: Thief) -> Iterator[Attempt]:
    """Calls of one credential on the bucket, and lists of what is shorter than a prefix, or of one's own."""
    for prefix in (*SHORTER, thief.mine, f"{thief.mine}/"):
        for call, attempt in lists(thief, prefix):
            yield f"{thief.mine} {call} of {prefix!r}", attempt
    for call, attempt in on_the_bucket(thief):
        yield f"{thief.mine} {call}", attempt


def stolen(shop: Shop) -> list[str]:
    """Where a principal's secret lies in another's prefix."""
    held = shop.everything()
    return [key for key, _, body in held if SECRET in body and body != SECRET + key.partition("/")[0].encode()]


def others(shop: Shop, mine: str) -> list[tuple[str, str, bytes]]:
    """All that is there but in the thief's own three folders."""
    own = tuple(f"{mine}/{folder}/" for folder in ("inbound", "requests", "acks"))
    return [each for each in shop.everything() if not each[0].startswith(own)]


@pytest.mark.evidence
@pytest.mark.timeout(1800)
def test_no_credential_gets_into_another_prefix(shop: Shop, record_property: Callable[[str, object], None]) -> None:
    tried, got_in = 0, list[str]()
    for mine in dict.fromkeys(mine for mine, _ in PAIRS):
        thief = shop.thief(mine)
        before = others(shop, mine)
        against = [
            each
            for name, theirs in PAIRS
            if name == mine
            for each in attempts(shop, thief, theirs, spelt=(mine, theirs) in IN_ALL_SPELLINGS)
        ]
        for name, attempt in (*against, *at_large(thief)):
            tried += 1
            if outcome(attempt, mine):
                got_in.append(name)
        assert others(shop, mine) == before
        assert shop.parts(f"{mine}/inbound/leads/part.csv", thief.upload).startswith(b"0 bytes")
    assert (got_in, stolen(shop)) == ([], [])
    assert shop.center.get_bucket_versioning(Bucket=shop.bucket)["Status"] == "Enabled"
    record_property("S-10 calls of S3 against another principal's prefix that got in", f"{len(got_in)} of {tried}")


def test_a_principal_reaches_its_own_prefix_and_only_as_agreed(shop: Shop, module_settings: Settings) -> None:
    bucket, mine = shop.bucket, shop.thief("client-a").client
    mine.put_object(Bucket=bucket, Key="client-a/inbound/leads/x.csv", Body=b"x")
    assert mine.get_object(Bucket=bucket, Key=f"client-a/{RECEIPT}")["Body"].read() == SECRET + b"client-a"
    forged = partial(mine.put_object, Bucket=bucket, Key="client-a/receipts/forged.json", Body=b"x")
    lake = partial(mine.get_object, Bucket=module_settings.bucket_lake, Key="client-a/x")
    assert [outcome(forged, "client-a"), outcome(lake, "client-a")] == ["", ""]


NOT_THERE = {
    "get_object_retention",
    "get_object_legal_hold",
    "put_object_retention",
    "list_parts under a key of one's own",
    "upload_part under a key of one's own",
    "complete_multipart_upload",
    "link of one's own, pointed there",
    "form of one's own, pointed there",
}
"""What the store refuses to the center too: no lock, no such upload, no part that fits, not what was signed."""


def test_the_same_attempts_succeed_for_who_may(shop: Shop) -> None:
    """The control: they are well-formed, so a refusal above is a refusal. What a call removed is put back."""
    thief = shop.thief("client-a", as_center=True)
    count = len(list(attempts(shop, thief, "client-b", spelt=False)))
    refused = set()
    for number in range(count):
        put = shop.center.put_object(Bucket=shop.bucket, Key=f"client-b/{RECEIPT}", Body=SECRET + b"client-b")
        shop.center.put_object(Bucket=shop.bucket, Key=f"client-a/{RECEIPT}", Body=SECRET + b"client-a")
        up = shop.center.create_multipart_upload(Bucket=shop.bucket, Key="client-b/inbound/leads/up.csv")["UploadId"]
        shop.victims["client-b"] = Victim("client-b", put["VersionId"], up)
        name, attempt = list(attempts(shop, thief, "client-b", spelt=False))[number]
        try:
            attempt()
        except REFUSED:
            refused.add(name.removeprefix("client-a ").removesuffix(", client-b plain").removesuffix(" of a version"))
    assert refused == NOT_THERE
    assert "client-a/inbound/leads/c.csv" in stolen(shop), "a copy is seen where it lies"


def test_the_same_raw_requests_succeed_for_who_may(shop: Shop) -> None:
    """The control: they are signed as the store wants it. What a request removed is put back."""
    thief, said = shop.thief("client-a", as_center=True), dict[str, str]()
    for name, attempt in raw(thief, shop.victims["client-b"]):
        if name.partition(",")[0].endswith(" plain"):
            shop.center.put_object(Bucket=shop.bucket, Key=f"client-b/{RECEIPT}", Body=SECRET + b"client-b")
            said[name] = outcome(attempt, "client-a")
    assert len(said) == 9 and set(said.values()) == {"done"}
    assert "client-a/inbound/leads/c.csv" in stolen(shop)


def test_a_prefix_without_its_slash_is_found(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control that security.md names: rights on ``client-a`` that are meant as ``client-a/``."""
    sound = seaweed._identity

    def slack(var: Path, bucket: str, principal: str) -> dict[str, Any]:
        own = f"{bucket}/{principal}*"
        return {**sound(var, bucket, principal), "actions": [f"{right}:{own}" for right in ("Read", "Write", "List")]}

    monkeypatch.setattr(seaweed, "_identity", slack)
    seaweed.write_identities(shop.var, shop.bucket, PRINCIPALS)
    thief = shop.thief("client-a")
    read = partial(thief.client.get_object, Bucket=shop.bucket, Key=f"client-ab/{RECEIPT}")
    assert wait_until(lambda: bool(outcome(read, "client-a")), 60)
    got_in = {
        theirs: {name.split(" ")[1].rstrip(",") for name, attempt in attempts(shop, thief, theirs, spelt=False)
                 if outcome(attempt, "client-a")}
        for theirs in ("client-ab", "client-b")
    }  # fmt: skip
    assert got_in["client-ab"] >= {"get_object", "list_objects_v2", "put_object", "list_object_versions", "link"}
    assert got_in["client-b"] == set()
    assert "client-a/inbound/leads/c.csv" in stolen(shop)
