"""Put what was judged into the stores: accepted rows to the lake, the rest sealed to the vault.

Every key is a function of the exchange, so a rerun finds what it wrote and goes on. Nothing here
makes data visible: that takes the commit (close.py) and the receipt (``effects/run.py``).
"""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from sluice.exchange.house import House
from sluice.exchange.judging.rest_index import REST_FILE
from sluice.exchange.last_days import AS_IT_CAME, QUARANTINED, LastDay, shortest_retention, sooner
from sluice.exchange.model import Judged, Kept
from sluice.exchange.naming import index_key, lake_key, vault_key, withheld_unless_safe
from sluice.lake.quarantine import seal
from sluice.lake.s3.objects import StoredObject
from sluice.ledger.copy_kinds import (
    ARRIVED,
    FINDINGS,
    HELD_ROWS,
    INDEX,
    LAKE,
    REFUSED_FILE,
    REFUSED_RECORDS,
    REFUSED_ROWS,
    REST,
)
from sluice.ledger.record import CopyLine
from sluice.media_types import CSV, OCTETS, PARQUET
from sluice.terms import ACCEPTED_DECISIONS, Direction
from sluice.times import brussels_day

AS_MADE = "application/vnd.sluice.made"
"""Media type of a file that waits to go out. SeaweedFS packs text and octets, and would have to unpack them to copy
them."""
DUPLICATE = "DUPLICATE_CONTENT"


@dataclass(frozen=True, slots=True)
class Days:
    """The last days of what one exchange leaves.

    ``rule``: the shortest one of its contract, if its paper is known.
    """

    rule: LastDay
    arrived: LastDay
    sealed: LastDay
    findings: LastDay
    """The list of findings contains no cell of the file, so no retention rule of a field applies to it."""

    @property
    def rest(self) -> LastDay:
        """For the index of who is in the arrived file and in what was sealed of it: it stays until both are gone."""
        return max(self.sealed, self.arrived, key=lambda last: last[1] or date.max)


def keep(house: House, judged: Judged) -> Kept:
    """Store the outcome of one judged exchange and list every copy with its last day."""
    days = _days(house, judged)
    copies = [_arrived(judged, days)]
    if judged.decision in ACCEPTED_DECISIONS:
        copies += _accepted(house, judged, days)
    elif judged.fetched is not None and not _is_duplicate(judged):
        copies.append(_sealed(house, judged, REFUSED_FILE, judged.fetched.path, None, days))
    copies += _refused(house, judged, days)
    return Kept(judged, tuple(copies))


def _days(house: House, judged: Judged) -> Days:
    """Compute the last days for one exchange.

    The rules of its paper also apply to a file that is refused or that nobody could judge: it holds the same fields.
    """
    received = brussels_day(judged.opened.received_at)
    rule: LastDay = None, None
    if judged.agreement is not None and judged.contract is not None:
        rule = shortest_retention(judged.agreement, judged.contract, starts_of(judged, received))
    quarantine = received + timedelta(days=house.settings.keep_quarantine_days)
    return Days(
        rule=rule,
        arrived=sooner(AS_IT_CAME, received + timedelta(days=house.settings.keep_arrived_days), rule),
        sealed=sooner(QUARANTINED, quarantine, rule),
        findings=(QUARANTINED, quarantine),
    )


def _is_duplicate(judged: Judged) -> bool:
    return any(reason.code == DUPLICATE for reason in judged.verdict.reasons)


def _arrived(judged: Judged, days: Days) -> CopyLine:
    """The file as the principal dropped it: kept for a while, then removed by retention."""
    opened, (rule, last_day) = judged.opened, days.arrived
    return CopyLine(
        kind=ARRIVED,
        bucket=opened.bucket,
        key=withheld_unless_safe(opened.key, opened.flow),
        version_id=opened.version_id,
        sha256=judged.fetched.sha256 if judged.fetched else "",
        size_bytes=opened.size_bytes,
        retention_rule=rule,
        delete_after=str(last_day),
    )


def _accepted(house: House, judged: Judged, days: Days) -> list[CopyLine]:
    opened, bucket = judged.opened, house.settings.bucket_lake
    lake = house.objects.put_converging(
        bucket, lake_key(opened, "part-0.parquet"), judged.folder / "accepted.parquet", PARQUET
    )
    copies = [copy_line(LAKE, lake, judged.verdict.rows_accepted - sum(judged.held.values()), *days.rule)]
    index = judged.folder / "index.parquet"
    if index.exists():
        run = house.objects.put_converging(bucket, index_key(opened), index, PARQUET)
        copies.append(copy_line(INDEX, run, None, *days.rule))
    return copies


def starts_of(judged: Judged, received: date) -> dict[str, date]:
    """Return the Brussels days that a retention rule of an arrived file can start at.

    Agents' results are kept by their newest call. A call is never taken as newer than its file, so a wrong year keeps
    nothing for longer. Where no row has a day, the day of receipt counts as that of the call.
    """
    if judged.opened.direction is not Direction.INTERNAL:
        return {"received": received}
    days = judged.sighting.days if judged.sighting else {}
    newest = max(map(date.fromisoformat, days), default=received)
    return {"received": received, "call": min(newest, received)}


def _refused(house: House, judged: Judged, days: Days) -> list[CopyLine]:
    """Store what was not accepted, apart from a whole refused file.

    That is refused and held rows, sealed; the list of all findings (row, rule, code, column) for the principal; and the
    index of who is in them.
    """
    import pyarrow.parquet as pq

    copies = []
    for name, kind in (
        ("refused_rows", REFUSED_ROWS),
        ("refused_records", REFUSED_RECORDS),
        ("held_rows", HELD_ROWS),
    ):
        if (source := judged.folder / f"{name}.parquet").exists():
            rows = pq.read_metadata(source).num_rows
            copies.append(_sealed(house, judged, kind, source, rows, days))
    report = judged.folder / "findings.csv"
    if report.exists():
        stored = house.objects.put_converging(
            house.settings.bucket_vault, vault_key(judged.opened, "findings.csv"), report, CSV
        )
        copies.append(copy_line(FINDINGS, stored, None, *days.findings))
    rest = judged.folder / REST_FILE
    if rest.exists():
        key = index_key(judged.opened, ".rest")
        run = house.objects.put_converging(house.settings.bucket_lake, key, rest, PARQUET)
        copies.append(copy_line(REST, run, None, *days.rest))
    return copies


def _sealed(house: House, judged: Judged, kind: str, source: Path, rows: int | None, days: Days) -> CopyLine:
    """Encrypt and store. age draws fresh randomness, so a rerun's bytes differ and replace the first ones."""
    name = f"{source.stem if kind != REFUSED_FILE else 'file'}.age"
    sealed = seal(source, judged.folder / name, house.keyring, judged.opened.principal)
    stored = house.objects.put_converging(house.settings.bucket_vault, vault_key(judged.opened, name), sealed, OCTETS)
    return copy_line(kind, stored, rows, *days.sealed)


def copy_line(
    kind: str, stored: StoredObject, rows: int | None, rule: str | None, delete_after: date | None
) -> CopyLine:
    """Return the line of one stored object for the record."""
    return CopyLine(
        kind=kind,
        bucket=stored.bucket,
        key=stored.key,
        version_id=stored.version_id,
        sha256=stored.sha256 or "",
        size_bytes=stored.size_bytes,
        rows=rows,
        retention_rule=rule,
        delete_after=str(delete_after) if delete_after else None,
    )
