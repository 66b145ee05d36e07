"""A pause moves only the clock that waits for it, and never shortens it."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rights.case.days import NUMBERS, days, few
from sluice.rights.case.clock import Pause, due_dates, paused
from sluice.rights.case.facts import ClockRefused
from sluice.rights.case.holidays import next_working_day


def due_with(received: str, *pauses: tuple[str, str | None]) -> tuple[str | None, str | None]:
    held = [
        Pause(date.fromisoformat(asked), date.fromisoformat(proven) if proven else None) for asked, proven in pauses
    ]
    clock = paused(due_dates(date.fromisoformat(received), "BE", NUMBERS), held, "BE", NUMBERS)
    legal, extended = clock.legal_due, clock.extended_due
    return legal.isoformat() if legal else None, extended.isoformat() if extended else None


@pytest.mark.parametrize(
    ("pauses", "legal", "extended"),
    [
        ([], "2026-04-07", "2026-06-05"),
        ([("2026-03-10", "2026-03-10")], "2026-04-07", "2026-06-05"),
        ([("2026-03-10", "2026-03-12")], "2026-04-07", "2026-06-08"),
        ([("2026-03-10", "2026-03-15")], "2026-04-10", "2026-06-10"),
        ([("2026-03-10", "2026-03-15"), ("2026-03-12", "2026-03-15")], "2026-04-10", "2026-06-10"),
        ([("2026-03-10", None)], None, None),
        ([("2026-03-10", None), ("2026-03-12", "2026-03-15")], None, None),
        ([("2026-04-07", "2026-04-09")], "2026-04-09", "2026-06-08"),  # asked after the nominal due, before the rolled
        ([("2026-04-08", "2026-04-18")], "2026-04-07", "2026-06-15"),  # asked too late for the first due date
        ([("2026-04-08", None)], "2026-04-07", None),
        # The first wait moves the due date to 8 April: the second was still asked in time.
        ([("2026-03-10", "2026-03-13"), ("2026-04-08", "2026-04-10")], "2026-04-10", "2026-06-10"),
    ],
)
def test_a_pause_moves_only_the_paused_clock(
    pauses: list[tuple[str, str | None]], legal: str | None, extended: str | None
) -> None:
    assert due_with("2026-03-05", *pauses) == (legal, extended)


def test_the_strict_clock_stays_as_it_was() -> None:
    due = due_dates(date(2026, 3, 5), "BE", NUMBERS)
    assert paused(due, [Pause(date(2026, 3, 10), date(2026, 5, 10))], "BE", NUMBERS).strict == due


def test_a_pause_that_cannot_be_is_refused() -> None:
    with pytest.raises(ClockRefused, match="PAUSE_ENDS_BEFORE_IT_BEGINS"):
        Pause(date(2026, 3, 10), date(2026, 3, 9))
    with pytest.raises(ClockRefused, match="PAUSE_BEFORE_RECEIPT"):
        due_with("2026-03-05", ("2026-03-04", "2026-03-06"))


spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 30)), max_size=4)


def pauses_of(received: date, spans: list[tuple[int, int]]) -> list[Pause]:
    starts = [(received + timedelta(days=after), length) for after, length in spans]
    return [Pause(asked, asked + timedelta(days=length)) for asked, length in starts]


@few
@given(days, spans, st.randoms(use_true_random=False))
def test_pauses_never_shorten_and_their_order_and_repetition_change_nothing(received, spans, random) -> None:
    due = due_dates(received, "BE", NUMBERS)
    held = pauses_of(received, spans)
    clock = paused(due, held, "BE", NUMBERS)
    shuffled = held * 2
    random.shuffle(shuffled)

    assert clock == paused(due, shuffled, "BE", NUMBERS)
    assert clock.legal_due >= due.legal_due and clock.extended_due >= due.extended_due
    assert (clock.legal_due - due.nominal_due).days <= sum(length for _, length in spans) + 10


@few
@given(days, st.integers(0, 25), st.integers(0, 40), st.integers(0, 40))
def test_one_wait_told_in_two_parts_is_one_wait_and_moves_day_for_day(received, after, first, second) -> None:
    due = due_dates(received, "BE", NUMBERS)
    asked = received + timedelta(days=after)
    middle, proven = asked + timedelta(days=first), asked + timedelta(days=first + second)
    whole = paused(due, [Pause(asked, proven)], "BE", NUMBERS)

    assert whole == paused(due, [Pause(asked, middle), Pause(middle, proven)], "BE", NUMBERS)
    assert whole.legal_due == next_working_day(due.nominal_due + (proven - asked), "BE")
    assert whole.legal_due >= proven
