"""The demo's story: drop files as the principals, wait for the DAGs, and check the evidence.

Everything goes the same way as in production: S3 in, Airflow in between, S3 out. The checks at the end use what a
principal or an auditor has: files, a public key, another process.
"""

import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from pydantic import SecretStr

from sluice.db import connect
from sluice.demo.files import Drop
from sluice.demo.forged import rewritten
from sluice.errors import Ref, SluiceError, StoreError
from sluice.exchange.anchor import anchor_ledger, read_anchors
from sluice.exchange.house import House, open_house
from sluice.exchange.read import ExchangeLine, find_by_versions, get_accepted
from sluice.lake.s3.objects import ObjectStore
from sluice.ledger.store import read_checkpoints, read_heads, snapshot, stream_entries
from sluice.ledger.verify import verify, verify_entries
from sluice.lineage.check import check_event
from sluice.lineage.model import EventInvalid
from sluice.media_types import CSV
from sluice.services.seaweed import credential, secret_path
from sluice.settings import Settings

WAIT_SECONDS = 240


class DemoUnfinished(SluiceError):
    code = "SLU-121"
    summary = "not all files of the demo came to their end in time"
    cure = "see `sluice exchange list` and the logs that `sluice status` names"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of evidence: what was checked, the result, and whether it is as it must be."""

    name: str
    figure: str
    holds: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one drop."""

    drop: Drop
    line: ExchangeLine
    seconds: float

    @property
    def as_told(self) -> bool:
        code = self.line.reason_code or ""
        return self.drop.decision in (None, self.line.decision) and code.startswith(self.drop.code or "")


Dropped = dict[str, tuple[Drop, datetime]]
"""Drops with the moment they were put, by version id."""


def put(settings: Settings, drops: Sequence[Drop]) -> Dropped:
    """Put every file with its principal's own key, or with the center's for those without one."""
    versions: Dropped = {}
    for drop in drops:
        objects, at = ObjectStore(as_principal(settings, drop.principal)), datetime.now(UTC)
        stored = objects.put(settings.bucket_exchange, drop.key, drop.path, CSV)
        versions[stored.version_id] = (drop, at)
    return versions


def as_principal(settings: Settings, principal: str) -> Settings:
    """Return the settings with one principal's S3 key, if the embedded server knows it."""
    if not secret_path(settings.var, principal).exists():
        return settings
    key = credential(settings.var, principal)
    return settings.model_copy(
        update={"s3_access_key": SecretStr(key.access_key), "s3_secret_key": SecretStr(key.secret_key)}
    )


def wait(settings: Settings, versions: Dropped, tick: Callable[[int], None]) -> list[Outcome]:
    """Wait until every file has its decision and receipt; ``tick`` gets how many have. Raises DemoUnfinished."""
    deadline = time.monotonic() + WAIT_SECONDS
    with connect(settings) as conn:
        while time.monotonic() < deadline:
            lines = find_by_versions(conn, list(versions))
            done = {version: line for version, line in lines.items() if line.receipt_at and not line.waiting_effects}
            tick(len(done))
            if len(done) == len(versions):
                return [_outcome(*versions[version], line) for version, line in done.items()]
            time.sleep(0.5)
    raise DemoUnfinished(Ref("open", len(versions)))


def _outcome(drop: Drop, at: datetime, line: ExchangeLine) -> Outcome:
    assert line.receipt_at is not None
    return Outcome(drop, line, (line.receipt_at - at).total_seconds())


