"""Of two files the one that was put last has the last word, whenever and in whatever order somebody looked."""

import itertools
import time
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

import polars as pl
import pytest

from dial.lists import CAMPAIGN, ENERGY01, called, now
from sluice.answers.righted import THE_PERSON, Righted
from sluice.dial.read import view_rows
from sluice.exchange.effects.run import do_effects
from sluice.exchange.persons.corrections import RightValue, correct, find_corrections
from sluice.exchange.review import decide, note_rows
from sluice.exchange.review_model import Choice
from sluice.exchange.store import get_opened
from sluice.lake.s3.objects import StoredObject
from sluice.ledger.copy_kinds import LAKE
from sluice.returns.righting import oldest_first
from sluice.returns.store import find_contacts
from sluice.rights.copies.copy_store import find_copies
from sluice.subject.refs import refer
from sluice.terms import SubjectKind
from support.desk import Desk

pytestmark = pytest.mark.stores
RIGHT, NEWS = "Rechtplein 17", "Verhuisd 9"
TICK_S = 1.1
"""The clock of the store has whole seconds."""


SEEDS = itertools.count(100)


@pytest.fixture(scope="module")
def desk(module_desk: Desk) -> Desk:
    module_desk.may_call()
    return module_desk


def contacts(desk: Desk) -> pl.DataFrame:
    """Rows of contacts whom no other test has, and who have all agreed to be called."""
    path, _ = desk.campaign(8, next(SEEDS))
    people = pl.read_csv(path, separator=";", infer_schema=False)
    return people.with_columns(opt_in_phone=pl.lit("Y"), note=pl.lit(""))


def put(desk: Desk, people: pl.DataFrame, name: str, **cells: str) -> StoredObject:
    """Put a file of these rows with other cells in the first one; nobody looks yet."""
    first = pl.int_range(people.height) == 0
    changed = [
        pl.when(first).then(pl.lit(value)).otherwise(pl.col(column)).alias(column) for column, value in cells.items()
    ]
    return desk.drop(people.with_columns(changed).write_csv(separator=";").encode(), name)


def is_called(desk: Desk, number: str) -> bool:
    return number in called(desk)


def make_right(desk: Desk, number: str) -> None:
    """Have the street of a customer corrected (GDPR Art. 16)."""
    ref = refer(desk.house.subject_key(ENERGY01), SubjectKind.PRINCIPAL_CUSTOMER_ID, number).ref
    assert ref is not None
    right = RightValue("street", RIGHT, now(), False, "asked")
    correct(desk.house, ENERGY01, str(uuid4()), frozenset({ref}), right, now())


def street(desk: Desk, number: str) -> str:
    """The street in the row of a customer that has the last word."""
    rows = view_rows(desk.house, ENERGY01, CAMPAIGN).filter(pl.col("customer_number") == number)
    return str(rows.sort("sluice_age")["street"][-1])


def answered(desk: Desk, dropped: StoredObject, street: str) -> str:
    """The street that an answer gives to the corrected person of a row of this file."""
    house, copies = desk.house, find_copies(desk.house.conn, ENERGY01)
    [lake] = [each for each in copies if each.kind == LAKE and each.exchange_id == desk.line(dropped).id]
    theirs = [replace(each, refs=(THE_PERSON,)) for each in find_corrections(house, ENERGY01)]
    righted = Righted(house, house.subject_key(ENERGY01), theirs)
    return str(righted.lay_over(lake, pl.DataFrame({"street": [street]}), pl.Series([False]))["street"][0])


def is_stale(desk: Desk, dropped: StoredObject) -> bool:
    record = desk.shown(dropped).record
    assert record is not None
    return any(line.code == "STALE_VALUE_CORRECTED" and line.column == "street" for line in record.reasons)


