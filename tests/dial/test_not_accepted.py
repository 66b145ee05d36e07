"""A no counts although its row was refused for something else, or waits: whoever said it is not called on."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from desk import Desk, open_desk
from dial.lists import ask, listed, today
from sluice.settings import Settings

pytestmark = pytest.mark.stores
BELIEF = "Klant is moslim, liever na vrijdag bellen"
OTHERWISE = {"refused": {"product": "SOLAR"}, "held": {"note": BELIEF}, "control: accepted": {}}


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