def fetch_receipts(settings: Settings, outcomes: Sequence[Outcome], folder: Path) -> list[Path]:
    """Download every receipt, PDF and the public key as the principal would."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for outcome in outcomes:
        objects = ObjectStore(as_principal(settings, outcome.drop.principal))
        stem = f"{outcome.drop.principal}/receipts/{outcome.line.flow}/{outcome.line.id}"
        for ending in ("json", "pdf"):
            path = folder / f"{outcome.drop.name}.{outcome.line.id[:8]}.{ending}"
            path.write_bytes(objects.read(settings.bucket_exchange, f"{stem}.{ending}"))
        found.append(path.with_suffix(".json"))
        key = objects.read(settings.bucket_exchange, f"{outcome.drop.principal}/receipts/receipt-key.pem")
        (folder / "receipt-key.pem").write_bytes(key)
    return found


def example_of(outcomes: Sequence[Outcome]) -> str:
    """Return the beginning of the number of an exchange to look at, with accepted rows if there is one."""
    return max(outcomes, key=lambda outcome: bool(outcome.line.rows_accepted)).line.id[:8]


def checks(
    settings: Settings, outcomes: Sequence[Outcome], receipts: Sequence[Path], others: Sequence[str] = ()
) -> Iterator[Check]:
    """Yield the evidence, each line with a control that shows it could have failed. ``others``: more exchanges."""
    yield Check(
        "exchanges ended as told",
        f"{sum(o.as_told for o in outcomes)} of {len(outcomes)}",
        all(o.as_told for o in outcomes),
    )
    yield from _receipt_checks(receipts)
    with open_house(settings) as house:
        anchor_ledger(house, datetime.now(UTC))
        yield from _ledger_checks(house)
        yield from _data_checks(house, outcomes)
    yield from _lineage_checks(settings, {*(o.line.id for o in outcomes), *others})
    yield from _isolation_checks(settings)


def _receipt_checks(receipts: Sequence[Path]) -> Iterator[Check]:
    """Verify the receipts in another process with an empty environment: from only the files and the public key."""
    with tempfile.TemporaryDirectory(prefix="sluice-demo-") as name:
        copied, forged = Path(name) / "copied.json", Path(name) / "forged.json"
        copied.write_bytes(rewritten(receipts[0].read_bytes()))
        forged.write_bytes(rewritten(receipts[0].read_bytes(), _one_row_more))
        *whole, same, other = _verified([*receipts, copied, forged], receipts[0].with_name("receipt-key.pem"))
    holds = [bool(each["valid"]) for each in whole]
    yield Check("receipts that verify offline", f"{sum(holds)} of {len(receipts)}", all(holds))
    is_refused = bool(same["valid"]) and not other["valid"] and str(other["why"]).startswith("signature")
    yield Check("a forged receipt is refused", "refused" if is_refused else "ACCEPTED", is_refused)


def _one_row_more(said: dict[str, Any]) -> None:
    said["rows"]["accepted"] += 1


def _verified(paths: Sequence[Path], key: Path) -> list[dict[str, Any]]:
    """Return what the command says of each receipt. If it says fewer than asked, none counts as valid."""
    done = subprocess.run(
        [sys.executable, "-m", "sluice.cli.main", "receipt", "verify", "-", "--key", str(key), "--format", "json"],
        env={"PATH": os.defpath, "HOME": str(key.parent)},
        cwd=key.parent,
        input="".join(f"{path}\n" for path in paths),
        capture_output=True,
        text=True,
        check=False,
    )
    said = [json.loads(line) for line in done.stdout.splitlines()]
    return said if len(said) == len(paths) else [{"valid": False, "why": None}] * len(paths)


def _ledger_checks(house: House) -> Iterator[Check]:
    public, anchors = house.keyring.public_pem, read_anchors(house)
    report = verify(house.conn, public_pem=public, anchors=anchors)
    yield Check("ledger verified", f"{report.entries} entries, head {report.head[:12]}", report.valid)
    with snapshot(house.conn):
        entries, heads = list(stream_entries(house.conn)), read_heads(house.conn)
        checkpoints = read_checkpoints(house.conn)
    entries[len(entries) // 2] = replace(entries[len(entries) // 2], body=entries[len(entries) // 2].body + b" ")
    tampered = verify_entries(entries, heads, checkpoints, public=house.keyring.public, anchors=anchors)
    bad = tampered.first_bad
    where = f"caught at {bad.chain} #{bad.seq}" if bad else "NOT CAUGHT"
    yield Check("one byte changed in a copy of the ledger", where, not tampered.valid)


def _data_checks(house: House, outcomes: Sequence[Outcome]) -> Iterator[Check]:
    accepted = [o.line for o in outcomes if o.line.rows_accepted]
    places = [get_accepted(house.conn, line.id) for line in accepted]
    contents = (house.objects.read(place.bucket, place.key, place.version_id) for place in places)
    rows = sum(pq.ParquetFile(io.BytesIO(content)).metadata.num_rows for content in contents)
    wanted = sum(line.rows_accepted or 0 for line in accepted)
    yield Check("rows in the lake = rows accepted", f"{rows:,} = {wanted:,}", rows == wanted)
    lines = [o.line for o in outcomes]
    sums = [(line.rows_in or 0) - (line.rows_accepted or 0) - (line.rows_refused or 0) for line in lines]
    yield Check("rows in = accepted + refused", f"{len(sums) - sum(map(bool, sums))} of {len(sums)}", not any(sums))


def _lineage_checks(settings: Settings, exchanges: Set[str]) -> Iterator[Check]:
    if not (settings.lineage_url or "").startswith("file://"):
        return
    lines = Path((settings.lineage_url or "").removeprefix("file://")).read_text().splitlines()
    events = [line for line in lines if json.loads(line)["run"]["runId"] in exchanges]
    valid = sum(map(_is_valid, events))
    yield Check("OpenLineage events valid", f"{valid} of {len(events)}", valid == len(events) > 0)


def _is_valid(event: str) -> bool:
    try:
        check_event(event)
    except EventInvalid:
        return False
    return True


def _isolation_checks(settings: Settings) -> Iterator[Check]:
    """Try energy01's key on telecom01's prefix: nothing may be read, listed or written."""
    stranger = ObjectStore(as_principal(settings, "energy01"))
    bucket, refused = settings.bucket_exchange, 0
    attempts: tuple[Callable[[], object], ...] = (
        lambda: stranger.read(bucket, "telecom01/receipts/receipt-key.pem"),
        lambda: list(stranger.list_versions(bucket, "telecom01/")),
        lambda: stranger.put(bucket, "telecom01/inbound/subscriber_base/x.csv", b"x", CSV),
    )
    for attempt in attempts:
        try:
            attempt()
        except StoreError:
            refused += 1
    yield Check("energy01 in telecom01's prefix", f"{refused} of {len(attempts)} refused", refused == len(attempts))
