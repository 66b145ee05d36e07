"""Measurements that compare two designs in one run, because only ratios survive a noisy machine.

``python -m bench`` runs every file of this folder that has a function ``rows(size)``.
"""

import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

Work = Callable[[], object]
"""Something to measure. For a child process: a module-level function or a ``functools.partial`` of one."""


@dataclass(frozen=True, slots=True)
class BenchRow:
    """One measured figure beside its goal and the floor of the same run."""

    bench: str
    what: str
    value: float
    unit: str
    """``x`` for a ratio, else what is counted."""
    floor: str
    """What it was compared with, with that one's own figure in this run."""
    goal: float | None = None
    at_least: bool = True
    """False: the goal is a maximum."""

    @property
    def met(self) -> str:
        if self.goal is None:
            return "-"
        return "yes" if (self.value >= self.goal if self.at_least else self.value <= self.goal) else "no"

    @property
    def goal_text(self) -> str:
        return "-" if self.goal is None else f"{'>=' if self.at_least else '<='} {shown(self.goal)} {self.unit}"


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run of a work took; CPU includes its ended child processes, memory is the peak of its process."""

    wall_s: float
    cpu_s: float
    peak_mb: float | None = None


def paired(one: Work, other: Work, rounds: int = 3, *, in_children: bool = False) -> tuple[Cost, Cost]:
    """Median cost of two works, run in turns so that noise hits both.

    in_children: each run in a fresh process, which is what makes its peak memory known.
    """
    measure = cost_in_child if in_children else cost
    runs = [(measure(one), measure(other)) for _ in range(rounds)]
    return median([first for first, _ in runs]), median([second for _, second in runs])


def cost(work: Work) -> Cost:
    """Wall and CPU seconds of one run in this process."""
    cpu, wall = _cpu_s(), time.perf_counter()
    work()
    return Cost(time.perf_counter() - wall, _cpu_s() - cpu)


def cost_in_child(work: Work, ready: Work | None = None) -> Cost:
    """The same in a fresh process, with its peak memory; imports at module level are not timed.

    ready: done there first, untimed: what a running worker has loaded long ago.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_report, args=(work, ready, theirs))
    child.start()
    theirs.close()
    try:
        found: Cost = ours.recv()
    finally:
        child.join()
    return found


def median(costs: list[Cost]) -> Cost:
    peaks = [one.peak_mb for one in costs if one.peak_mb is not None]
    return Cost(
        statistics.median(one.wall_s for one in costs),
        statistics.median(one.cpu_s for one in costs),
        statistics.median(peaks) if peaks else None,
    )


def shown(value: float) -> str:
    """Three figures are all that a shared machine can tell."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def machine() -> Iterator[str]:
    """What the figures were measured on, without a name of it."""
    import platform

    import polars as pl

    yield f"{os.cpu_count()} cores"
    yield f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"
    yield f"load {os.getloadavg()[0]:.1f}"
    yield f"Python {platform.python_version()}"
    yield f"polars {pl.__version__} on {pl.thread_pool_size()} threads"


def progress(text: str) -> None:
    """Tell whoever waits what is being measured; stdout keeps the table alone."""
    print(f"{time.strftime('%H:%M:%S')}  {text}", file=sys.stderr, flush=True)


def _report(work: Work, ready: Work | None, pipe: Connection) -> None:
    if ready is not None:
        ready()
    found = cost(work)
    pipe.send(Cost(found.wall_s, found.cpu_s, _peak_mb()))


def _peak_mb() -> float:
    """Of this program alone: ``ru_maxrss`` survives exec, so it would tell the size of our parent."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def _cpu_s() -> float:
    return sum(os.times()[:4])
