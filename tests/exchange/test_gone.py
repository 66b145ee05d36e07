"""Who of some persons is still in accepted rows: few files are read, also while one of them is put anew."""

import io
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from sluice.errors import EvidenceInvalid
from sluice.exchange.catalogue import get_copy
from sluice.exchange.persons.accepted_rows import accepted_rows
from sluice.exchange.persons.gone import find_gone
from sluice.exchange.persons.merged import merge_index
from sluice.exchange.persons.suppressed import keep_out
from sluice.lake.s3.objects import ObjectStore
from sluice.rights.person.identifiers import parse_identifier, refs_of
from sluice.subject.suppression import Suppression
from sluice.terms import ExchangeId, Principal
from support.desk import ENERGY, Desk, requests

pytestmark = pytest.mark.stores

ENERGY01, FILES = Principal(ENERGY[0]), 5


def ref_of(desk: Desk, number: str) -> str:
    [ref] = refs_of([parse_identifier(f"customer:{number}", 1)], desk.house.subject_key(ENERGY01), ENERGY01).values()
    return ref


def test_who_is_gone_costs_reads_of_the_files_that_name_them_only(desk: Desk) -> None:
    paths = [desk.campaign(20, seed)[0] for seed in range(1, FILES + 1)]
    for path in paths:
        desk.drop(path, path.name)
    desk.work()
    number = pl.read_csv(paths[0], separator=";", infer_schema=False)["customer_number"][0]
    here, gone, other = (ref_of(desk, each) for each in (number, "C-GONE", "C-OTHER"))
    erased, now = frozenset({here, gone}), datetime.now(UTC)
    keep_out(desk.house, ENERGY01, erased, Suppression.ERASED, cause="e", case_id=None, now=now)

    def reads() -> int:
        with requests(desk) as asked:
            assert find_gone(desk.house, ENERGY01, erased | {other}) == {gone}, "of one a row stayed, one is known well"
        return asked.count("GetObject")

    desk.unmerge()
    assert reads() == FILES + 1, "the control: the index of every file, and the rows of one"
    assert merge_index(desk.house, ENERGY01, now, fewest=1) == (FILES, 0)
    assert reads() == 2, "one merge instead of all"


@pytest.fixture
def one(desk: Desk) -> Desk:
    desk.drop(desk.campaign(20)[0])
    desk.work()
    return desk


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
def test_a_file_that_an_erasure_puts_anew_meanwhile_is_read_as_it_is_now(one: Desk, kind: str) -> None:
    refs, meanwhile = frozenset({a_reference(one)}), EditedFirst(one, kind)
    house = replace(one.house, objects=meanwhile)

    [(rows, _)] = accepted_rows(house, ENERGY01, refs)

    assert (rows.height, meanwhile.reads) == (1, 2)


def test_a_file_that_retention_removed_has_no_rows_and_one_that_the_store_lost_is_told(one: Desk) -> None:
    refs, exchange = frozenset({a_reference(one)}), ExchangeId(one.lines()[0].id)
    copy = get_copy(one.house.conn, exchange, "lake")
    assert len(list(accepted_rows(one.house, ENERGY01, refs))) == 1, "the control"
    one.house.objects.delete_version(copy.bucket, copy.key, str(copy.version_id))

    with pytest.raises(EvidenceInvalid, match="SLU-303"):  # nobody could tell whose rows were in it
        list(accepted_rows(one.house, ENERGY01, refs))

    one.house.conn.execute("update copy set gone_at = now() where exchange_id = %s and kind = 'lake'", (exchange,))
    assert list(accepted_rows(one.house, ENERGY01, refs)) == []
