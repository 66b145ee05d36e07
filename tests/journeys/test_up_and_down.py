"""All processes as a user starts them, on Celery too, killed, and `sluice down`: the last journey of all."""

import json
import time
from typing import Any

import psutil
import pytest

from sluice.services import keeper
from sluice.services.process import family, wait_until
from support.effort import chosen, effort
from support.installation import Record, Stack

pytestmark = pytest.mark.journey


def states(stack: Stack) -> dict[str, Any]:
    found = json.loads(stack.sluice("status", "--format", "json").stdout)
    return {service["name"]: service["state"] for service in found["services"]}


def listening(pid: int) -> set[str]:
    try:
        found = psutil.Process(pid).net_connections("tcp")
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return set()  # a short-lived child, gone since it was listed; or one that Airflow closes to all but root
    return {each.laddr.ip for each in found if each.status == psutil.CONN_LISTEN}


@pytest.mark.evidence
@pytest.mark.timeout(900)
def test_two_workers_of_celery_take_over_and_may_die_with_their_queue(stack: Stack, record_property: Record) -> None:
    count = effort(3, 12)
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


@pytest.mark.evidence
@pytest.mark.timeout(900)
def test_the_whole_stack_comes_up_comes_back_and_goes(stack: Stack) -> None:
    assert wait_until(lambda: set(states(stack).values()) == {"up"}, 60, every=1)

    standing = keeper.read_standing(stack.var)
    assert standing is not None
    before = family(standing.keeper.pid)
    assert len(before) > 10
    assert {address for each in before for address in listening(each.pid)} == {"127.0.0.1"}

    for name in chosen([kept.name for kept in standing.services], 3):
        stack.kill(name)
    assert wait_until(lambda: set(states(stack).values()) == {"up"}, 180, every=3)

    everyone = [*before, *family(standing.keeper.pid)]  # not by pid alone: a busy machine gives it away again
    assert len(everyone) > 20
    assert stack.sluice("down").returncode == 0
    assert [process for process in everyone if process.is_alive()] == []
    assert stack.sluice("status").returncode == 4
