"""A store whose answers get lost (S-18), and whose objects are replaced while they are read (S-19)."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from lake.faulty_store import Fault, Proxy, faulty, impatient
from sluice.errors import StoreConflict
from sluice.lake.s3.objects import ObjectStore, StoredObject
from sluice.settings import Settings
from support.desk import Desk, open_desk
from support.effort import chosen, effort

pytestmark = pytest.mark.timeout(1800)
Record = Callable[[str, object], None]
TIMES, TORN = effort((1, 1), (100, 100))
LOST = (Fault.OWN_412, Fault.TIMEOUT, Fault.RESET, Fault.ERROR_500, Fault.BUSY_503)
WRITES = 5
"""So many PUTs has a file on its way at least; once a minute the promises of a bucket are tried with some more."""
ON_ITS_WAY = [(fault, (place + number) % WRITES) for number in range(20) for place, fault in enumerate(LOST)]
OLD, NEW = (b"a" * 3_000_000, b"b" * 3_000_000)


@dataclass(frozen=True)
class Faulty:
    """A store that is reached through the proxy, and the same one reached directly."""

    proxy: Proxy
    through: ObjectStore
    direct: ObjectStore
    settings: Settings

    @property
    def bucket(self) -> str:
        return self.settings.bucket_lake

    def versions(self, key: str) -> list[bytes]:
        found = self.direct.list_versions(self.bucket, key)
        return [self.direct.read(item.bucket, item.key, item.version_id) for item in found]


@pytest.fixture(scope="module")
def store(module_settings: Settings) -> Iterator[Faulty]:
    with pytest.MonkeyPatch.context() as patch, faulty(str(module_settings.s3_endpoint)) as proxy:
        impatient(patch)
        through = module_settings.model_copy(update={"s3_endpoint": proxy.endpoint})
        yield Faulty(proxy, ObjectStore(through), ObjectStore(module_settings), through)


def once(store: Faulty, key: str, content: bytes) -> StoredObject:
    return store.through.put_once(store.bucket, key, content, "x")


def converging(store: Faulty, key: str, content: bytes) -> StoredObject:
    """Write over what an earlier try left."""
    store.direct.put(store.bucket, key, b"left by the dead", "x")
    return store.through.put_converging(store.bucket, key, content, "x")


@pytest.mark.evidence
@pytest.mark.parametrize("fault", LOST)
def test_no_write_is_doubled_lost_or_refused_because_its_answer_was(store, fault, record_property: Record):
    met = store.proxy.met
    for number in range(TIMES):
        for way, skip, before in ((once, 0, 0), (converging, 0, 1), (converging, 1, 1)):
            key, content = f"{fault}/{way.__name__}-{skip}/{number}", f"{number}".encode()
            store.proxy.arm(fault, skip)
            stored = way(store, key, content)
            kept = store.versions(key)
            assert kept.count(content) == 1 and len(kept) == before + 1, (way.__name__, skip, len(kept))
            assert store.direct.read(store.bucket, key, stored.version_id) == content
    assert store.proxy.met - met == 3 * TIMES
    record_property(f"S-18 {fault}: conditional writes", f"0 double, 0 lost, 0 false refusals of {3 * TIMES}")
    store.direct.put(
        store.bucket, f"other/{fault}", b"of another", "x"
    )  # what is another's is never taken for one's own
    store.proxy.arm(fault)
    with pytest.raises(StoreConflict):
        once(store, f"other/{fault}", b"mine")
    assert store.versions(f"other/{fault}") == [b"of another"]


@pytest.mark.parametrize("fault", [Fault.MANY_429, Fault.LATE_504])
def test_a_store_that_is_busy_or_behind_a_slow_gateway_is_asked_again(store, fault):
    """The library itself asks a second time after some of these; here the second answer counts."""
    there = store.direct.put(store.bucket, f"there/{fault}", b"x", "x")
    through, met = ObjectStore(store.settings), store.proxy.met
    through._client.meta.events.unregister("needs-retry.s3", unique_id="retry-config-s3")
    store.proxy.arm(fault, method="GET")
    assert through.read(store.bucket, there.key, there.version_id) == b"x"
    store.proxy.arm(fault, method="PUT")
    through.put_once(store.bucket, f"new/{fault}", b"y", "x")
    assert store.versions(f"new/{fault}") == [b"y"] and store.proxy.met == met + 2


def test_control_a_writer_that_takes_every_412_for_a_conflict_refuses_its_own_work(store, record_property: Record):
    """Retried until it is answered, and a 412 is believed."""
    refused = 0
    for fault in LOST:
        store.proxy.arm(fault)
        refused += naive(partial(put_bare, store, f"naive/{fault}", IfNoneMatch="*"))
        assert store.versions(f"naive/{fault}") == [b"x"], "and it was written"
    assert refused >= 3
    record_property("S-18 control: a 412 that is believed", f"{refused} of {len(LOST)} faults refuse one's own write")


def put_bare(store: Faulty, key: str, **guard: str) -> Any:
    return store.through._client.put_object(Bucket=store.bucket, Key=key, Body=b"x", **guard)


def naive(attempt: Callable[[], Any]) -> bool:
    """Whether a retry ends in a refusal."""
    for _ in range(4):
        try:
            attempt()
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 412:
                return True
        except BotoCoreError:
            continue
        else:
            return False
    return False


@pytest.mark.evidence
def test_a_file_is_accepted_once_whatever_answer_was_lost_on_its_way(store, tmp_path, record_property: Record):
    tried = chosen(ON_ITS_WAY[:: effort(3, 1)], 3)
    with open_desk(store.settings, tmp_path) as desk:
        for fault, skip in tried:
            accept_one(desk, store, fault, skip)
    record_property("S-18 files on the whole way", f"{len(tried)} of {len(tried)} accepted once")


def accept_one(desk: Desk, store: Faulty, fault: Fault, skip: int) -> None:
    met = store.proxy.met
    dropped = desk.drop(desk.campaign(rows=20, seed=1 + met)[0], f"{1 + met}.csv")
    store.proxy.arm(fault, skip)
    desk.work()
    line = desk.line(dropped)
    assert (line.decision, line.receipt_at is not None, store.proxy.met) == ("accepted", True, met + 1), (fault, skip)
    for bucket, ending in ((desk.settings.bucket_lake, "part-0.parquet"), (desk.settings.bucket_exchange, ".json")):
        kept = [item for item in store.direct.list_versions(bucket, "energy01/") if line.id in item.key]
        assert len([item for item in kept if item.key.endswith(ending)]) >= 1, (fault, skip, ending)
        assert len({item.key for item in kept}) == len(kept), (fault, skip, "no second version")


@pytest.mark.evidence
def test_an_object_that_is_replaced_while_it_is_read_is_one_version(store, tmp_path, record_property):
    """The answer is cut in its middle and the object replaced before the client can go on."""
    torn, met = 0, store.proxy.met
    for number in range(TORN):
        key = f"read/{number}"
        old = store.direct.put(store.bucket, key, OLD, "x")
        store.proxy.between = partial(store.direct.put, store.bucket, key, NEW, "x")
        store.proxy.arm(Fault.CUT, method="GET")
        fetched = store.through.fetch(store.bucket, key, old.version_id, tmp_path / "fetched")
        assert fetched.sha256 == old.sha256 == hashlib.sha256((tmp_path / "fetched").read_bytes()).hexdigest()
        store.proxy.arm(Fault.CUT, method="GET")
        assert store.through.read(store.bucket, key, old.version_id) == OLD
        store.direct.put(store.bucket, key, OLD, "x")
        store.proxy.arm(Fault.CUT, method="GET")
        torn += len(set(in_ranges(store, key))) > 1
    assert store.proxy.met - met == 3 * TORN
    assert torn >= 1
    record_property("S-19 replaced while it was read: hash of one version", f"{2 * TORN} of {2 * TORN}")
    record_property("S-19 control: ranges without a version id", f"{torn} of {TORN} torn")


def in_ranges(store: Faulty, key: str) -> bytes:
    """What a reader gets that goes on where it was cut, of whatever lies there now."""
    body = store.through._client.get_object(Bucket=store.bucket, Key=key)["Body"]
    read = bytearray()
    try:
        for chunk in body.iter_chunks(1 << 16):
            read += chunk
    except BotoCoreError:
        rest = store.through._client.get_object(Bucket=store.bucket, Key=key, Range=f"bytes={len(read)}-")
        read += rest["Body"].read()
    return bytes(read)
