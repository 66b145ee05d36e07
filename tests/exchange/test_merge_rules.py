"""Which index runs become one: at night as many as fit, by day so that questions read few and each is merged rarely."""

from dataclasses import replace
from itertools import pairwise
from math import log2

from hypothesis import given
from hypothesis import strategies as st

from sluice.exchange.persons.merge_rules import (
    BIG_BYTES,
    FEWEST,
    MOST_BYTES_BY_DAY,
    MOST_RUNS_BY_DAY,
    to_merge,
    to_merge_by_day,
)
from sluice.exchange.persons.merged_store import Run
from sluice.terms import Direction, ExchangeId


def a_run(number: int, size: int, merge_id: str | None = None) -> Run:
    return Run(ExchangeId(str(number)), "index", "lake", "key", "v", "", size, Direction.INBOUND, merge_id)


def test_runs_that_fit_become_one_once_enough_of_them_are_new() -> None:
    few = [a_run(number, 1) for number in range(3)]
    big = [a_run(number, 40 * 2**20) for number in range(7)]

    assert list(to_merge(few)) == [], "the control: three are not enough"
    assert list(to_merge([*few, a_run(9, 1)])) == [[*few, a_run(9, 1)]]
    assert list(to_merge([replace(run, merge_id="m") for run in few] + few)) == []
    assert [len(group) for group in to_merge(big, fewest=1)] == [3, 3, 1], "128 MiB hold three of 40"
    assert list(to_merge([])) == []


def test_merges_of_the_day_become_one_at_night_once_there_are_enough_of_them() -> None:
    of_the_day = [a_run(number, 1, f"m{number // 2}") for number in range(2 * FEWEST)]
    assert list(to_merge(of_the_day)) == [], "the control: one of them stays"
    more = [*of_the_day, a_run(99, 1, "more")]
    assert list(to_merge(more)) == [more]


def by_day(runs: list[Run], merge_id: str) -> list[Run]:
    """These runs; those that a merge by day takes get its id."""
    chosen = [run for group in to_merge_by_day(runs) for run in group]
    return [replace(run, merge_id=merge_id) if run in chosen else run for run in runs]


def one_by_one(runs: list[Run], sizes: list[int]) -> tuple[list[Run], int]:
    """These runs, once more of these sizes came and were merged by day; and how often one was merged at most."""
    times = dict[ExchangeId, int]()
    for number, size in enumerate(sizes):
        before = [*runs, a_run(len(runs), size)]
        runs = by_day(before, f"day{number}")
        for run, was in zip(runs, before, strict=True):
            times[run.exchange_id] = times.get(run.exchange_id, 0) + (run != was)
    return runs, max(times.values())


def sizes_of(runs: list[Run]) -> list[int]:
    """The sizes of the merges, smallest first."""
    merges = {run.merge_id for run in runs} - {None}
    return sorted(sum(run.size_bytes for run in runs if run.merge_id == each) for each in merges)


@given(st.lists(st.integers(400, 20_000), min_size=1, max_size=MOST_RUNS_BY_DAY))
def test_by_day_a_question_reads_few_and_a_run_is_merged_again_rarely(sizes: list[int]) -> None:
    runs, times = one_by_one([], sizes)
    merges, rarely = sizes_of(runs), 2 + 2 * log2(sum(sizes) / min(sizes))

    assert sum(run.merge_id is None for run in runs) < FEWEST
    assert all(larger > 2 * smaller for smaller, larger in pairwise(merges))
    assert times <= rarely and len(merges) <= rarely


def test_by_day_a_merge_that_is_full_keeps_no_others_apart() -> None:
    full = [a_run(number, 1_000, "night") for number in range(MOST_RUNS_BY_DAY)]
    runs, times = one_by_one(full, [70_000] * 100)
    assert len(sizes_of(runs)) <= 1 + log2(100) and times <= 2 + log2(100)
    runs, _ = one_by_one([], [1_000] * 4 * MOST_RUNS_BY_DAY)
    assert len(sizes_of(runs)) <= 4 + log2(MOST_RUNS_BY_DAY)


def test_by_day_nobody_waits_for_what_is_big() -> None:
    small = [a_run(number, 1_000) for number in range(FEWEST)]
    big = [a_run(10 + number, BIG_BYTES) for number in range(FEWEST)]
    assert list(to_merge_by_day(small[1:])) == list(to_merge_by_day(big)) == list(to_merge_by_day([])) == []
    assert list(to_merge_by_day([*big, *small])) == [small]

    of_the_night = [replace(run, merge_id="night") for run in big]
    assert list(to_merge_by_day([*of_the_night, *small])) == [small], "not all of the month again"
    middle = [a_run(number, BIG_BYTES - 1) for number in range(100)]
    [chosen] = to_merge_by_day(middle)
    assert FEWEST <= len(chosen) < len(middle) and sum(run.size_bytes for run in chosen) <= MOST_BYTES_BY_DAY
    [chosen] = to_merge_by_day([a_run(number, 1) for number in range(2 * MOST_RUNS_BY_DAY)])
    assert len(chosen) == MOST_RUNS_BY_DAY
    full = [replace(run, merge_id="full") for run in chosen]
    assert list(to_merge_by_day([*full, *small])) == [small], "it holds as many as may be"
