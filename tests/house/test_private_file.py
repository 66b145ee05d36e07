"""What an export verb writes is for its owner alone, whole or not there; its place is looked at first."""

import errno
import os
import resource
import signal
import stat
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from sluice.cli.private_file import PlaceUnfit, _write_new, private_file
from sluice.errors import FileMissing


@pytest.fixture(autouse=True)
def open_umask() -> Iterator[None]:
    """A umask of 0, under which new files are open to everybody."""
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
        (tmp_path / f"{'x' * 300}.pdf", False, PlaceUnfit),
        (tmp_path / f"{'x' * 300}.pdf", True, PlaceUnfit),
        (tmp_path / ("x" * 300) / "notes.csv", False, PlaceUnfit),
        (tmp_path / "a\0b", False, PlaceUnfit),
        (tmp_path / "there" / "notes.csv", False, FileMissing),
        (Path("/proc/notes.csv"), False, PlaceUnfit),  # nobody may write there, not even root
    ):
        with pytest.raises(error, match="option --to"), private_file("--to", place, is_new=is_new):
            pytest.fail("the block ran")


def test_the_longest_name_that_a_file_can_have_is_one(tmp_path: Path) -> None:
    target = tmp_path / f"{'x' * 251}.pdf"
    with private_file("--to", target) as write:
        write(b"new")
    assert modes(tmp_path) == {target.name: 0o600}


@pytest.mark.parametrize("is_new", [True, False])
def test_what_somebody_put_there_meanwhile_stays_where_nothing_may_have_been(tmp_path: Path, is_new: bool) -> None:
    target = tmp_path / "notice.json"
    expected = pytest.raises(PlaceUnfit) if is_new else nullcontext()
    with expected, private_file("--to", target, is_new=is_new) as write:
        target.write_bytes(b"of another")
        write(b"ours")
    assert target.read_bytes() == (b"of another" if is_new else b"ours")
    assert [path.name for path in tmp_path.iterdir()] == [target.name]


@pytest.fixture(params=[errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS])
def disk_without_links(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk on which link(2) fails, as on exFAT and some mounts."""

    def refuse(source: Path, target: Path) -> None:
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr(os, "link", refuse)


@pytest.mark.usefixtures("disk_without_links")
def test_on_a_disk_without_links_a_new_file_is_there_whole_private_and_never_in_place_of_another(
    tmp_path: Path,
) -> None:
    target = tmp_path / "notice.json"
    with private_file("--to", target, is_new=True) as write:
        write(b"new")
    assert modes(tmp_path) == {target.name: 0o600} and target.read_bytes() == b"new"

    late = tmp_path / "late.json"
    with pytest.raises(PlaceUnfit), private_file("--to", late, is_new=True) as write:
        late.write_bytes(b"of another")
        write(b"ours")
    assert late.read_bytes() == b"of another"


@pytest.mark.usefixtures("disk_without_links")
def test_a_disk_without_links_that_is_full_keeps_no_half_of_a_file(tmp_path: Path) -> None:
    target, limits = tmp_path / "notice.json", resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with pytest.raises(OSError, match="large") as failed:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
            _write_new(target, bytes(5000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert failed.value.errno == errno.EFBIG and modes(tmp_path) == {}


def test_another_fault_of_the_disk_is_not_taken_for_one_without_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(source: Path, target: Path) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(os, "link", broken)
    with pytest.raises(PlaceUnfit), private_file("--to", tmp_path / "x.json", is_new=True) as write:
        write(b"x")
    assert modes(tmp_path) == {}


def test_a_full_disk_has_its_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: bytes) -> int:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(PlaceUnfit), private_file("--to", tmp_path / "notes.csv") as write:
        write(b"x")
    assert modes(tmp_path) == {}