def test_of_files_met_by_one_poll_the_one_that_was_put_last_counts(desk: Desk) -> None:
    """Where the one listed last was put first, where they are listed as put, and with one key in one second."""
    ways = (("b.csv", "a.csv"), ("a.csv", "b.csv"), ("one.csv", "one.csv"))
    cases = [(contacts(desk), names, *words) for names in ways for words in (("Y", "N"), ("N", "Y"))]

    def put_of(number: int, is_last: bool) -> StoredObject:
        people, names, *words = cases[number]
        name, street = f"{number}-{names[is_last]}", ("A 1", "B 2")[is_last]
        return put(desk, people, name, opt_in_phone=words[is_last], street=street)

    olds = [put_of(number, False) for number in range(4)]
    soon = [[put_of(number, is_last) for is_last in (False, True)] for number in (4, 5)]
    time.sleep(TICK_S)
    pairs = [*zip(olds, (put_of(number, True) for number in range(4)), strict=True), *soon]
    desk.work()

    for pair in pairs:
        opened = [get_opened(desk.house.conn, desk.line(each).id).opened_at for each in pair]
        assert opened[0] < opened[1]
    listed = called(desk)
    for people, *_, last in cases:
        number = people["customer_number"][0]
        assert (number in listed, street(desk, number)) == (last == "Y", "B 2")


def test_a_file_put_before_a_correction_is_older_than_it_however_late_it_is_met(desk: Desk) -> None:
    people = contacts(desk)
    number = people["customer_number"][0]
    put(desk, people, "first.csv")
    desk.work()

    late = put(desk, people, "second.csv", street="Elders 3")
    time.sleep(TICK_S)
    make_right(desk, number)
    before = now()
    desk.work()
    assert is_stale(desk, late)
    assert street(desk, number) == RIGHT
    assert answered(desk, late, "Elders 3") == RIGHT, "what the person is given says the same"
    opened = get_opened(desk.house.conn, desk.line(late).id)
    assert opened.arrived_at is not None and opened.arrived_at < before < opened.opened_at, "its paper is of the look"

    time.sleep(TICK_S)
    young = put(desk, people, "third.csv", street=NEWS)
    desk.work()
    assert not is_stale(desk, young), "the control: what was put after the correction is news"
    assert street(desk, number) == NEWS


NOTE = "Klant is moslim, liever na vrijdag bellen"
"""A note that a person has to read before its row may go."""


def day(back: int) -> str:
    """A day in the name of a file."""
    return f"{now() - timedelta(days=back):%Y-%m-%d}"


def let_go(desk: Desk, held: StoredObject) -> StoredObject:
    """Let go all rows of a file that wait for their notes, and take in what comes back; its object."""
    exchange_id = desk.line(held).id
    waiting = [each.row for each in note_rows(desk.house, exchange_id) if each.review is None]
    review = decide(desk.house, exchange_id, waiting, Choice.SEND, "an", now())
    do_effects(desk.house)
    desk.work()
    [back] = [each for each in desk.objects(review.bucket) if each.key == review.key]
    assert desk.line(back).decision == "accepted"
    return back


def ages_in_returns(desk: Desk) -> dict[str, datetime]:
    """How old a return takes each accepted exchange to be, in the order in which it reads them."""
    inputs = find_contacts(desk.house.conn, ENERGY01, CAMPAIGN, None)
    return {lake.exchange_id: said.at for lake, said in oldest_first(desk.house, inputs)}


def test_a_row_let_go_is_as_old_as_the_file_that_it_came_in(desk: Desk) -> None:
    """An older file, one of the same day, and (the control) a younger one than what says no."""
    cases = [(contacts(desk), *days) for days in ((20, 2, "news"), (2, 2, "news"), (2, 20, "held"))]
    olds = [
        put(desk, people, f"contacts_{day(held)}.{n}.csv", note=NOTE, street="A 1")
        for n, (people, held, _, _) in enumerate(cases)
    ]
    desk.work()
    time.sleep(TICK_S)
    news = [
        put(desk, people, f"contacts_{day(days)}.1{n}.csv", opt_in_phone="N", street="B 2")
        for n, (people, _, days, _) in enumerate(cases)
    ]
    desk.work()
    numbers = [people["customer_number"][0] for people, *_ in cases]
    assert called(desk).isdisjoint(numbers)

    backs = [let_go(desk, each) for each in olds]

    listed, ages = called(desk), list(ages_in_returns(desk))
    for number, old, new, back, (*_, counts) in zip(numbers, olds, news, backs, cases, strict=True):
        assert (number in listed) is (counts == "held")
        assert street(desk, number) == {"held": "A 1", "news": "B 2"}[counts]
        of_file, of_news, of_row = (desk.line(each).id for each in (old, new, back))
        right = [of_file, of_row, of_news] if counts == "news" else [of_news, of_file, of_row]
        mine = [each for each in ages if each in right]
        assert mine == right, "rows that came back are read after the rest of their file"


