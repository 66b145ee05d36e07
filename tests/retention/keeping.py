"""Copies of a night, the day on which each goes, and what is there of them."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest

from sluice.exchange.catalogue import find_copies
from sluice.ledger.record import CopyLine
from sluice.terms import ExchangeId, Principal
from sluice.times import BRUSSELS
from support.copies import Copies
from support.desk import Desk
from support.night import Night, copied_night

ENERGY, TELECOM = Principal("energy01"), Principal("telecom01")


def at_night(day: date) -> datetime:
    """The moment at which the DAG ``retention`` runs on a Brussels day."""
    return datetime.combine(day, time(1, 20), BRUSSELS).astimezone(UTC)


@pytest.fixture
def night(copies: Copies, tmp_path: Path) -> Iterator[Night]:
    """An installation with accepted contacts of energy01."""
    with copied_night(copies, tmp_path) as opened:
        yield opened


def lake_of(night: Night) -> CopyLine:
    [line] = night.desk.lines()
    return next(copy for copy in find_copies(night.desk.house.conn, ExchangeId(line.id)) if copy.kind == "lake")


def exists(desk: Desk, copy: CopyLine) -> bool:
    return any(item.version_id == copy.version_id for item in desk.house.objects.list_versions(copy.bucket, copy.key))


def last_day(copy: CopyLine) -> date:
    assert copy.delete_after is not None
    return date.fromisoformat(copy.delete_after)


def entries(night: Night, kind: str) -> list[dict[str, object]]:
    rows = night.desk.sql(
        f"select convert_from(body, 'UTF8') as body from ledger.entry where kind = '{kind}' order by seq"
    )
    return [json.loads(str(row["body"])) for row in rows]
