"""The two commands of README and tutorial as a stranger types them: a fresh clone, an empty home, cold, warm, down."""

import os
import re
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from handbook.commands import HOUSE
from support.installation import Record

pytestmark = [pytest.mark.journey, pytest.mark.evidence, pytest.mark.long, pytest.mark.timeout(1800)]
OF_THE_MACHINE = ("PATH", "LANG", "SSL_CERT_FILE", "HTTPS_PROXY", "NO_PROXY", "UV_INDEX_URL", "PIP_INDEX_URL")


def typed(folder: Path, *words: str) -> str:
    """What a command says, typed by somebody who has nothing but the machine."""
    home = folder.parent / "home"
    home.mkdir(exist_ok=True)
    given = {name: value for name in OF_THE_MACHINE if (value := os.environ.get(name))}
    done = subprocess.run(words, cwd=folder, env={**given, "HOME": str(home)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


def started_in(folder: Path) -> list[psutil.Process]:
    """Processes whose program or folder is in a checkout."""
    found = psutil.process_iter(["cmdline", "cwd"])
    return [each for each in found if str(folder) in " ".join([each.info["cwd"] or "", *(each.info["cmdline"] or ())])]


@pytest.mark.parametrize("warm", [2])
def test_a_stranger_clones_it_and_sees_the_whole_story(tmp_path: Path, warm: int, record_property: Record) -> None:
    clone = tmp_path / "sluice"
    typed(tmp_path, "git", "clone", "--quiet", str(HOUSE), str(clone))
    try:
        for name in ("cold", *(f"warm, {number + 1}" for number in range(warm))):
            began = time.monotonic()
            said = typed(clone, "make", "demo")
            holds = len(re.findall(r"^│ holds ", said, re.MULTILINE))
            record_property(f"make demo, {name}", f"{time.monotonic() - began:.0f} s, {holds} lines hold")
            assert holds >= 45 and "FAILS" not in said and "http://127.0.0.1:" in said
            assert started_in(clone), "its services go on running"
    finally:
        typed(clone, "make", "down")
    assert started_in(clone) == []
