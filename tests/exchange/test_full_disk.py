"""A disk of ours that is full or read-only is no fault of a file: no attempt counts, and the file is judged later."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sluice.errors import DiskUnfit, GateFailed, Ref
from sluice.exchange.workroom import ROOM_BYTES, check_room, private_folder
from support.desk import ENERGY, Desk, environment
from support.installation import examine_one

TRIES = 4
"""One more than those of a child that died."""
DRAIN = f"""
import json, os, sys
from sluice.exchange.drain import drain
from sluice.exchange.house import open_house
from sluice.settings import get_settings
from sluice.terms import Direction, Flow, Principal
work = get_settings().var / "work"
with open_house(get_settings()) as house:
    def once():
        house.conn.execute("update exchange set next_attempt_at = now()")
        done = drain(house, Direction.INBOUND, Principal("{ENERGY[0]}"), Flow("{ENERGY[1]}"), {{}})
        [line] = house.conn.execute("select decision, attempts, last_error from exchange").fetchall()
        return [done.held_up, line["decision"], line["attempts"], line["last_error"]]
    full = []
    for room in map(int, sys.argv[1:]):
        free = os.statvfs(work)
        (work / "filler").write_bytes(bytes(free.f_bavail * free.f_frsize - room))
        full += [once() for _ in range({TRIES})]
        (work / "filler").unlink()
    print(json.dumps([full, once()]))
"""
LOOK = """
import subprocess, sys
from sluice.settings import get_settings
from support.installation import examine_one
for options in sys.argv[1:]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", get_settings().var], check=True)
    found = examine_one("disk", get_settings())
    print(found.ok, found.is_missing, found.detail)
    subprocess.run(["umount", get_settings().var], check=True)
"""
ON_A_SMALL_DISK = 'mount -t tmpfs -o size=96m tmpfs "$1" && shift && exec "$0" "$@"'


def can_mount() -> bool:
    unshare = shutil.which("unshare")
    return unshare is not None and subprocess.run([unshare, "-m", "true"], check=False).returncode == 0


@pytest.mark.stores
@pytest.mark.skipif(not can_mount(), reason="only root with a mount namespace mounts a small disk")
def test_where_the_disk_is_full_a_file_waits_and_is_judged_once_there_is_room(desk: Desk, tmp_path: Path) -> None:
    """No room for the file; then for the file, and not for what is made of it."""
    desk.drop(desk.campaign(rows=200)[0])
    desk.open_new()
    work, script = desk.settings.var / "work", tmp_path / "drain.py"
    work.mkdir(exist_ok=True)
    script.write_text(DRAIN)

    command = ["unshare", "-m", "sh", "-c", ON_A_SMALL_DISK, sys.executable, work, script, "0", "60000"]
    done = subprocess.run(command, env=environment(desk.settings), capture_output=True, text=True, check=True)

    full, after = json.loads(done.stdout)
    assert full == [[1, "open", 0, DiskUnfit.code]] * 2 * TRIES
    assert after == [0, "accepted", 1, None]


@pytest.mark.stores
def test_a_folder_that_cannot_be_made_is_told_by_its_cause_and_another_fault_as_it_is(desk: Desk) -> None:
    work = desk.settings.var / "work"
    with pytest.raises(GateFailed), private_folder(desk.house):
        raise GateFailed(Ref("child", "control"))
    with pytest.raises(KeyError), private_folder(desk.house):
        raise KeyError("control")
    with pytest.raises(DiskUnfit, match="because EROFS"), private_folder(desk.house):
        raise OSError(30, "read-only", str(work))


def test_a_file_that_swells_beyond_the_room_it_may_take_is_to_blame_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "arrived").write_bytes(bytes(1000))
    free = ROOM_BYTES + 3000
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(2 * free, free, free))  # type: ignore[attr-defined]
    check_room(tmp_path)
    (tmp_path / "arrived").write_bytes(bytes(1001))
    with pytest.raises(DiskUnfit, match="because ENOSPC; MiB free 64"):
        check_room(tmp_path)


@pytest.mark.stores
@pytest.mark.skipif(not can_mount(), reason="only root with a mount namespace mounts a small disk")
def test_the_doctor_tells_a_disk_that_is_short_of_room_and_one_that_is_read_only(desk: Desk, tmp_path: Path) -> None:
    assert examine_one("disk", desk.settings).ok, "the control"
    script = tmp_path / "look.py"
    script.write_text(LOOK)
    surroundings = environment(desk.settings) | {"PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    command = ["unshare", "-m", sys.executable, script, "size=8m", "size=96m", "size=96m,ro"]
    done = subprocess.run(command, env=surroundings, capture_output=True, text=True, check=True)
    told = done.stdout.splitlines()
    assert told[0].startswith("False True SLU-211") and "because ENOSPC; MiB free 8." in told[0]
    assert told[1] == "True True 96 MiB free where SLUICE_VAR lies"
    assert told[2].startswith("False True SLU-211") and "because EROFS" in told[2]
