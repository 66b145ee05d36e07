"""Readers say of every file what the scanner says in this process, and nobody else learns what they look for."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from scan.pdfs import pdf_bomb
from scan.plants import ENCODINGS, people
from sluice.scan.model import Reason, Status
from sluice.scan.needles import needles_of
from sluice.scan.readers import TOO_HEAVY, Most, Readers, _asked
from sluice.scan.walk import scan_bytes
from support.children import network_of

VALUES = people(40)
WORDS = ["0f" * 16]
AGE = b"age-encryption.org/v1\n-> X25519 "


@pytest.fixture
def readers(tmp_path: Path) -> Iterator[Readers]:
    with Readers(tmp_path, VALUES, WORDS, count=2) as begun:
        yield begun


def _children() -> list[psutil.Process]:
    return [each for each in psutil.Process().children() if _is_reader(each)]


def _is_reader(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
        return "sluice.scan.readers" in " ".join(process.cmdline())
    return False


def test_they_answer_as_the_scanner_does(readers: Readers, tmp_path: Path) -> None:
    paths = []
    for number, (encode, value) in enumerate(zip(ENCODINGS.values(), VALUES, strict=False)):
        paths += [tmp_path / f"{number}.hit", tmp_path / f"{number}.clean"]
        paths[-2].write_bytes(b"before " + encode(value) + b" after")
        paths[-1].write_bytes(b"nobody at all")
    needles = needles_of(VALUES, words=WORDS)

    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(readers.scan, paths))

    assert said == [scan_bytes(path, needles) for path in paths]
    assert {scan.status for scan in said if scan} >= {Status.HIT, Status.CLEAN}
    assert len(_children()) == 2
    (tmp_path / "sealed").write_bytes(AGE + os.urandom(200))
    sealed = readers.scan(tmp_path / "sealed")
    assert sealed is not None and [doubt.reason for doubt in sealed.doubts] == [Reason.ENCRYPTED]
    assert readers.scan(tmp_path / "nowhere") is None, "a file that is not there is no answer"
    for child in _children():
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert readers.scan(paths[0]) == said[0], "one that died before it was asked costs no answer"


@pytest.mark.slow
def test_one_that_is_killed_over_a_file_leaves_a_doubt_and_the_next_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "slow.pdf").write_bytes(pdf_bomb(100))
    (tmp_path / "a").write_bytes(VALUES[0].encode())
    with Readers(tmp_path, VALUES, WORDS, 1) as readers, ThreadPoolExecutor(1) as pool:
        readers.scan(tmp_path / "a")
        [child] = _children()
        waiting = pool.submit(readers.scan, tmp_path / "slow.pdf")
        while child.cpu_times().user < 1:  # it is at it
            assert not waiting.done()
            time.sleep(0.05)
        child.send_signal(signal.SIGKILL)

        assert waiting.result(60) == TOO_HEAVY
        scan = readers.scan(tmp_path / "a")
    assert scan is not None and scan.status is Status.HIT


@pytest.mark.slow
@pytest.mark.parametrize(
    "most", [Most(memory_mb=256), Most(cpu_seconds=1), Most(wall_seconds=1)], ids=["memory", "cpu", "wall"]
)
def test_a_file_that_takes_too_much_leaves_a_doubt_and_not_its_reader(most: Most, tmp_path: Path) -> None:
    bomb, plain = tmp_path / "bomb.pdf", tmp_path / "plain"
    bomb.write_bytes(pdf_bomb(100))
    plain.write_bytes(VALUES[0].encode())
    began = time.monotonic()

    with Readers(tmp_path, VALUES, WORDS, 1, most) as readers:
        assert readers.scan(bomb) == TOO_HEAVY
        scan = readers.scan(plain)
        assert len(_children()) == 1

    assert _children() == [], "they end with the block"
    assert readers.scan(plain) is None and _children() == []
    assert scan is not None and scan.status is Status.HIT
    assert bomb.stat().st_size < 1 << 20 and time.monotonic() - began < 60


@pytest.mark.slow
def test_limits_count_from_each_file_on(tmp_path: Path) -> None:
    """A reader lives for many files, and none pays for those before it."""
    (tmp_path / "a.pdf").write_bytes(pdf_bomb(2))
    needles = needles_of(VALUES, words=WORDS)
    with Readers(tmp_path, VALUES, WORDS, 1, Most(memory_mb=1024, cpu_seconds=1)) as readers:
        said = [readers.scan(tmp_path / "a.pdf")]
        [child] = _children()
        while child.cpu_times().user <= 1.5:  # all together they take more than one may
            said.append(readers.scan(tmp_path / "a.pdf"))
        assert _children() == [child]

    assert len(said) > 2 and set(said) == {scan_bytes(tmp_path / "a.pdf", needles)}


def test_words_of_others_are_asked_for_when_one_is_begun(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"an.claes@post.example")
    longer = {"claes@post.example": {"an.claes@post.example"}}
    with (
        Readers(tmp_path, list(longer), [], 1) as plain,
        Readers(tmp_path, list(longer), [], 1, longer=lambda: longer) as told,
    ):
        said = [each.scan(tmp_path / "a") for each in (plain, told)]

    assert [scan.status for scan in said if scan] == [Status.HIT, Status.CLEAN]


def test_half_an_answer_is_none() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "input(); print('{', end='')"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as dying:
        assert _asked(dying, "{}") == ""


def test_they_are_told_by_no_argument_and_no_variable_get_no_key_and_are_in_a_network_of_their_own(
    readers: Readers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_SECRET", "s3cr3t")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    (tmp_path / "a").write_bytes(b"nobody")
    readers.scan(tmp_path / "a")
    [reader] = _children()

    open_to_all = " ".join([*reader.cmdline(), *(f"{name}={value}" for name, value in reader.environ().items())])

    assert "s3cr3t" not in open_to_all
    assert "PYTHONDONTWRITEBYTECODE=1" in open_to_all, "who asks for no bytecode gets none from them either"
    assert [value for value in (*VALUES, *WORDS) if value in open_to_all] == []

    with subprocess.Popen(["sleep", "30"]) as child:
        theirs, childs, ours = (network_of(pid) for pid in (reader.pid, child.pid, "self"))
        child.kill()
    assert not ours.is_left_by(childs), "the control: any other child is in ours"
    assert ours.is_left_by(theirs)
    assert reader.num_threads() == 1, "with more of them only root may leave the network"


def test_they_end_with_whoever_started_them_however_that_ends(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"nobody")
    code = (
        "import sys, time; from pathlib import Path; from sluice.scan.readers import Readers\n"
        "path = Path(sys.argv[1]); readers = Readers(path.parent, ['jan.peeters@post.example'], [], 1)\n"
        "readers.scan(path)\n"
        "print(readers._begun[0].pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code, tmp_path / "a"], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        reader = psutil.Process(int(parent.stdout.readline()))
        assert _is_reader(reader), "control: it is there"
        parent.kill()
    psutil.wait_procs([reader], timeout=60)

    assert not _is_reader(reader)
