"""The installation of the journeys before, told by one command to run its tasks on Celery's workers."""

import time

import pytest

from support.effort import effort
from support.installation import Record, Stack

pytestmark = [pytest.mark.journey, pytest.mark.evidence, pytest.mark.timeout(600)]


@pytest.mark.parametrize("count", effort([], [12]))
def test_two_workers_take_over_and_may_die_with_their_queue(stack: Stack, count: int, record_property: Record) -> None:
    up = stack.sluice("up", "--workers", "2")
    assert up.returncode == 0, up.stderr
    puts = [stack.put(path) for path in stack.campaigns(count)]
    started = time.monotonic()
    for victim in ("worker-1", "redis"):
        stack.kill(victim)
    lines = stack.wait(puts, seconds=240)
    record_property(
        "SIGKILL of a worker and of Redis while files wait", f"{count} files, {time.monotonic() - started:.0f} s"
    )
    stack.check_exactly_once(puts, lines)
    back = stack.sluice("up", "--workers", "0")
    assert back.returncode == 0, back.stderr
