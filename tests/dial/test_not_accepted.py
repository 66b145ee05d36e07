"""A no counts although its row was refused for something else, or waits: whoever said it is not called on."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import polars as pl
import pytest

from dial.lists import CAMPAIGN, ENERGY01, called, now, today
from sluice.dial.make import make_dial_list
from sluice.dial.model import Channel, Request
from sluice.dial.words import AT, NO_AT, NO_PLACE, NOES, PLACE, with_noes
from sluice.lake.s3.objects import ObjectStore
from sluice.lake_columns import CORRECTED, REF, REFS
from support.desk import Desk

pytestmark = pytest.mark.stores
BELIEF = "Klant is moslim, liever na vrijdag bellen"
OTHERWISE = {
    "refused": {"product": "SOLAR"},
    "refused for its number": {"customer_number": ""},
    "held": {"note": BELIEF},
    "control: accepted": {},
}
"""A row without customer number is known by its telephone alone."""


@pytest.fixture(scope="module")
def desk(module_desk: Desk) -> Desk:
    module_desk.may_call()
    return module_desk


def send(desk: Desk, people: pl.DataFrame, number: str, days_ago: int, **cells: str) -> None:
    """A file of some day in which one customer has other cells."""
    is_theirs = pl.col("customer_number") == number
    changed = [pl.when(is_theirs).then(pl.lit(cell)).otherwise(name).alias(name) for name, cell in cells.items()]
    text = people.with_columns(changed).write_csv(separator=";")
    dropped = desk.drop(text.encode(), f"leads_{today() - timedelta(days=days_ago)}.csv")
    desk.work()
    assert desk.line(dropped).decision in ("accepted", "partly_accepted")


@pytest.fixture(scope="module")
def people(desk: Desk) -> pl.DataFrame:
    """The oldest file, accepted."""
    rows = pl.read_csv(desk.campaign(30)[0], separator=";", infer_schema=False)
    send(desk, rows, "", 3)
    return rows


def test_a_no_in_a_row_that_was_not_accepted_counts_until_a_younger_word(desk: Desk, people: pl.DataFrame) -> None:
    before = called(desk)
    numbers = dict(zip(OTHERWISE, sorted(before), strict=False))
    is_theirs, changed = pl.col("customer_number"), people
    for wrong, number in numbers.items():
        cells = {"opt_in_phone": "N", **OTHERWISE[wrong]}
        changed = changed.with_columns(
            pl.when(is_theirs == number).then(pl.lit(cell)).otherwise(name).alias(name)
            for name, cell in sorted(cells.items(), key=lambda each: each[0] == "customer_number")
        )
    send(desk, changed, "", 2)
    assert called(desk) == before - set(numbers.values())

    yes = people.with_columns(
        opt_in_phone=pl.when(is_theirs.is_in(list(numbers.values()))).then(pl.lit("Y")).otherwise("opt_in_phone"),
        street=pl.lit("Anders 1"),
    )
    send(desk, yes, "", 1)
    assert called(desk) == before, "the persons said yes since"


def test_nothing_but_a_no_is_taken_from_such_a_row(desk: Desk, people: pl.DataFrame) -> None:
    before = called(desk)
    refused, held = sorted(set(people["customer_number"]) - before)[:2]
    changed = people.with_columns(
        opt_in_phone=pl.when(pl.col("customer_number").is_in([refused, held]))
        .then(pl.lit("Y"))
        .otherwise("opt_in_phone"),
        product=pl.when(pl.col("customer_number") == refused).then(pl.lit("SOLAR")).otherwise("product"),
        note=pl.when(pl.col("customer_number") == held).then(pl.lit(BELIEF)).otherwise("note"),
        street=pl.lit("Anders 2"),
    )
    send(desk, changed, "", 0)

    assert called(desk) == before


def test_a_no_by_one_number_counts_for_the_person_under_every_other_of_theirs() -> None:
    """By any reference, of any row of the person; who shares the number is not called either."""
    rows = pl.DataFrame(
        {REF: ["a", "a", "b", None, "c"], f"{REFS}phone": ["1", "2", "2", "2", "3"],
         f"{CORRECTED}phone": [None, None, None, None, "4"]}
    )  # fmt: skip
    noes = pl.DataFrame(
        [{REF: ref, "name": "opt_in", PLACE: place, AT: datetime(2026, 11, day, tzinfo=UTC)}
         for ref, place, day in (("2", 1, 1), ("1", 2, 3), ("a", 2, 2), ("4", 3, 4), ("9", 9, 9))],
        schema=NOES,
    )  # fmt: skip

    told = with_noes(rows, noes)

    assert told.drop(f"{NO_PLACE}opt_in", f"{NO_AT}opt_in").equals(rows)
    assert told[f"{NO_PLACE}opt_in"].to_list() == [2, 2, 1, 1, 3]
    assert [at.day for at in told[f"{NO_AT}opt_in"]] == [3, 3, 1, 1, 4]
    assert with_noes(rows, noes.filter(name="")).equals(rows), "control: nobody said no"


@dataclass(frozen=True)
class Watched:
    """The store; at each fetch it notes which sealed and opened files lie in the work folder already."""

    store: ObjectStore
    fetched: list[str]
    lying: list[str]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def fetch(self, bucket: str, key: str, version_id: str, target: Path) -> Any:
        self.fetched.append(target.name)
        lying = (each.name for each in target.parent.iterdir())
        self.lying.extend(name for name in lying if name.startswith(("sealed-", "opened-")))
        return self.store.fetch(bucket, key, version_id, target)


def test_of_the_sealed_files_one_at_a_time_lies_in_the_work_folder(desk: Desk, people: pl.DataFrame) -> None:
    for days_ago, number in zip((9, 8), people["customer_number"][:2], strict=True):
        send(desk, people, number, days_ago, street=f"Elders {days_ago}", **OTHERWISE["refused"])
    seen = Watched(desk.house.objects, [], [])

    make_dial_list(
        replace(desk.house, objects=cast(ObjectStore, seen)),
        Request(str(uuid4()), ENERGY01, CAMPAIGN, "P-RENEW", Channel.PHONE, "csv", "anna"),
        now(),
    )

    assert {"sealed-0", "sealed-1"} <= set(seen.fetched), "nothing would be tried"
    assert seen.lying == []
