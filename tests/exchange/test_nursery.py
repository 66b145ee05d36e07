"""The limited child: what it may not do, and that the next one is as good as new."""

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from children import MEBIBYTE
from sluice.exchange.nursery import ChildEnd, Limits, Nursery

pytestmark = pytest.mark.slow

LIMITS = Limits(memory_bytes=512 * MEBIBYTE, cpu_seconds=1, wall_seconds=3, output_bytes=MEBIBYTE)


@pytest.fixture
def nursery(monkeypatch: pytest.MonkeyPatch) -> Iterator[Nursery]:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    with Nursery("children:misbehave") as opened:
        yield opened


@pytest.mark.parametrize(
    ("deed", "end"),
    [
        ("behave", ChildEnd.DONE),
        ("take memory", ChildEnd.MEMORY),
        ("spin", ChildEnd.CPU),
        ("sleep", ChildEnd.WALL),
        ("write much", ChildEnd.OUTPUT),
        ("abort", ChildEnd.DIED),
        ("raise", ChildEnd.FAILED),
    ],
)
def test_every_end_of_a_child_is_told_apart_and_the_next_one_works(
    nursery: Nursery, tmp_path: Path, deed: str, end: ChildEnd
) -> None:
    assert nursery.run({"deed": deed, "folder": str(tmp_path)}, LIMITS) is end
    assert nursery.run({"deed": "behave", "folder": str(tmp_path)}, LIMITS) is ChildEnd.DONE


def test_a_failure_is_told_by_type_and_place_without_its_words(nursery: Nursery, tmp_path: Path) -> None:
    nursery.run({"deed": "raise", "folder": str(tmp_path)}, LIMITS)
    told = (tmp_path / "failure.txt").read_text()
    assert told.startswith("ValueError at children.py:")
    assert "secret" not in told


def test_a_child_reaches_no_network_not_even_this_machine(nursery: Nursery, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        socket.create_connection(("127.0.0.1", port)).close()  # the control: from here it can be reached
        job = {"deed": "connect", "folder": str(tmp_path), "port": port}
        assert nursery.run(job, LIMITS) is ChildEnd.FAILED


def test_no_process_outlives_its_parent(tmp_path: Path) -> None:
    pid = os.fork()
    if pid == 0:
        os.environ["PYTHONPATH"] = str(Path(__file__).parents[1])
        nursery = Nursery("children:misbehave")
        nursery.run({"deed": "note pids", "folder": str(tmp_path)}, LIMITS)
        os._exit(0)
    os.waitpid(pid, 0)
    child, parent = map(int, (tmp_path / "pids").read_text().split())
    deadline = time.monotonic() + 5
    while any(map(_is_alive, (child, parent))) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _is_alive(child)
    assert not _is_alive(parent)


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
