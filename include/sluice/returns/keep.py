"""Put the parts of a return where only the center reaches them, under keys that are functions of its exchange."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

from sluice.agreement.model import Paper
from sluice.errors import DocumentInvalid, Ref
from sluice.exchange.deliver import RETURN
from sluice.exchange.house import House
from sluice.exchange.keep import CSV, PARQUET, SEALED, line, shortest_retention
from sluice.exchange.model import Opened
from sluice.exchange.naming import BRUSSELS, index_key, return_key, vault_key
from sluice.exchange.rest import REST
from sluice.lake.pgp import encrypt_to
from sluice.ledger.record import CopyLine, is_after_end
from sluice.returns.make import FILE, FINDINGS, HELD
from sluice.returns.making import Making


def keep_return(house: House, opened: Opened, paper: Paper, making: Making, folder: Path) -> tuple[CopyLine, ...]:
    """Store the file (encrypted if the agreement asks), and what the supervisor needs: held rows, findings."""
    return (*_file(house, opened, paper, making, folder), *_lists(house, opened, making, folder))


def _file(house: House, opened: Opened, paper: Paper, making: Making, folder: Path) -> Iterator[CopyLine]:
    if making.written is None:
        return
    rule, last_day = _retention(house, opened, paper)
    source = encrypted(house, paper, folder, opened.opened_at)
    bucket, key = house.settings.bucket_lake, return_key(opened, opened.file_name)
    stored = house.objects.put_converging(bucket, key, source, SEALED)
    yield line(RETURN, stored, making.verdict.rows_accepted, rule, last_day)
    for kind, run in making.runs:
        key = index_key(opened, ".rest" if kind == REST else "")
        yield line(kind, house.objects.put_converging(bucket, key, run, PARQUET), None, rule, last_day)


def _retention(house: House, opened: Opened, paper: Paper) -> tuple[str | None, date | None]:
    """Rule and last day of a return; what goes back once the agreement ended stays as long as what is delivered."""
    made = opened.opened_at.astimezone(BRUSSELS).date()
    if is_after_end(opened.direction, opened.version_id):
        return "arrived", made + timedelta(days=house.settings.keep_arrived_days)
    starts = {"received": made, "delivered": made, "call": opened.day}
    return shortest_retention(paper.agreement, paper.contract, starts)


def encrypted(house: House, paper: Paper, folder: Path, now: datetime) -> Path:
    """The finished file of a folder, encrypted to its principal where the agreement asks. Raises DocumentInvalid."""
    pinned = paper.agreement.delivery.pgp
    if pinned is None:
        return folder / FILE
    certificate = house.settings.principals_dir / paper.agreement.principal / pinned.file
    if not certificate.is_file():
        raise DocumentInvalid(Ref("file", pinned.file), Ref("agreement", paper.agreement.agreement_id))
    encrypt_to(folder / FILE, folder / f"{FILE}.pgp", certificate.read_bytes(), pinned.fingerprint, at=now)
    return folder / f"{FILE}.pgp"


def _lists(house: House, opened: Opened, making: Making, folder: Path) -> Iterator[CopyLine]:
    """Row numbers and reasons, agents by reference: no value of a person."""
    last_day = opened.opened_at.astimezone(BRUSSELS).date() + timedelta(days=house.settings.keep_quarantine_days)
    for kind, name in (("held", HELD), ("return.findings", FINDINGS)):
        if (folder / name).exists():
            key = vault_key(opened, name)
            stored = house.objects.put_converging(house.settings.bucket_vault, key, folder / name, CSV)
            rows = len(making.sorted_out.held) if kind == "held" and making.sorted_out else None
            yield line(kind, stored, rows, "quarantine", last_day)
