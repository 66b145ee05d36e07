"""Choose which index runs become one: at night as many as fit, by day a few new ones at a time. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from sluice.exchange.persons.merged_store import Run

FEWEST = 4
"""So many runs are worth a merge: each of them costs every search one read."""
MOST_BYTES = 128 * 2**20
"""Most bytes of runs in one merge: some 16 million entries, which lie in memory twice."""
MOST_BYTES_BY_DAY, MOST_RUNS_BY_DAY = 8 * 2**20, 256
"""The same by day, and most runs: somebody's file waits meanwhile, half a second at most."""
BIG_BYTES = 2**20
"""A run of this size or more waits for the night: reading it costs a search less than merging it costs a file."""


def to_merge(runs: Sequence[Run], fewest: int = FEWEST) -> Iterator[list[Run]]:
    """Yield groups of a month's runs that become one, each with as many as fit.

    ``runs``: in the order of their exchanges. ``fewest``: a group is left as it is when a search needs fewer reads for
    it than that, not counting the one of its first merge.
    """
    for group in _fitting(runs, MOST_BYTES):
        merges = {run.merge_id for run in group} - {None}
        if sum(run.merge_id is None for run in group) + max(len(merges) - 1, 0) >= fewest:
            yield group


def to_merge_by_day(runs: Iterable[Run]) -> Iterator[list[Run]]:
    """Yield the runs that no merge answers for, oldest first, with every merge that is at most twice as large.

    So each merge is more than twice as large as the one before, except for those that hold the most runs or bytes
    allowed. A search reads fewer than ``FEWEST`` small runs and one merge per doubling; a run is merged again just as
    rarely.
    """
    new, merges = list[Run](), defaultdict[str, list[Run]](list)
    for run in runs:
        if run.merge_id is not None:
            merges[run.merge_id].append(run)
        elif run.size_bytes < BIG_BYTES:
            new.append(run)
    chosen = next(_fitting(new, MOST_BYTES_BY_DAY))[:MOST_RUNS_BY_DAY]
    if len(chosen) < FEWEST:
        return
    for merge in sorted(merges.values(), key=_size):
        if _size(merge) > 2 * _size(chosen):
            break
        together = [*chosen, *merge]
        if _size(together) <= MOST_BYTES_BY_DAY and len(together) <= MOST_RUNS_BY_DAY:
            chosen = together
    yield chosen


def _size(runs: Iterable[Run]) -> int:
    return sum(run.size_bytes for run in runs)


def _fitting(runs: Iterable[Run], most_bytes: int) -> Iterator[list[Run]]:
    group, size = list[Run](), 0
    for run in runs:
        if group and size + run.size_bytes > most_bytes:
            yield group
            group, size = [], 0
        group.append(run)
        size += run.size_bytes
    yield group
