"""Accepted rows of a person are found while somebody else puts their file anew."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from sluice.errors import EvidenceInvalid
from sluice.exchange.catalogue import get_copy
from sluice.exchange.persons.accepted_rows import accepted_rows
from sluice.lake.s3.objects import ObjectStore
from sluice.settings import Settings
from sluice.terms import ExchangeId, Principal
from support.desk import ENERGY, Desk, open_desk

PRINCIPAL = Principal(ENERGY[0])


@pytest.fixture
def desk(store_settings: Settings, tmp_path: Path) -> Iterator[Desk]:
    with open_desk(store_settings, tmp_path) as opened:
        opened.drop(opened.campaign(20)[0])
        opened.work()
        yield opened


@dataclass
class EditedFirst:
    """A store whose first read of an object comes just after an erasure put that object anew."""

    desk: Desk
    kind: str
    reads: int = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.desk.house.objects, name)

    def read(self, bucket: str, key: str, version_id: str | None = None) -> bytes:
        exchange = ExchangeId(self.desk.lines()[0].id)
        copy = get_copy(self.desk.house.conn, exchange, self.kind)
        objects: ObjectStore = self.desk.house.objects
        if key == copy.key:
            self.reads += 1
        if key == copy.key and self.reads == 1:
            stored = objects.put(bucket, key, objects.read(bucket, key, version_id), "x")
            self.desk.house.conn.execute(
                "update copy set version_id = %s where exchange_id = %s and kind = %s",
                (stored.version_id, exchange, self.kind),
            )
            objects.delete_version(bucket, key, str(version_id))
        return objects.read(bucket, key, version_id)


def a_reference(desk: Desk) -> str:
    copy = get_copy(desk.house.conn, ExchangeId(desk.lines()[0].id), "lake")
    rows = pl.read_parquet(io.BytesIO(desk.house.objects.read(copy.bucket, copy.key, copy.version_id)))
    return str(rows["sluice_subject_ref"][0])


@pytest.mark.parametrize("kind", ["lake", "index"])
def test_a_file_that_an_erasure_puts_anew_meanwhile_is_read_as_it_is_now(desk: Desk, kind: str) -> None:
    refs, meanwhile = frozenset({a_reference(desk)}), EditedFirst(desk, kind)
    house = replace(desk.house, objects=meanwhile)

    [(rows, _)] = accepted_rows(house, PRINCIPAL, refs)

    assert (rows.height, meanwhile.reads) == (1, 2)


def test_a_file_that_retention_removed_has_no_rows_and_one_that_the_store_lost_is_told(desk: Desk) -> None:
    refs, exchange = frozenset({a_reference(desk)}), ExchangeId(desk.lines()[0].id)
    copy = get_copy(desk.house.conn, exchange, "lake")
    assert len(list(accepted_rows(desk.house, PRINCIPAL, refs))) == 1, "the control"
    desk.house.objects.delete_version(copy.bucket, copy.key, str(copy.version_id))

    with pytest.raises(EvidenceInvalid, match="SLU-303"):  # nobody could tell whose rows were in it
        list(accepted_rows(desk.house, PRINCIPAL, refs))

    desk.house.conn.execute("update copy set gone_at = now() where exchange_id = %s and kind = 'lake'", (exchange,))
    assert list(accepted_rows(desk.house, PRINCIPAL, refs)) == []
