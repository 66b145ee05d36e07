"""A correction wins over older files that arrive later; what it was is flagged; an erasure removes it."""

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from desk import ENERGY, Desk, open_desk
from sluice.dial.read import view_rows
from sluice.exchange.corrections import RightValue, correct, drop_corrections, find_corrections
from sluice.settings import Settings
from sluice.subject.refs import refer
from sluice.terms import Flow, Principal, SubjectKind

ENERGY01, CAMPAIGN = Principal(ENERGY[0]), Flow(ENERGY[1])
CASE = "3f0d6a52-1c67-4b6e-9a0b-0f5a3c1d7e42"
RIGHT = "Rechtzettingsplein 1"


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def desk(store_settings: Settings, tmp_path: Path) -> Iterator[Desk]:
    with open_desk(store_settings, tmp_path) as opened:
        yield opened


def refs(desk: Desk, number: str) -> frozenset[str]:
    made = refer(desk.house.subject_key(ENERGY01), SubjectKind.PRINCIPAL_CUSTOMER_ID, number).ref
    assert made is not None
    return frozenset({made})


def arrives(desk: Desk, people: pl.DataFrame, name: str, street: str | None = None) -> dict[str, int]:
    """A file of these rows, the first one's street replaced; cells flagged in its record, by column."""
    changed = people.with_columns(
        street=pl.when(pl.lit(street is not None) & (pl.int_range(people.height) == 0))
        .then(pl.lit(street))
        .otherwise("street"),
        attempts=pl.lit(str(len(name))),
    )
    dropped = desk.drop(changed.write_csv(separator=";").encode(), name)
    desk.work()
    record = desk.shown(dropped).record
    assert record is not None and record.what.rows_refused == 0
    return {line.column or "": line.count for line in record.reasons if line.code == "STALE_VALUE_CORRECTED"}


def street_now(desk: Desk, number: str) -> str:
    rows = view_rows(desk.house, ENERGY01, CAMPAIGN).filter(pl.col("customer_number") == number)
    return str(rows.sort("sluice_age")["street"][-1])


def test_a_correction_beats_older_files_and_the_value_it_replaced_and_gives_way_to_news(desk: Desk) -> None:
    path, _ = desk.campaign(12)
    people = pl.read_csv(path, separator=";", infer_schema=False)
    number, was = people["customer_number"][0], people["street"][0]
    assert arrives(desk, people, "first.csv") == {}
    correct(desk.house, ENERGY01, CASE, refs(desk, number), RightValue("street", RIGHT, now(), False), now())
    assert street_now(desk, number) == RIGHT

    assert arrives(desk, people, "second.csv") == {"street": 1}, "the value that was corrected"
    assert street_now(desk, number) == RIGHT
    before = f"{now() - timedelta(days=9):%Y-%m-%d}"
    assert arrives(desk, people, f"late_{before}.csv", "Elders 3") == {"street": 1}, "an older file"
    assert street_now(desk, number) == RIGHT
    assert arrives(desk, people, "agreed.csv", RIGHT) == {}
    assert arrives(desk, people, "news.csv", "Verhuisd 9") == {}
    assert street_now(desk, number) == "Verhuisd 9"
    assert view_rows(desk.house, ENERGY01, CAMPAIGN).filter(pl.col("street") == was).is_empty()

    entries = desk.sql("select convert_from(body, 'UTF8') as body from ledger.entry where kind = 'correction.made'")
    said = json.loads(str(entries[0]["body"]))
    assert (len(entries), said["field"], len(said["before"]), len(said["after"])) == (1, "street", 1, 64)
    everything = desk.sql("select convert_from(body, 'UTF8') as body from ledger.entry")
    assert not [value for value in (RIGHT, was) if any(value in str(entry["body"]) for entry in everything)]


def test_a_corrected_phone_is_the_one_that_is_called_and_still_keeps_the_person_out(desk: Desk) -> None:
    path, _ = desk.campaign(8)
    people = pl.read_csv(path, separator=";", infer_schema=False)
    arrives(desk, people, "first.csv")
    number = people["customer_number"][0]
    correct(desk.house, ENERGY01, CASE, refs(desk, number), RightValue("phone", "0470 11 22 33", now(), False), now())
    view = view_rows(desk.house, ENERGY01, CAMPAIGN)
    row = view.filter(pl.col("customer_number") == number).to_dicts()[0]
    key = desk.house.subject_key(ENERGY01)
    assert row["phone"] == "0470 11 22 33"
    assert row["sluice_ref_corrected_phone"] == refer(key, SubjectKind.PHONE, "+32470112233").ref


def test_an_erasure_removes_what_was_corrected_of_the_person_and_of_nobody_else(desk: Desk) -> None:
    path, _ = desk.campaign(8)
    people = pl.read_csv(path, separator=";", infer_schema=False)
    arrives(desk, people, "first.csv")
    first, second = (refs(desk, each) for each in people["customer_number"].head(2))
    for each, case in ((first, CASE), (second, CASE.replace("3f", "4f"))):
        correct(desk.house, ENERGY01, case, each, RightValue("street", RIGHT, now(), False), now())

    assert drop_corrections(desk.house, ENERGY01, first, now()) == 1
    assert [each.refs for each in find_corrections(desk.house, ENERGY01)] == [tuple(second)]
    left = [item.key for item in desk.objects(desk.settings.bucket_vault) if item.key.startswith("_corrections/")]
    assert len(left) == 1
    sealed = io.BytesIO(desk.house.objects.read(desk.settings.bucket_vault, left[0])).getvalue()
    assert RIGHT.encode() not in sealed
