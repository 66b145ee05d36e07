"""Whoever is confined opens what it was given and what Python needs, and nothing else; the control is free."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

TRY = """
import json, os, signal, sys
from pathlib import Path
from sluice.kernel import confine, deny

folder, how, *denied = sys.argv[1:]
folder, others = Path(folder), int(sys.stdin.readline())

def tried(deed):
    try:
        deed()
    except OSError:
        return False
    return True

def child():
    read, write = os.pipe()
    if os.fork() == 0:
        os.write(write, b"1" if tried((folder / "secret").read_text) else b"0")
        os._exit(0)
    if os.read(read, 1) == b"0":
        raise OSError

assert not denied or deny(*denied)
held = confine([folder / "given", folder / "none"], [folder / "own"]) if how == "confined" else False
print(json.dumps({
    "held": held,
    "given": tried((folder / "given").read_text),
    "library": tried(lambda: __import__("polars")),
    "own": tried(lambda: (folder / "own" / "new").write_text("")) and tried((folder / "own" / "new").unlink),
    "secret": tried((folder / "secret").read_text),
    "secret of a child": tried(child),
    "list": tried(lambda: os.listdir(folder)),
    "write over": tried(lambda: (folder / "given").open("r+")),
    "write beside": tried(lambda: (folder / "new").write_text("")),
    "truncate": tried(lambda: os.truncate(folder / "other", 0)),
    "link in": tried(lambda: os.link(folder / "secret", folder / "own" / "linked")),
    "environment": tried(Path(f"/proc/{others}/environ").read_bytes),
    "memory": tried(lambda: Path(f"/proc/{others}/mem").open("rb")),
    "signal": tried(lambda: os.kill(others, signal.SIGCONT)),
}))
"""
ALLOWED = {"given", "library", "own"}
SINCE = {"truncate": 3, "signal": 6}
"""The version of Landlock that was the first to deny it; the others are as old as Landlock."""


def tried(folder: Path, how: str, *denied: str) -> dict[str, bool]:
    (folder / "own").mkdir(exist_ok=True)
    (folder / "own" / "linked").unlink(missing_ok=True)
    for name in ("given", "secret", "other"):
        (folder / name).write_text(name)
    with subprocess.Popen(["sleep", "60"]) as other:
        command = [sys.executable, "-P", "-c", TRY, str(folder), how, *denied]
        done = subprocess.run(command, input=f"{other.pid}\n", check=True, capture_output=True, text=True)
        other.kill()
    found: dict[str, bool] = json.loads(done.stdout)
    return found


def test_who_is_confined_does_what_it_may_and_nothing_else(tmp_path: Path) -> None:
    found = tried(tmp_path, "confined")
    if not found.pop("held"):
        pytest.skip("this kernel has no Landlock")
    assert {name for name, done in found.items() if done} - set(SINCE) == ALLOWED


@pytest.mark.parametrize("denied", [("landlock_create_ruleset",), ("landlock_restrict_self",)], ids=" ".join)
def test_where_the_kernel_has_none_that_is_told_and_all_can_be_done(tmp_path: Path, denied: tuple[str, ...]) -> None:
    assert tried(tmp_path, "confined", *denied) == tried(tmp_path, "free")


def test_the_control_does_everything(tmp_path: Path) -> None:
    found = tried(tmp_path, "free")
    assert [name for name, done in found.items() if not done] == ["held"]
    assert (tmp_path / "secret").samefile(tmp_path / "own" / "linked")
