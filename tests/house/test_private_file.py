"""What an export verb writes is for its owner alone, whole or not there; its place is looked at first."""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from sluice.cli.private_file import PlaceUnfit, private_file
from sluice.errors import FileMissing


@pytest.fixture(autouse=True)
def open_umask() -> Iterator[None]:
    """A umask that gives everything away."""
    before = os.umask(0)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


def test_the_file_is_for_its_owner_alone_from_its_first_byte_whatever_was_there(tmp_path: Path) -> None:
    target = tmp_path / "notes.csv"
    target.write_text("old")
    target.chmod(0o666)

    with private_file("--to", target) as write:
        [draft] = set(modes(tmp_path)) - {"notes.csv"}
        assert modes(tmp_path)[draft] == 0o600 and target.read_text() == "old"
        write(b"new")

    assert modes(tmp_path) == {"notes.csv": 0o600} and target.read_bytes() == b"new"


def test_a_block_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "notes.csv"
    with pytest.raises(RuntimeError), private_file("--to", target):
        raise RuntimeError
    assert modes(tmp_path) == {}


def test_a_place_that_takes_no_file_stops_the_block_before_it_begins(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "there").touch()
    (tmp_path / "link").symlink_to(tmp_path / "there")
    for place, is_new, error in (
        (tmp_path / "nowhere" / "notes.csv", False, FileMissing),
        (tmp_path / "folder", False, PlaceUnfit),
        (tmp_path / "link", False, PlaceUnfit),
        (tmp_path / "there", True, PlaceUnfit),
        (Path("/dev/null"), False, PlaceUnfit),
        (Path("/proc/notes.csv"), False, PlaceUnfit),  # nobody may write there, not even root
    ):
        with pytest.raises(error, match="option --to"), private_file("--to", place, is_new=is_new):
            pytest.fail("the block ran")


def test_a_full_disk_has_its_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: bytes) -> int:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(PlaceUnfit), private_file("--to", tmp_path / "notes.csv") as write:
        write(b"x")
    assert modes(tmp_path) == {}
