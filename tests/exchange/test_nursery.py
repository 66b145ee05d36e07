"""The limited child: what it may not do, and that the next one is as good as new."""

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from sluice.exchange.judging.nursery import ChildEnd, ChildLimits, Nursery
from support.children import MEBIBYTE, Network, network_of

pytestmark = pytest.mark.slow

WHERE = os.pathsep.join(str(Path(__file__).parents[up] / name) for up, name in ((1, ""), (2, "include")))
"""Where the process finds what it runs: the deeds of the tests, and the code beside them."""
LIMITS = ChildLimits(memory_bytes=512 * MEBIBYTE, cpu_seconds=1, wall_seconds=60, output_bytes=MEBIBYTE)


@pytest.fixture
def nursery(monkeypatch: pytest.MonkeyPatch) -> Iterator[Nursery]:
    monkeypatch.setenv("PYTHONPATH", WHERE)
    with Nursery("support.children:misbehave") as opened:
        yield opened


@pytest.mark.parametrize(
    ("deed", "end"),
    [
        ("behave", ChildEnd.DONE),
        ("take memory", ChildEnd.MEMORY),
        ("take threads", ChildEnd.MEMORY),
        ("spin", ChildEnd.CPU),
        ("sleep", ChildEnd.WALL),
        ("write much", ChildEnd.OUTPUT),
        ("abort", ChildEnd.DIED),
        ("end by a signal without a name", ChildEnd.DIED),
        ("exit as Python does", ChildEnd.DIED),
        ("raise", ChildEnd.FAILED),
    ],
)
def test_every_end_of_a_child_is_told_apart_and_the_next_one_works(
    nursery: Nursery, tmp_path: Path, deed: str, end: ChildEnd
) -> None:
    limits = replace(LIMITS, wall_seconds=1) if deed == "sleep" else LIMITS
    assert nursery.run({"deed": deed, "folder": str(tmp_path)}, limits) is end
    assert nursery.run({"deed": "behave", "folder": str(tmp_path)}, LIMITS) is ChildEnd.DONE


def test_what_a_child_leaves_running_ends_with_it(nursery: Nursery, tmp_path: Path) -> None:
    job = {"deed": "leave somebody running", "folder": str(tmp_path)}
    assert nursery.run(job, LIMITS) is ChildEnd.DONE
    assert not Path("/proc", (tmp_path / "left").read_text()).exists()


def test_a_failure_is_told_by_type_and_place_without_its_words(nursery: Nursery, tmp_path: Path) -> None:
    nursery.run({"deed": "raise", "folder": str(tmp_path)}, LIMITS)
    told = (tmp_path / "failure.txt").read_text()
    assert told.startswith("ValueError at children.py:")
    assert "secret" not in told


def test_a_failure_that_cannot_be_written_is_still_that_failure(nursery: Nursery, tmp_path: Path) -> None:
    assert nursery.run({"deed": "raise", "folder": str(tmp_path / "none")}, LIMITS) is ChildEnd.FAILED


def test_a_child_reaches_no_network_not_even_this_machine(nursery: Nursery, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        socket.create_connection(("127.0.0.1", port)).close()  # the control: from here it can be reached
        job = {"deed": "connect", "folder": str(tmp_path), "port": port}
        assert nursery.run(job, LIMITS) is ChildEnd.FAILED


def test_the_network_is_left_before_anything_is_imported_that_starts_threads(nursery: Nursery, tmp_path: Path) -> None:
    """With several threads only root may leave it, and nobody would be told that the child has it."""
    assert nursery.run({"deed": "note the beginning", "folder": str(tmp_path)}, LIMITS) is ChildEnd.DONE
    *network, threads = json.loads((tmp_path / "beginning").read_text())
    assert network_of().is_left_by(Network(*network))
    assert threads == 1


def test_a_child_opens_no_file_that_it_was_not_given(nursery: Nursery, tmp_path: Path) -> None:
    folder, secret = tmp_path / "job", tmp_path / "secret"
    folder.mkdir()
    secret.write_text("of another principal")
    job = {"deed": "copy", "folder": str(folder), "what": str(secret)}

    assert nursery.run(job, LIMITS) is ChildEnd.FAILED
    assert (folder / "failure.txt").read_text().startswith("PermissionError")
    assert nursery.run(job, LIMITS, [secret]) is ChildEnd.DONE, "the control: it was given"
    assert (folder / "copied").read_text() == "of another principal"
    environment = job | {"what": f"/proc/{os.getpid()}/environ"}
    assert nursery.run(environment, LIMITS) is ChildEnd.FAILED, "nor the keys that its worker was given"


def test_the_next_one_of_a_thread_goes_on_with_the_process_of_the_last(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PYTHONPATH", WHERE)

    def forked_by() -> int:
        with Nursery("support.children:misbehave") as one:
            assert one.run({"deed": "note pids", "folder": str(tmp_path)}, LIMITS) is ChildEnd.DONE
        return int((tmp_path / "pids").read_text().split()[1])

    first = forked_by()
    assert forked_by() == first
    with Nursery("support.children:misbehave") as outer:
        outer.warm()
        assert forked_by() != first, "two at once have two"
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(forked_by).result() != first, "the kernel ends it with the thread that started it"
    monkeypatch.setenv("LANG", "C")
    assert forked_by() != first, "another environment"
    assert not _is_alive(first)


def test_who_asks_python_to_write_no_bytecode_gets_none_from_a_child_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dry run writes nothing, also where its own code lies."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(tmp_path), WHERE)))
    (tmp_path / "quiet.py").write_text("def judge(job): pass\n")

    def written() -> list[Path]:
        with Nursery("quiet:judge") as one:
            assert one.run({"folder": str(tmp_path)}, LIMITS) is ChildEnd.DONE
        return list((tmp_path / "__pycache__").glob("quiet.*"))

    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert written() == []
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE")
    assert written() != [], "control"


def test_one_that_was_left_at_work_serves_nobody_else(nursery: Nursery, tmp_path: Path) -> None:
    with pytest.raises(_Interrupted), _interrupting(), Nursery("support.children:misbehave") as left:
        threading.Timer(0.5, signal.pthread_kill, (threading.main_thread().ident, signal.SIGUSR1)).start()
        left.run({"deed": "sleep", "folder": str(tmp_path)}, LIMITS)
    assert nursery.run({"deed": "raise", "folder": str(tmp_path)}, LIMITS) is ChildEnd.FAILED, "its own answer"


class _Interrupted(Exception):
    """Raised by a signal in the middle of a job."""


@contextmanager
def _interrupting() -> Iterator[None]:
    def interrupt(*_: object) -> None:
        raise _Interrupted

    old = signal.signal(signal.SIGUSR1, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR1, old)


def test_no_process_outlives_its_parent(tmp_path: Path) -> None:
    pid = os.fork()
    if pid == 0:
        os.environ["PYTHONPATH"] = WHERE
        nursery = Nursery("support.children:misbehave")
        nursery.run({"deed": "note pids", "folder": str(tmp_path)}, LIMITS)
        os._exit(0)
    os.waitpid(pid, 0)
    child, parent = map(int, (tmp_path / "pids").read_text().split())
    deadline = time.monotonic() + 60
    while any(map(_is_alive, (child, parent))) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _is_alive(child)
    assert not _is_alive(parent)


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
