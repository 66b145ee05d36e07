"""Operation beyond one machine, on one: ten principals, Celery, Redis, workers, and everybody killed in turn."""

import shutil
import time
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path

import pytest

from support.installation import Put, Record, Stack, installed

pytestmark = [pytest.mark.journey, pytest.mark.evidence, pytest.mark.long, pytest.mark.timeout(3600)]

MODEL = Path(__file__).resolve().parents[2] / "include" / "principals" / "energy01"
PRINCIPALS = [f"energy{number:02d}" for number in range(1, 11)]
FLOW = "renewal_campaign"
ROWS = (50, 200, 1000, 50, 200, 5000, 50, 1000, 200, 20_000)
"""Of ten files one after the other: 9 KB to 3.7 MB."""

VICTIMS = ("worker-1", "redis", "scheduler", "s3", "triggerer", "worker-2")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    papers = tmp_path_factory.mktemp("principals")
    for name in PRINCIPALS:
        shutil.copytree(MODEL, papers / name)
        for path in (papers / name).glob("*.yaml"):
            path.write_text(path.read_text().replace(MODEL.name, name).replace(MODEL.name.upper(), name.upper()))
    with installed("--workers", "2", principals=papers) as started:
        yield started


def draw(stack: Stack, count: int) -> list[tuple[Path, tuple[str, str]]]:
    """Files of mixed size and whose they are: every principal gets every size."""
    sizes = islice(cycle(ROWS), count)
    return [
        (stack.campaign(rows), (PRINCIPALS[(number + number // len(ROWS)) % len(PRINCIPALS)], FLOW))
        for number, rows in enumerate(sizes)
    ]


def open_files(stack: Stack, puts: Sequence[Put]) -> int:
    return len(puts) - sum(bool(line.receipt_at) for line in stack.lines(puts).values())


@pytest.mark.parametrize("count", [500])
def test_whoever_is_killed_twice_under_load_nothing_is_lost_or_doubled(
    cluster: Stack, count: int, record_property: Record
) -> None:
    """Files come in waves; with each, somebody is killed while most of it waits."""
    victims = VICTIMS * 2
    files, puts = draw(cluster, count), list[Put]()
    started, waiting = time.monotonic(), []
    for number, victim in enumerate(victims, start=1):
        wave = files[len(puts) : count * number // len(victims)]
        puts += [cluster.put(*file) for file in wave]
        waiting.append(open_files(cluster, puts))
        cluster.kill(victim, seconds=120)
        while open_files(cluster, puts) > len(wave) // 2:
            assert time.monotonic() - started < 3000, "the cluster stands still"
            time.sleep(1)
    lines = cluster.wait(puts, seconds=600)
    record_property(
        f"SIGKILL of {', '.join(VICTIMS)}, each twice, {count} files of {len(PRINCIPALS)} principals",
        f"{len(lines)} closed, 0 lost, 0 double, {time.monotonic() - started:.0f} s; "
        f"{min(waiting)} to {max(waiting)} files open at each kill",
    )
    cluster.check_exactly_once(puts, lines)
    assert min(waiting) > len(wave) // 2, "a kill without load proves nothing"


def measure(stack: Stack, workers: int, count: int) -> float:
    """Files a minute from the first put to the last receipt, after a file of each principal to warm the workers."""
    up = stack.sluice("up", "--workers", str(workers))
    assert up.returncode == 0, up.stderr
    stack.wait([stack.put(*file) for file in draw(stack, len(PRINCIPALS))], seconds=600)
    files = draw(stack, count)
    puts = [stack.put(*file) for file in files]
    lines = stack.wait(puts, seconds=1800)
    stack.check_exactly_once(puts, lines)
    last = max(line.receipt_at for line in lines.values() if line.receipt_at)
    return 60 * count / (last - puts[0].at).total_seconds()


@pytest.mark.parametrize("count", [100])
def test_two_workers_against_one(cluster: Stack, count: int, record_property: Record) -> None:
    two, one = (measure(cluster, workers, count) for workers in (2, 1))
    record_property(
        f"{count} files of mixed size: files a minute with 2 workers against 1",
        f"{two:.1f} against {one:.1f}, ratio {two / one:.2f}",
    )
