"""A no counts although its row was refused for something else, or waits: whoever said it is not called on."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import polars as pl
import pytest

from dial.lists import CAMPAIGN, ENERGY01, ask, listed, now, today
from sluice.dial.make import make_dial_list
from sluice.dial.model import Channel, Request
from sluice.dial.words import AT, NO_AT, NO_PLACE, NOES, PLACE, with_noes
from sluice.lake.s3.objects import ObjectStore
from sluice.lake_columns import CORRECTED, REF, REFS
from sluice.settings import Settings
from support.desk import Desk, open_desk

pytestmark = pytest.mark.stores
BELIEF = "Klant is moslim, liever na vrijdag bellen"
OTHERWISE = {
    "refused": {"product": "SOLAR"},
    "refused for its number": {"customer_number": ""},
    "held": {"note": BELIEF},
    "control: accepted": {},
}
"""A row without customer number is known by its telephone alone."""


@pytest.fixture
def desk(store_settings: Settings, tmp_path: Path) -> Iterator[Desk]:
    with open_desk(store_settings, tmp_path) as opened:
        opened.may_call()
        yield opened


def called(desk: Desk) -> set[str]:
    """Customer numbers in a list that is made now."""
    return set(listed(desk, ask(desk))["customer_number"])


def send(desk: Desk, people: pl.DataFrame, number: str, days_ago: int, **cells: str) -> None:
    """A file of some day in which one customer has other cells."""
    is_theirs = pl.col("customer_number") == number
    changed = [pl.when(is_theirs).then(pl.lit(cell)).otherwise(name).alias(name) for name, cell in cells.items()]
    text = people.with_columns(changed).write_csv(separator=";")
    dropped = desk.drop(text.encode(), f"leads_{today() - timedelta(days=days_ago)}.csv")
    desk.work()
    assert desk.line(dropped).decision in ("accepted", "partly_accepted")


def first(desk: Desk) -> pl.DataFrame:
    """The oldest file, accepted."""
    people = pl.read_csv(desk.campaign(30)[0], separator=";", infer_schema=False)
    send(desk, people, "", 3)
    return people


@pytest.mark.parametrize("wrong", OTHERWISE)
def test_a_no_in_a_row_that_was_not_accepted_counts_until_a_younger_word(desk: Desk, wrong: str) -> None:
    people = first(desk)
    before = called(desk)
    number = min(before)

    send(desk, people, number, 2, opt_in_phone="N", **OTHERWISE[wrong])
    assert called(desk) == before - {number}

    send(desk, people, number, 1, opt_in_phone="Y")
    assert called(desk) == before, "the person said yes since"


@pytest.mark.parametrize("wrong", ["refused", "held"])
def test_nothing_but_a_no_is_taken_from_such_a_row(desk: Desk, wrong: str) -> None:
    people = first(desk)
    before = called(desk)
    number = min(set(people["customer_number"]) - before)

    send(desk, people, number, 1, opt_in_phone="Y", **OTHERWISE[wrong])

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


def test_of_the_sealed_files_one_at_a_time_lies_in_the_work_folder(desk: Desk) -> None:
    people = first(desk)
    for days_ago, number in zip((2, 1), people["customer_number"][:2], strict=True):
        send(desk, people, number, days_ago, **OTHERWISE["refused"])
    seen = Watched(desk.house.objects, [], [])

    make_dial_list(
        replace(desk.house, objects=cast(ObjectStore, seen)),
        Request(str(uuid4()), ENERGY01, CAMPAIGN, "P-RENEW", Channel.PHONE, "csv", "anna"),
        now(),
    )

    assert {"sealed-0", "sealed-1"} <= set(seen.fetched), "nothing would be tried"
    assert seen.lying == []
