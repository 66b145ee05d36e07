"""Private folders, secrets and ports."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from sluice.errors import DiskUnfit
from sluice.services import keeper, plan, redis, seaweed
from sluice.services.model import FolderNotOurs, StackBusy, State
from sluice.services.places import (
    choose_ports,
    is_answering,
    locked,
    make_var,
    own_dir,
    read_ports,
    secret,
    write_private,
)
from sluice.services.stack import standing, take_down
from support.stores import occupied

pytestmark = pytest.mark.slow


def test_var_may_be_crossed_but_nothing_in_it_read_by_others(tmp_path: Path) -> None:
    var = tmp_path / "var"
    make_var(var)
    assert var.stat().st_mode & 0o777 == 0o711
    assert {path.stat().st_mode & 0o777 for path in var.iterdir()} == {0o700}


def made_by_another_user(var: Path) -> str:
    """What making ``var`` ends with, in a process of the user 1."""
    reads, writes = os.pipe()
    if (pid := os.fork()) == 0:
        try:
            os.setgroups([])
            os.setuid(1)
            make_var(var)
        except BaseException as error:
            os.write(writes, str(error).encode())
        finally:
            os._exit(0)
    os.close(writes)
    os.waitpid(pid, 0)
    with os.fdopen(reads, "rb") as said:
        return said.read().decode()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders away")
def test_var_may_be_a_volume_of_root_but_of_no_other_user() -> None:
    """As in Kubernetes, where a volume is root's and everybody may write to it."""
    with tempfile.TemporaryDirectory() as outside:
        Path(outside).chmod(0o755)
        for owner, mode in ((0, 0o2777), (1, 0o755), (2, 0o777), (0, 0o755)):
            (var := Path(outside, f"{owner}-{mode:o}")).mkdir()
            os.chown(var, owner, owner)
            var.chmod(mode)
        volume, own = Path(outside, "0-2777"), Path(outside, "1-755")

        assert made_by_another_user(volume) == made_by_another_user(own) == ""
        assert volume.stat().st_mode & 0o7777 == 0o2777 and own.stat().st_mode & 0o7777 == 0o711
        assert {path.stat().st_mode & 0o777 for path in (*volume.iterdir(), *own.iterdir())} == {0o700}
        for name, because in (("2-777", "EPERM"), ("0-755", "EACCES")):
            assert f"SLU-211 {DiskUnfit.summary}; folder {outside}/{name}; because {because}." in made_by_another_user(
                Path(outside, name)
            )


def test_a_private_file_is_replaced_whole_and_private(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_private(path, "one")
    write_private(path, "two")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("two", 0o600)
    assert list(tmp_path.iterdir()) == [path]


def test_a_private_file_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a power cut leaves it empty on many file systems."""
    path, fsync, seen = tmp_path / "file", os.fsync, list[str]()

    def noted(handle: int) -> None:
        seen.append(f"{path.exists()} {os.fstat(handle).st_size}")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", noted)
    write_private(path, "one")
    assert (seen, path.read_text()) == (["False 3"], "one")


def test_on_a_full_disk_a_private_file_stays_as_it_was_and_leaves_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_private(path, "one")
    asked = (
        "import resource, sys\nfrom pathlib import Path\nfrom sluice.services.places import write_private\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2, 2))\nwrite_private(Path(sys.argv[1]), 'two')"
    )
    done = subprocess.run([sys.executable, "-c", asked, path], stderr=subprocess.PIPE, text=True, check=False)
    assert "File too large" in done.stderr
    assert (path.read_text(), list(tmp_path.iterdir())) == ("one", [path])


def test_what_a_power_cut_left_empty_stops_no_command(tmp_path: Path) -> None:
    make_var(tmp_path)
    for name in ("keeper.json", "plan.json", "asked.json", "ports.json", "weed.pid", "redis.pid"):
        (tmp_path / "run" / name).touch()
    assert keeper.read_standing(tmp_path) is plan.read_plan(tmp_path) is plan.read_asked(tmp_path) is None
    assert seaweed.find(tmp_path) is redis.find(tmp_path) is None and read_ports(tmp_path) == {}
    take_down(tmp_path)
    assert State.UP not in {each.state for each in standing(tmp_path, tmp_path)}


def test_a_folder_where_others_make_folders_must_be_ours_alone(tmp_path: Path) -> None:
    path = tmp_path / "sockets"
    assert own_dir(path) == own_dir(path) == path  # the control
    path.chmod(0o750)
    with pytest.raises(FolderNotOurs, match="SLU-118"):
        own_dir(path)
    path.rmdir()
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FolderNotOurs):
        own_dir(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders away")
def test_a_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    os.chown(own_dir(tmp_path / "sockets"), 1, 1)
    with pytest.raises(FolderNotOurs):
        own_dir(tmp_path / "sockets")


def test_a_secret_is_made_once_and_stays(tmp_path: Path) -> None:
    first = secret(tmp_path, "a")
    assert secret(tmp_path, "a") == first != secret(tmp_path, "b")
    assert len(first) == 64


def test_a_free_port_is_kept_between_starts(tmp_path: Path) -> None:
    first = choose_ports(tmp_path, ["one", "two"])
    assert choose_ports(tmp_path, ["one", "two"]) == first
    assert first["one"] != first["two"]


def test_a_port_that_somebody_else_took_is_replaced(tmp_path: Path) -> None:
    first = choose_ports(tmp_path, ["one"])["one"]
    with occupied(first):
        assert is_answering(first)
        assert choose_ports(tmp_path, ["one"])["one"] != first


def test_only_one_process_holds_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with locked(path, wait=False), pytest.raises(StackBusy), locked(path, wait=False):
        pass
    with locked(path, wait=False):
        pass