def test_a_row_let_go_after_a_correction_does_not_undo_it(desk: Desk) -> None:
    """Of a file that is older by its name, and of one that is older by its arrival."""
    people = [contacts(desk) for _ in range(2)]
    for n, each in enumerate(people):
        put(desk, each, f"let-go-{n}.csv", street="Kerkstraat 1")
    desk.work()
    names = (f"contacts_{day(20)}.let-go.csv", "contacts.let-go.csv")
    held = [put(desk, each, name, note=NOTE, street="Elders 3") for each, name in zip(people, names, strict=True)]
    desk.work()
    time.sleep(TICK_S)
    for each in people:
        make_right(desk, each["customer_number"][0])
    time.sleep(TICK_S)

    backs = [let_go(desk, each) for each in held]

    ages = ages_in_returns(desk)
    for each, file, back in zip(people, held, backs, strict=True):
        assert is_stale(desk, back), "its receipt says so"
        assert street(desk, each["customer_number"][0]) == RIGHT
        assert ages[desk.line(back).id] == ages[desk.line(file).id]


def decided(desk: Desk, dropped: StoredObject) -> tuple[str, str | None]:
    line = desk.line(dropped)
    return line.decision, line.reason_code


ACCEPTED, DUPLICATE = ("accepted", None), ("refused", "DUPLICATE_CONTENT")


def said(desk: Desk, people: pl.DataFrame, back: int | None, word: str) -> tuple[str, str | None]:
    """What becomes of a file of that many days ago, or of no day, in which the first one says a word about calls."""
    name = "undated" if back is None else day(back)
    dropped = put(desk, people, f"contacts_{name}.{people['customer_number'][0]}.csv", opt_in_phone=word)
    desk.work()
    return decided(desk, dropped)


def test_no_again_in_the_bytes_of_the_first_no_counts_if_a_yes_came_in_between(desk: Desk) -> None:
    people = contacts(desk)
    number = people["customer_number"][0]
    assert said(desk, people, 20, "N") == ACCEPTED
    assert said(desk, people, 19, "N") == DUPLICATE, "the control: nothing came in between"
    assert said(desk, people, 10, "Y") == ACCEPTED
    assert is_called(desk, number)
    assert said(desk, people, 20, "N") == DUPLICATE, "the same day"
    assert said(desk, people, 12, "N") == DUPLICATE, "an older day than that of the yes"
    assert said(desk, people, None, "N") == DUPLICATE, "no day: it may be the first one, sent twice"
    assert is_called(desk, number)

    assert said(desk, people, 5, "N") == ACCEPTED
    assert not is_called(desk, number)
    assert said(desk, people, 4, "N") == DUPLICATE, "nothing came after the last no"
    assert said(desk, people, 3, "Y") == ACCEPTED
    assert is_called(desk, number)


def test_a_file_in_between_is_one_by_its_day_in_whatever_order_they_came(desk: Desk) -> None:
    people = contacts(desk)
    number = people["customer_number"][0]
    assert said(desk, people, 10, "Y") == ACCEPTED
    assert said(desk, people, 20, "N") == ACCEPTED
    assert is_called(desk, number)
    assert said(desk, people, 5, "N") == ACCEPTED
    assert not is_called(desk, number)
