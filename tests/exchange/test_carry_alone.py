"""One worker takes an exchange to its end; whoever must stay out meanwhile has it made again, a few times."""

from collections.abc import Callable

import pytest

from sluice.db import connect_to, transaction
from sluice.exchange.carry_alone import MOST_TRIES, carry_alone
from sluice.exchange.house import open_house
from sluice.exchange.locks import try_lock
from sluice.exchange.model import Opened
from sluice.exchange.persons.suppressed import SuppressedMeanwhile
from sluice.exchange.store import get_opened, lock_if_open
from sluice.terms import ExchangeId
from support.desk import Desk


@pytest.fixture
def opened(desk: Desk) -> Opened:
    dropped = desk.drop(desk.campaign(3)[0])
    desk.open_new()
    return get_opened(desk.house.conn, ExchangeId(desk.line(dropped).id))


def failing(times: int, tried: list[int]) -> Callable[[], None]:
    """A step that fails this many times because a person became suppressed meanwhile, and then succeeds."""

    def step() -> None:
        tried.append(1)
        if len(tried) <= times:
            raise SuppressedMeanwhile

    return step


@pytest.mark.parametrize("times", range(MOST_TRIES))
def test_it_is_made_again_for_whoever_must_stay_out_meanwhile(desk: Desk, opened: Opened, times: int) -> None:
    tried: list[int] = []
    carry_alone(desk.house, opened, failing(times, tried))
    assert len(tried) == times + 1


def test_no_worker_makes_it_for_ever(desk: Desk, opened: Opened) -> None:
    tried: list[int] = []
    with pytest.raises(SuppressedMeanwhile):
        carry_alone(desk.house, opened, failing(100, tried))
    assert len(tried) == MOST_TRIES
    carry_alone(desk.house, opened, failing(0, tried))
    assert len(tried) == MOST_TRIES + 1, "it stayed open, and nobody holds it"


def test_what_is_closed_or_in_other_hands_is_left_alone(desk: Desk, opened: Opened) -> None:
    tried: list[int] = []
    with (
        connect_to(desk.settings.database_url.get_secret_value()) as other,
        try_lock(other, opened.exchange_id) as free,
    ):
        assert free
        carry_alone(desk.house, opened, failing(0, tried))
    assert tried == []
    desk.work()
    carry_alone(desk.house, opened, failing(0, tried))
    assert tried == []


def test_while_one_worker_is_at_it_no_other_begins_although_the_row_is_free(desk: Desk, opened: Opened) -> None:
    """The lock of the session keeps others out, for as long as the step runs; nobody who reads the row waits."""
    begun: list[str] = []

    def step() -> None:
        begun.append("first")
        with open_house(desk.settings) as second:
            second.conn.execute("set lock_timeout = '100ms'")
            with transaction(second.conn):
                assert lock_if_open(second.conn, opened.exchange_id), "no row stays locked"
            carry_alone(second, opened, lambda: begun.append("second"))

    carry_alone(desk.house, opened, step)
    assert begun == ["first"]

    with open_house(desk.settings) as second:
        carry_alone(second, opened, lambda: begun.append("second"))
    assert begun == ["first", "second"], "the control: afterwards the next one may"
