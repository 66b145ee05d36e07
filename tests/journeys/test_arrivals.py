"""From a file in S3 to its receipt, through Airflow, however many come and whoever dies meanwhile."""

import contextlib
import os
import signal
import time
from collections.abc import Callable

import psutil
import pytest

from sluice.exchange.read import ExchangeLine
from support.effort import effort
from support.installation import Put, Record, Stack

pytestmark = [pytest.mark.journey, pytest.mark.evidence, pytest.mark.timeout(600)]

SOON_SECONDS = 60
"""Not a promise of speed, only that nobody was forgotten until a clock came by."""


def p95(seconds: list[float]) -> float:
    return seconds[min(len(seconds) - 1, int(len(seconds) * 0.95))]


def test_ten_files_one_after_the_other_are_each_receipted_soon(stack: Stack, record_property: Record) -> None:
    """Each is put when the one before has its receipt: nothing waits for anything but the product."""
    puts: list[Put] = []
    lines: dict[str, ExchangeLine] = {}
    for path in stack.campaigns(10):
        puts.append(stack.put(path))
        lines |= stack.wait(puts[-1:])
    seconds = [stack.seconds([put], lines)[0] for put in puts]
    stack.check_exactly_once(puts, lines)
    first, rest = seconds[0], sorted(seconds[1:])
    record_property(
        "put to receipt, 10 one by one",
        f"p95 {p95(sorted(seconds)):.1f} s, max {max(seconds):.1f} s, first {first:.1f} s, "
        f"median of the rest {rest[len(rest) // 2]:.1f} s",
    )
    assert max(seconds) < SOON_SECONDS


@pytest.mark.parametrize("count", effort([20], [20, 100]))
def test_files_put_at_once_are_receipted_exactly_once(stack: Stack, count: int, record_property: Record) -> None:
    puts = [stack.put(path) for path in stack.campaigns(count)]
    lines = stack.wait(puts)
    seconds = stack.seconds(puts, lines)
    stack.check_exactly_once(puts, lines)
    record_property(f"put to receipt, {count:3d} at once", f"p95 {p95(seconds):.1f} s, last {seconds[-1]:.1f} s")


def task_pid(stack: Stack) -> int:
    """The process of a task of this installation that has begun to work: it has a nursery of its own."""
    scheduler = psutil.Process(stack.pid("scheduler"))
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        for process in scheduler.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if "sluice.exchange.judging.nursery" in process.cmdline() and process.ppid() != scheduler.pid:
                    return int(process.ppid())
        time.sleep(0.05)
    raise AssertionError("no task runs")


VICTIMS: dict[str, Callable[[Stack], int]] = {
    "postgresql": lambda stack: stack.pid("postgresql"),
    "s3": lambda stack: stack.pid("s3"),
    "scheduler": lambda stack: stack.pid("scheduler"),
    "triggerer": lambda stack: stack.pid("triggerer"),
    "task": task_pid,
}


@pytest.mark.parametrize("victim", list(VICTIMS))
def test_whoever_is_killed_while_twenty_files_wait_nothing_is_lost_or_doubled(
    stack: Stack, victim: str, record_property: Record
) -> None:
    paths = stack.campaigns(20)
    find = VICTIMS[victim]
    pid = 0 if victim == "task" else find(stack)
    puts = [stack.put(path) for path in paths]
    os.kill(pid or find(stack), signal.SIGKILL)
    killed = time.monotonic()
    lines = stack.wait(puts, seconds=240)
    record_property(f"SIGKILL of {victim} while 20 files wait: all done after", f"{time.monotonic() - killed:.0f} s")
    stack.check_exactly_once(puts, lines)
