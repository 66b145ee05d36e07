"""Store the parts of a return where only the center can read them, under keys that are functions of its exchange."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

from sluice.agreement.papers import Paper
from sluice.errors import DocumentInvalid, Ref
from sluice.exchange.house import House
from sluice.exchange.keep import AS_MADE, copy_line
from sluice.exchange.last_days import AS_IT_CAME, QUARANTINED, LastDay, shortest_retention
from sluice.exchange.model import Opened
from sluice.exchange.naming import index_key, return_key, vault_key
from sluice.lake.read.pgp import encrypt_to
from sluice.ledger.copy_kinds import HELD_BACK, REST, RETURN, RETURN_FINDINGS
from sluice.ledger.record import CopyLine, is_after_end
from sluice.media_types import CSV, PARQUET
from sluice.returns.make import FILE, FINDINGS_FILE, HELD_FILE
from sluice.returns.making import Making
from sluice.returns.paper import columns_over
from sluice.times import brussels_day

Put = Callable[[], CopyLine]
"""Stores one object and returns the line about it."""


def keep_return(house: House, opened: Opened, paper: Paper, making: Making, folder: Path) -> tuple[CopyLine, ...]:
    """Store the file (encrypted if the agreement asks), its index, and lists for the supervisor, in parallel.

    Raises DocumentInvalid if the certificate to encrypt to is missing.
    """
    puts = [*_file(house, opened, paper, making, folder), *_lists(house, opened, making, folder)]
    with ThreadPoolExecutor(max_workers=max(1, len(puts))) as beside:
        return tuple(beside.map(lambda put: put(), puts))


def _file(house: House, opened: Opened, paper: Paper, making: Making, folder: Path) -> Iterator[Put]:
    if making.written is None:
        return
    rule, last_day = retention_of(house, opened, paper)
    source = encrypted(house, paper, folder, opened.opened_at)

    def put(kind: str, key: str, content: bytes | Path, content_type: str, rows: int | None = None) -> CopyLine:
        stored = house.objects.put_converging(house.settings.bucket_lake, key, content, content_type)
        return copy_line(kind, stored, rows, rule, last_day)

    yield partial(put, RETURN, return_key(opened, opened.file_name), source, AS_MADE, making.verdict.rows_accepted)
    for kind, run in making.runs:
        yield partial(put, kind, index_key(opened, ".rest" if kind == REST else ""), run, PARQUET)


def retention_of(house: House, opened: Opened, paper: Paper) -> LastDay:
    """Rule and last day of a return; one made after the agreement ended stays as long as delivered files do.

    A column that is past its own retention is empty in the return, so its rule does not count.
    """
    made = brussels_day(opened.opened_at)
    if is_after_end(opened.direction, opened.version_id):
        return AS_IT_CAME, made + timedelta(days=house.settings.keep_arrived_days)
    over = columns_over(paper, opened)
    filled = [each for each in paper.contract.fields if each.name not in over]
    return shortest_retention(paper.agreement, replace(paper.contract, fields=tuple(filled)), starts_of(opened, made))


def starts_of(opened: Opened, made: date) -> dict[str, date | None]:
    """Brussels days at which a rule of a return can start. Delivery counts from the day it is made, never later."""
    return {"received": made, "delivered": made, "call": opened.day}


def encrypted(house: House, paper: Paper, folder: Path, now: datetime) -> Path:
    """The finished file in a folder, encrypted to its principal if the agreement asks. Raises DocumentInvalid."""
    pinned = paper.agreement.delivery.pgp
    if pinned is None:
        return folder / FILE
    certificate = house.settings.principals_dir / paper.agreement.principal / pinned.file
    if not certificate.is_file():
        raise DocumentInvalid(Ref("file", pinned.file), Ref("agreement", paper.agreement.agreement_id))
    encrypt_to(folder / FILE, folder / f"{FILE}.pgp", certificate.read_bytes(), pinned.fingerprint, at=now)
    return folder / f"{FILE}.pgp"


def _lists(house: House, opened: Opened, making: Making, folder: Path) -> Iterator[Put]:
    """Lists of held rows and of findings: row numbers, reasons and references of agents, but no value of a person."""
    last_day = brussels_day(opened.opened_at) + timedelta(days=house.settings.keep_quarantine_days)

    def put(kind: str, name: str) -> CopyLine:
        key = vault_key(opened, name)
        stored = house.objects.put_converging(house.settings.bucket_vault, key, folder / name, CSV)
        rows = len(making.sorted_out.held) if kind == HELD_BACK and making.sorted_out else None
        return copy_line(kind, stored, rows, QUARANTINED, last_day)

    for kind, name in ((HELD_BACK, HELD_FILE), (RETURN_FINDINGS, FINDINGS_FILE)):
        if (folder / name).exists():
            yield partial(put, kind, name)
