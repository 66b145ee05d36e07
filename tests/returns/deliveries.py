"""Delivered returns as the delivering effect leaves them, and principals that answer with their own keys."""

import hashlib
import itertools
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from botocore.exceptions import ClientError

from sluice.exchange.house import House, open_house
from sluice.services import seaweed
from support.desk import Desk
from support.stores import s3_client

T = TypeVar("T")
PRINCIPALS = ("energy01", "telecom01")
DAY = timedelta(days=1)
DAYS = (date(2020, 1, 1) + number * DAY for number in itertools.count())


@dataclass(frozen=True)
class Delivered:
    """One return, and what its principal needs to acknowledge it."""

    exchange_id: str
    sha256: str

    def ack(self, **other: str) -> bytes:
        """The JSON that acknowledges it; ``other`` overwrites a key."""
        return json.dumps({"exchange": self.exchange_id, "sha256": self.sha256, **other}).encode()


def deliver(
    desk: Desk,
    principal: str = "energy01",
    ago: timedelta = timedelta(minutes=1),
    *,
    day: date | None = None,
    decision: str = "accepted",
    is_written_down: bool = True,
) -> Delivered:
    """A return of ``principal`` delivered ``ago``, due a day and escalated three days later.

    ``day``: of its contacts; else one that no other return has.
    """
    content, at = uuid.uuid4().bytes, datetime.now(UTC) - ago
    exchange_id, sha256 = str(uuid.uuid4()), hashlib.sha256(content).hexdigest()
    bucket, key = desk.settings.bucket_exchange, f"{principal}/outbound/campaign_results/{exchange_id}.csv"
    desk.house.objects.put_once(bucket, key, content, "text/csv")
    conn = desk.house.conn
    conn.execute(
        """insert into exchange (exchange_id, principal, direction, flow, bucket, key, version_id, size_bytes, chain,
               opened_at, decision, closed_at, sha256, rows_in, rows_accepted, rows_refused, day, said_id)
           values (%s, %s, 'outbound_return', 'campaign_results', %s, %s, 'v', 16, %s, %s, %s, %s, %s, 0, 0, 0, %s,
               sluice.said_id_of('{}'))""",
        (
            exchange_id,
            principal,
            bucket,
            key,
            f"DPA-{principal.upper()}",
            at,
            decision,
            None if decision == "open" else at,
            sha256,
            day or next(DAYS),
        ),
    )
    if is_written_down:
        conn.execute(
            "insert into acknowledgement (exchange_id, delivered_at, due_at, escalate_at) values (%s, %s, %s, %s)",
            (exchange_id, at, at + DAY, at + 3 * DAY),
        )
    return Delivered(exchange_id, sha256)


OF_THE_TEST = "appended_at >= current_setting('tests.began')::timestamptz"
"""Of entries of the ledger."""


def cleared(desk: Desk) -> Desk:
    """A desk of several tests, at which nothing waits for an acknowledgement, no file lies and no notice."""
    bucket, url = desk.settings.bucket_exchange, desk.settings.database_admin_url
    for item in desk.objects(bucket):
        if "/acks/" in item.key or "/notices/" in item.key:
            desk.house.objects.delete_version(bucket, item.key, item.version_id)
    assert url is not None
    with psycopg.connect(url.get_secret_value()) as admin:
        admin.execute("truncate sluice.ack_file, sluice.acknowledgement cascade")
    desk.house.conn.execute("select set_config('tests.began', clock_timestamp()::text, false)")
    return desk


def at_once(desk: Desk, *works: Callable[[House], T]) -> list[T]:
    """What workers give that start at the same moment, each with its own connections."""
    start = threading.Barrier(len(works))

    def one(work: Callable[[House], T]) -> T:
        with open_house(desk.settings) as house:
            start.wait()
            return work(house)

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(one, works))


@dataclass(frozen=True)
class Shop:
    """A principal's own tools: its key, and nothing of the center's."""

    name: str
    client: Any
    bucket: str

    def put(self, name: str, content: bytes = b"") -> str:
        """Put a file under acks/ and return its version."""
        return str(
            self.client.put_object(Bucket=self.bucket, Key=f"{self.name}/acks/{name}", Body=content)["VersionId"]
        )

    def notice(self, name: str) -> Mapping[str, Any]:
        """A notice as the principal reads it."""
        answer = self.client.get_object(Bucket=self.bucket, Key=f"{self.name}/notices/{name}.json")
        return dict(json.loads(answer["Body"].read()))

    def notices(self) -> list[str]:
        found = self.client.list_objects_v2(Bucket=self.bucket, Prefix=f"{self.name}/notices/")
        return sorted(each["Key"].rsplit("/", 1)[-1].removesuffix(".json") for each in found.get("Contents", ()))


@contextmanager
def open_shops(desk: Desk, var: Path) -> Iterator[Mapping[str, Shop]]:
    """A shop per principal, once the store, whose folder is ``var``, knows their keys."""
    bucket, endpoint = desk.settings.bucket_exchange, desk.settings.s3_endpoint
    seaweed.write_identities(var, bucket, PRINCIPALS)
    keys = {name: seaweed.credential(var, name) for name in PRINCIPALS}
    shops = {n: Shop(n, s3_client(endpoint, key.access_key, key.secret_key), bucket) for n, key in keys.items()}
    for shop in shops.values():
        _wait_for(shop)
    yield shops
    seaweed.write_identities(var, bucket, ())


def _wait_for(shop: Shop) -> None:
    """The store reads its list of keys a moment after it was told to."""
    deadline = time.monotonic() + 60
    while True:
        try:
            shop.notices()
            return
        except ClientError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
