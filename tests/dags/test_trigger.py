"""When the trigger wakes its DAG: the rule alone, without a clock, a bucket or Airflow's loop."""

from datetime import UTC, datetime, timedelta

import pytest

from sluice.orchestration.trigger import NOTHING, WAKE_AGAIN_SECONDS, Seen, Wake

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
LATER = NOON + timedelta(seconds=2)

pytestmark = pytest.mark.slow  # importing Airflow's triggers takes seconds


def fired(*sights: Seen, every: float = 1.0) -> list[bool]:
    wake = Wake()
    return [wake.is_due(seen, index * every) for index, seen in enumerate(sights)]


def test_it_wakes_at_once_for_the_first_and_for_more() -> None:
    assert fired(NOTHING, Seen(1, NOON), Seen(2, LATER)) == [False, True, True]


def test_one_that_comes_while_another_closes_is_new_although_the_count_stays() -> None:
    assert fired(Seen(1, NOON), Seen(1, LATER)) == [True, True]


def test_one_that_was_tried_and_is_due_again_wakes() -> None:
    assert fired(Seen(1, NOON), NOTHING, Seen(1, NOON)) == [True, False, True]


def test_what_is_known_and_still_waits_wakes_again_after_a_while_only() -> None:
    same = [Seen(1, NOON)] * 4

    assert fired(*same) == [True, False, False, False]
    assert fired(*same, every=WAKE_AGAIN_SECONDS / 2) == [True, False, True, False]


def test_the_newest_that_closed_does_not_make_older_ones_look_new() -> None:
    assert fired(Seen(2, LATER), Seen(1, NOON), Seen(1, NOON)) == [True, False, False]


def test_nothing_never_wakes() -> None:
    assert not any(fired(NOTHING, NOTHING, every=WAKE_AGAIN_SECONDS))


def test_strays_of_two_flows_count_together() -> None:
    assert Seen(1, LATER) | Seen(2, NOON) == Seen(3, LATER)
