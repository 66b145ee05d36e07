"""One inbound file from its prefix to its receipt, on a real PostgreSQL and a real S3.

Ours is what trigger and slot do: open, download, judge in the child, ask Great Expectations again, store
lake object, index run and sealed rows, append to the ledger, sign and write the receipt. The slot is warm.
FLOOR + transfer downloads, scans to Parquet and uploads. The naive design adds to its processing (see
inbound.py) one download, two uploads, one insert and one signed JSON; it is measured once.
"""

import hashlib
import io
import json
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import SecretStr

from bench import BenchRow, Cost, cost, cost_in_child, inbound, median, progress
from bench.stores import an_installation
from sluice.agreement.in_force.activate import activate_all
from sluice.exchange.drain import drain_all
from sluice.exchange.house import House, open_house
from sluice.exchange.read import find_by_versions
from sluice.gate.gx import great_expectations
from sluice.lake.s3.objects import StoredObject
from sluice.settings import Settings
from sluice.terms import Decision

ROUNDS = 3
WARM_ROWS = 1_000
PREFIX = "energy01/inbound/renewal_campaign"
KEEPS_ROWS = {Decision.ACCEPTED, Decision.PARTLY_ACCEPTED}
TABLE = (
    "create table public.naive (record jsonb); grant usage on schema public to sluice_app; "
    "grant insert on public.naive to sluice_app"
)


def rows(size: int) -> Iterator[BenchRow]:
    """Wall against the floor with its transfers, and what is saved against the naive design."""
    with an_installation() as settings, tempfile.TemporaryDirectory(prefix="sluice-bench-") as name:
        dropped, base, found = _floor_and_ours(settings, Path(name), size)
        with psycopg.connect(_dsn(settings.database_admin_url)) as admin:
            admin.execute(TABLE)
        slow = cost_in_child(partial(naive, settings, dropped), ready=great_expectations)
    yield from _rows(base, found, slow)


def _floor_and_ours(settings: Settings, folder: Path, size: int) -> tuple[StoredObject, Cost, Cost]:
    """Medians, and the last file. Every round has a file of its own: the same one would be a duplicate."""
    costs = []
    with open_house(settings) as house:
        activate_all(house.conn, settings.principals_dir, datetime.now(UTC))
        ours(house, _drop(house, folder, WARM_ROWS, 0))
        for number in range(1, ROUNDS + 1):
            dropped = _drop(house, folder, size, number)
            progress(f"exchange: floor and ours, round {number} of {ROUNDS}")
            base = cost(partial(floor, settings, dropped, folder / "floor.csv"))
            costs.append((base, cost(partial(ours, house, dropped))))
    return dropped, median([first for first, _ in costs]), median([second for _, second in costs])


def _drop(house: House, folder: Path, size: int, number: int) -> StoredObject:
    """A campaign in the inbound prefix, with 1.7 % bad rows."""
    source = inbound.written(folder, size, inbound.SEED + number)
    try:
        return house.objects.put(house.settings.bucket_exchange, f"{PREFIX}/{source.name}", source, "text/csv")
    finally:
        source.unlink()


def _rows(base: Cost, found: Cost, slow: Cost) -> Iterator[BenchRow]:
    floor_text = f"FLOOR + transfer {base.wall_s:.2f} s wall; ours {found.wall_s:.2f} s"
    naive_text = f"naive design {slow.wall_s:.1f} s wall, {slow.peak_mb or 0:.0f} MB; ours {found.wall_s:.2f} s"
    what = "S3 to receipt: wall"
    yield BenchRow("exchange", what, found.wall_s / base.wall_s, "x", floor_text, goal=1.8, at_least=False)
    yield BenchRow("exchange", f"{what} saved", slow.wall_s / found.wall_s, "x", naive_text, goal=20)


def ours(house: House, dropped: StoredObject) -> None:
    """The product's own path; a refused file would be too cheap, and one without receipt not done."""
    drain_all(house)
    line = find_by_versions(house.conn, [dropped.version_id])[dropped.version_id]
    if line.decision not in KEEPS_ROWS or line.receipt_at is None or line.waiting_effects:
        raise RuntimeError(f"not measured: {line.decision}, {line.reason_code}, {line.last_error}")


def floor(settings: Settings, dropped: StoredObject, source: Path) -> None:
    """The least that can be done: fetch, scan to Parquet, store."""
    s3 = _s3(settings)
    s3.download_file(dropped.bucket, dropped.key, str(source))
    inbound.floor(source)
    s3.upload_file(str(source.with_suffix(".parquet")), settings.bucket_lake, "bench/floor.parquet")


def naive(settings: Settings, dropped: StoredObject) -> None:
    """The same end to end as a careful pandas user writes it: everything in memory, one step after the other."""
    s3, parquet = _s3(settings), io.BytesIO()
    progress("naive: downloading")
    body = s3.get_object(Bucket=dropped.bucket, Key=dropped.key)["Body"].read()
    frame = inbound.naive_frame(io.BytesIO(body))
    frame.to_parquet(parquet, compression="zstd")
    s3.put_object(Bucket=settings.bucket_lake, Key="bench/naive.parquet", Body=parquet.getvalue())
    record = {"key": dropped.key, "sha256": hashlib.sha256(body).hexdigest(), "rows": len(frame)}
    with psycopg.connect(_dsn(settings.database_url)) as conn:
        conn.execute("insert into public.naive (record) values (%s)", [json.dumps(record)])
    signature = Ed25519PrivateKey.generate().sign(json.dumps(record).encode()).hex()
    receipt = json.dumps(record | {"signature": signature}).encode()
    s3.put_object(Bucket=settings.bucket_exchange, Key="bench/receipt.json", Body=receipt)


def _s3(settings: Settings) -> Any:
    import boto3

    assert settings.s3_access_key is not None and settings.s3_secret_key is not None
    return boto3.client(
        "s3",
        endpoint_url=settings.s3_endpoint,
        region_name=settings.s3_region,
        aws_access_key_id=settings.s3_access_key.get_secret_value(),
        aws_secret_access_key=settings.s3_secret_key.get_secret_value(),
    )


def _dsn(url: SecretStr | None) -> str:
    assert url is not None
    return url.get_secret_value()
