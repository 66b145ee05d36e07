"""Readers say of every file what the scanner says in this process, and nobody else learns what they look for."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from scan.plants import ENCODINGS, people
from sluice.scan.model import Reason, Status
from sluice.scan.needles import needles_of
from sluice.scan.readers import Readers, _asked
from sluice.scan.walk import scan_bytes

VALUES = people(40)
WORDS = ["0f" * 16]
AGE = b"age-encryption.org/v1\n-> X25519 "


@pytest.fixture
def readers() -> Iterator[Readers]:
    with Readers(VALUES, WORDS, count=2) as begun:
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


def test_what_is_encrypted_is_said_to_be(readers: Readers, tmp_path: Path) -> None:
    (tmp_path / "sealed").write_bytes(AGE + os.urandom(200))

    scan = readers.scan(tmp_path / "sealed")

    assert scan is not None and [doubt.reason for doubt in scan.doubts] == [Reason.ENCRYPTED]


def test_one_that_dies_costs_an_answer_and_the_next_is_begun_anew(readers: Readers, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(VALUES[0].encode())
    assert readers.scan(tmp_path / "a") is not None
    [child] = _children()
    child.send_signal(signal.SIGKILL)
    child.wait()

    assert readers.scan(tmp_path / "a") is None
    scan = readers.scan(tmp_path / "a")
    assert scan is not None and scan.status is Status.HIT


def test_half_an_answer_is_none() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "input(); print('{', end='')"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as dying:
        assert _asked(dying, "{}") == ""


def test_a_file_that_is_not_there_is_no_answer(readers: Readers, tmp_path: Path) -> None:
    assert readers.scan(tmp_path / "nowhere") is None


def test_they_are_told_by_no_argument_and_no_variable_and_get_no_key(
    readers: Readers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_SECRET", "s3cr3t")
    (tmp_path / "a").write_bytes(b"nobody")
    readers.scan(tmp_path / "a")
    [child] = _children()

    open_to_all = " ".join([*child.cmdline(), *(f"{name}={value}" for name, value in child.environ().items())])

    assert "s3cr3t" not in open_to_all
    assert [value for value in (*VALUES, *WORDS) if value in open_to_all] == []


def test_they_end_with_whoever_started_them_however_that_ends(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"nobody")
    code = (
        "import sys, time; from pathlib import Path; from sluice.scan.readers import Readers\n"
        "readers = Readers(['jan.peeters@post.example'], [], 1); readers.scan(Path(sys.argv[1]))\n"
        "print(readers._begun[0].pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code, tmp_path / "a"], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        reader = psutil.Process(int(parent.stdout.readline()))
        assert _is_reader(reader), "control: it is there"
        parent.kill()
    psutil.wait_procs([reader], timeout=60)

    assert not _is_reader(reader)


def test_they_end_with_the_block(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"nobody")
    with Readers(VALUES, WORDS) as readers:
        readers.scan(tmp_path / "a")
        assert len(_children()) == 1

    assert _children() == []
    assert readers.scan(tmp_path / "a") is None
    assert _children() == []
