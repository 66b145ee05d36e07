"""Put what was judged into the stores: accepted rows to the lake, the rest sealed to the vault.

Every key is a function of the exchange, so a rerun finds what it wrote and goes on. Nothing here
makes data visible: that takes the commit (close.py) and the receipt (effects.py).
"""

from datetime import date, datetime, time, timedelta
from pathlib import Path

from sluice.agreement.model import Agreement, DataContract, RetentionRule
from sluice.exchange.house import House
from sluice.exchange.model import Judged, Kept, decision_of
from sluice.exchange.naming import BRUSSELS, index_key, lake_key, vault_key, withheld_unless_safe
from sluice.lake.objects import StoredObject
from sluice.lake.quarantine import seal
from sluice.ledger.record import CopyLine
from sluice.terms import Decision

PARQUET, CSV, SEALED = "application/vnd.apache.parquet", "text/csv", "application/octet-stream"
DUPLICATE = "DUPLICATE_CONTENT"


def keep(house: House, judged: Judged) -> Kept:
    """Store the outcome of one judged exchange and list every copy with its last day."""
    received = judged.opened.opened_at.astimezone(BRUSSELS).date()
    copies = [_arrived(house, judged, received)]
    if decision_of(judged.verdict) in (Decision.ACCEPTED, Decision.PARTLY_ACCEPTED):
        copies += _accepted(house, judged, received)
    elif judged.fetched is not None and not _is_duplicate(judged):
        copies.append(_sealed(house, judged, "quarantine.file", judged.fetched.path, None, received))
    copies += _refused(house, judged, received)
    return Kept(judged, tuple(copies))


def _is_duplicate(judged: Judged) -> bool:
    return any(reason.code == DUPLICATE for reason in judged.verdict.reasons)


def _arrived(house: House, judged: Judged, received: date) -> CopyLine:
    """The file as the principal dropped it: kept for a while, then removed by retention."""
    opened = judged.opened
    return CopyLine(
        kind="arrived",
        bucket=opened.bucket,
        key=withheld_unless_safe(opened.key),
        version_id=opened.version_id,
        sha256=judged.fetched.sha256 if judged.fetched else "",
        size_bytes=opened.size_bytes,
        retention_rule="arrived",
        delete_after=str(received + timedelta(days=house.settings.keep_arrived_days)),
    )


def _accepted(house: House, judged: Judged, received: date) -> list[CopyLine]:
    opened, bucket = judged.opened, house.settings.bucket_lake
    assert judged.agreement is not None and judged.contract is not None  # nothing is accepted without paper
    rule, delete_after = shortest_retention(judged.agreement, judged.contract, received)
    lake = house.objects.put_converging(
        bucket, lake_key(opened, "part-0.parquet"), judged.folder / "accepted.parquet", PARQUET
    )
    copies = [_line("lake", lake, judged.verdict.rows_accepted, rule, delete_after)]
    index = judged.folder / "index.parquet"
    if index.exists():
        run = house.objects.put_converging(bucket, index_key(opened), index, PARQUET)
        copies.append(_line("index", run, None, rule, delete_after))
    return copies


def _refused(house: House, judged: Judged, received: date) -> list[CopyLine]:
    """Refused rows, sealed; and the list of all findings (row, rule, code, column) for the principal."""
    copies = []
    for name in ("refused_rows.parquet", "refused_records.parquet"):
        if (judged.folder / name).exists():
            kind = f"quarantine.{name.removeprefix('refused_').removesuffix('.parquet')}"
            copies.append(_sealed(house, judged, kind, judged.folder / name, judged.verdict.rows_refused, received))
    report = judged.folder / "findings.csv"
    if report.exists():
        stored = house.objects.put_converging(
            house.settings.bucket_vault, vault_key(judged.opened, "findings.csv"), report, CSV
        )
        copies.append(_line("findings", stored, None, "quarantine", _quarantine_end(house, received)))
    return copies


def _sealed(house: House, judged: Judged, kind: str, source: Path, rows: int | None, received: date) -> CopyLine:
    """Encrypt and store. age draws fresh randomness, so a rerun's bytes differ and replace the first ones."""
    name = f"{source.stem if kind != 'quarantine.file' else 'file'}.age"
    sealed = seal(source, judged.folder / name, house.keyring, judged.opened.principal)
    stored = house.objects.put_converging(house.settings.bucket_vault, vault_key(judged.opened, name), sealed, SEALED)
    return _line(kind, stored, rows, "quarantine", _quarantine_end(house, received))


def _quarantine_end(house: House, received: date) -> date:
    return received + timedelta(days=house.settings.keep_quarantine_days)


def _line(kind: str, stored: StoredObject, rows: int | None, rule: str | None, delete_after: date | None) -> CopyLine:
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


def shortest_retention(agreement: Agreement, contract: DataContract, received: date) -> tuple[str | None, date | None]:
    """The rule among the contract's fields that ends first, and its day.

    Rules that start at an event that has not happened (the end of a contract) give no day yet.
    """
    used = {field.retention_rule for field in contract.fields}
    rules = [rule for rule in agreement.retention_rules if rule.code in used]
    dated = [(day, rule.code) for rule in rules if (day := end_of(rule, received, agreement.valid_to))]
    if not dated:
        return (rules[0].code if rules else None), None
    day, code = min(dated)
    return code, day


def end_of(rule: RetentionRule, received: date, contract_end: date | None) -> date | None:
    """Last day of a copy under one rule; None while its start event has no date."""
    from isoduration import parse_duration

    start = {"received": received, "contract_end": contract_end}.get(rule.start_event)
    if start is None:
        return None
    end: datetime = datetime.combine(start, time()) + parse_duration(rule.duration)
    return end.date()
