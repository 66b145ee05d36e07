"""A desk with a case of a person, and what the ledger and the principals' prefixes then say."""

import csv
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from sluice.rights.case.model import Actor, Case, Order, Right, Role
from sluice.rights.opening import NewRequest, open_case
from sluice.settings import Settings
from sluice.terms import Principal, SubjectKind
from support.desk import JANUARY, Desk, open_desk

SHA = "ab" * 32
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
DESK = Actor(Role.DESK, "anna")
PHONE = (SubjectKind.PHONE, "0470 12 34 56")


@pytest.fixture
def desk(store_settings: Settings, tmp_path: Path) -> Iterator[Desk]:
    """A desk whose papers are known since January, so that a request may come on any day of the tests."""
    with open_desk(store_settings, tmp_path, JANUARY) as opened:
        yield opened


def order(code: str = "AS_ASKED", at: datetime = NOW, actor: Actor = DESK, **more: object) -> Order:
    return Order(actor, at, code, SHA, **more)  # type: ignore[arg-type]


def opened(
    desk: Desk,
    right: Right = Right.ERASURE,
    principal: str | None = "energy01",
    received: datetime | date = NOW,
    identifiers: Sequence[tuple[SubjectKind, str]] = (PHONE,),
    now: datetime = NOW,
) -> Case:
    named = Principal(principal) if principal else None
    return open_case(desk.house, NewRequest(right, identifiers, named, received, "letter", "nl", DESK), now)


def entries(desk: Desk, case_id: str) -> list[dict[str, object]]:
    rows = desk.house.conn.execute(
        "select chain, body from ledger.entry where kind like 'case.%%' order by appended_at, chain, seq"
    ).fetchall()
    bodies = [{"chain": row["chain"], **json.loads(row["body"])} for row in rows]
    return [body for body in bodies if body.get("case_id") == case_id]


def notices(desk: Desk, principal: str) -> dict[str, dict[str, object]]:
    bucket = desk.settings.bucket_exchange
    found = desk.house.objects.list_versions(bucket, f"{principal}/notices/")
    return {item.key.rsplit("/", 1)[-1]: json.loads(desk.house.objects.read(bucket, item.key)) for item in found}


def arrive(desk: Desk) -> str:
    """Accept one campaign file of energy01; a phone number in it, as written."""
    path, _ = desk.campaign(rows=30)
    dropped = desk.drop(path, "renewal_campaign_20261125.csv")
    desk.work()
    assert desk.line(dropped).decision in ("accepted", "partly_accepted")
    rows = csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines(), delimiter=";")
    phones = (row["phone"] for row in rows)
    return next(phone for phone in phones if len(phone) > 8)
