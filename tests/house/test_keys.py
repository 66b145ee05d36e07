"""Keys outlive a loss of power, because what was made with them is committed at once; one that did not says so."""

import os
import shutil
import stat
from pathlib import Path

import pytest

from sluice.errors import EvidenceInvalid
from sluice.key_files import KeyLost, KeyOutOfReach, write_secret_once
from sluice.keys import KeyFound, Keyring
from sluice.settings import Settings
from sluice.terms import Principal

ENERGY, TELECOM = Principal("energy01"), Principal("telecom01")


def keyring(folder: Path) -> Keyring:
    return Keyring.open(Settings(var=folder, home=folder, keys_dir=folder / "keys"))


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What reaches the disk, in order: the bytes of files, the names in folders, links."""
    found: list[str] = []
    fsync, link = os.fsync, os.link

    def noted_fsync(handle: int) -> None:
        fsync(handle)
        is_folder = stat.S_ISDIR(os.fstat(handle).st_mode)
        name = Path(f"/proc/self/fd/{handle}").readlink().name
        found.append(f"folder {name}" if is_folder else f"file of {os.fstat(handle).st_size}")

    def noted_link(source: Path, target: Path) -> None:
        link(source, target)
        found.append(f"link {target.name}")

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "link", noted_link)
    return found


def test_a_key_is_on_the_disk_before_anything_is_made_with_it(tmp_path: Path, done: list[str]) -> None:
    var = tmp_path / "var"
    var.mkdir()

    write_secret_once(var / "keys" / "energy01" / "subject.wrapped", lambda: b"12345678")

    assert done == ["folder var", "folder keys", "file of 8", "link subject.wrapped", "folder energy01", "folder keys"]


def test_a_draft_that_could_not_be_written_is_not_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "keys" / "energy01" / "subject.wrapped"
    path.parent.mkdir(parents=True)
    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(OSError, match="No space"):
        write_secret_once(path, lambda: b"12345678")
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("name", ["secrets/master.key", "secrets/signing.pem"])
def test_an_empty_file_of_a_key_names_itself(tmp_path: Path, name: str) -> None:
    keyring(tmp_path)
    (tmp_path / name).write_bytes(b"")

    with pytest.raises(KeyLost, match=f"SLU-116 .*file .*{name}"):
        keyring(tmp_path)


@pytest.mark.parametrize("name", ["master.key", "signing.pem"])
def test_where_a_key_of_ours_is_gone_no_new_one_is_made_beside_those_of_principals(tmp_path: Path, name: str) -> None:
    """Else what came meanwhile could not be opened, or verified, once the old one is back."""
    first = keyring(tmp_path).subject_key(ENERGY)
    lost = tmp_path / "secrets" / name
    kept = lost.read_bytes()
    lost.unlink()

    for _ in range(2):
        with pytest.raises(KeyLost, match=rf"SLU-116 .*file .*secrets/{name}\..*SLUICE_SIGNING_KEY as they were"):
            keyring(tmp_path)
    assert not lost.exists()

    lost.write_bytes(kept)
    assert keyring(tmp_path).subject_key(ENERGY) == first, "the control"
    shutil.rmtree(tmp_path / "keys")
    lost.unlink()
    assert keyring(tmp_path).master, "an installation that begins"


def test_an_empty_file_of_a_principals_key_names_itself(tmp_path: Path) -> None:
    ring = keyring(tmp_path)
    first = ring.subject_key(ENERGY)
    assert (ring.has(ENERGY, "subject"), ring.subject_key(ENERGY)) == (True, first), "control"
    (tmp_path / "keys" / ENERGY / "subject.wrapped").write_bytes(b"")

    for ask in (
        ring.subject_key,
        lambda name: ring.has(name, "subject"),
        lambda name: ring.fingerprint(name, "subject"),
    ):
        with pytest.raises(KeyLost, match=r"file .*energy01/subject\.wrapped"):
            ask(ENERGY)
    assert [key.fingerprint for key in ring.list_keys()] == [None]


@pytest.mark.parametrize("blocked", ["keys", "keys/energy01"])
def test_a_key_that_cannot_be_made_where_it_belongs_names_itself_and_the_cure(tmp_path: Path, blocked: str) -> None:
    """A folder that is brought read-only cannot be written either; for whoever may do anything only this cannot."""
    ring = keyring(tmp_path)
    telecom = ring.subject_key(TELECOM) if blocked != "keys" else None
    (tmp_path / blocked).write_bytes(b"no folder")

    for attempt, purpose in (
        (ring.subject_key, "subject"),
        (ring.quarantine_identity, "quarantine"),
        (lambda name: ring.forbid(name, "openpgp"), "openpgp"),
    ):
        with pytest.raises(KeyOutOfReach, match=f"SLU-119 .*key energy01/{purpose}; .*Cure: .*SLUICE_KEYS_DIR"):
            attempt(ENERGY)
    assert not ring.has(ENERGY, "subject"), "that there is none can be said"
    assert telecom is None or ring.subject_key(TELECOM) == telecom, "what was brought is read"


def test_a_key_that_lies_there_and_cannot_be_read_or_destroyed_names_itself(tmp_path: Path) -> None:
    ring = keyring(tmp_path)
    (tmp_path / "keys" / ENERGY / "subject.wrapped").mkdir(parents=True)

    for attempt in (
        ring.subject_key,
        lambda name: ring.has(name, "subject"),
        lambda name: ring.fingerprint(name, "subject"),
        lambda name: ring.destroy(name, "subject"),
    ):
        with pytest.raises(KeyOutOfReach, match="key energy01/subject; because EISDIR"):
            attempt(ENERGY)


@pytest.mark.parametrize(("blocked", "named"), [("secrets", "ENOTDIR|EEXIST"), ("secrets/master.key/x", "EISDIR")])
def test_the_installations_own_key_that_cannot_be_made_or_read_names_itself(
    tmp_path: Path, blocked: str, named: str
) -> None:
    (tmp_path / blocked).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / blocked).write_bytes(b"")

    with pytest.raises(KeyOutOfReach, match=rf"key secrets/master\.key; because ({named}).*Cure: .*var/secrets"):
        keyring(tmp_path)


def test_a_place_of_the_installations_own_keys_that_cannot_be_looked_into_names_itself(tmp_path: Path) -> None:
    """As where another user made var/secrets; for whoever may do anything only a name like this one is denied."""
    with pytest.raises(KeyOutOfReach, match=r"key secrets/master\.key; because ENAMETOOLONG.*Cure: .*var/secrets"):
        keyring(tmp_path / ("x" * 300))


def test_a_folder_of_keys_that_is_none_is_not_an_empty_one(tmp_path: Path) -> None:
    ring = keyring(tmp_path)
    assert ring.list_keys() == [], "control: nothing was made yet"
    (tmp_path / "keys").write_bytes(b"no folder")

    with pytest.raises(KeyOutOfReach, match="key keys; because ENOTDIR"):
        ring.list_keys()


@pytest.mark.parametrize("looked", [1, 2, 3])
def test_a_key_that_is_destroyed_while_keys_are_listed_is_listed_as_destroyed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, looked: int
) -> None:
    """It is destroyed right before the listing looks for a file of it for the n-th time."""
    ring, looks, exists = keyring(tmp_path), list[Path](), Path.exists
    ring.subject_key(ENERGY)
    fingerprint = ring.fingerprint(ENERGY, "subject")

    def destroyed_before(path: Path) -> bool:
        looks.append(path)
        if path.parent.name == ENERGY and len([each for each in looks if each.parent.name == ENERGY]) == looked:
            monkeypatch.setattr(Path, "exists", exists)
            keyring(tmp_path).destroy(ENERGY, "subject", fingerprint)
        return exists(path)

    monkeypatch.setattr(Path, "exists", destroyed_before)

    assert ring.list_keys() == [KeyFound(ENERGY, "subject", True, fingerprint)]


def test_a_key_whose_file_went_without_a_mark_while_keys_are_listed_has_no_fingerprint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring, exists = keyring(tmp_path), Path.exists
    ring.subject_key(ENERGY)

    def gone_before(path: Path) -> bool:
        (tmp_path / "keys" / ENERGY / "subject.wrapped").unlink(missing_ok=True)
        return exists(path)

    monkeypatch.setattr(Path, "exists", lambda path: gone_before(path) if path.parent.name == ENERGY else exists(path))

    assert ring.list_keys() == [KeyFound(ENERGY, "subject", False, None)]


def test_a_key_that_was_never_made_is_forbidden_by_an_empty_mark(tmp_path: Path) -> None:
    ring = keyring(tmp_path)

    ring.forbid(ENERGY, "subject")

    assert ring.is_destroyed(ENERGY, "subject")
    assert (tmp_path / "keys" / ENERGY / "subject.destroyed").read_bytes() == b""


def test_a_key_in_the_place_of_another_does_not_open(tmp_path: Path) -> None:
    """As after a restore into the wrong folder."""
    keys = keyring(tmp_path)
    keys.subject_key(ENERGY)
    keys.quarantine_identity(ENERGY)
    folder = tmp_path / "keys" / "energy01"
    shutil.copytree(folder, tmp_path / "keys" / "telecom01")
    with pytest.raises(EvidenceInvalid, match="telecom01/subject"):
        keys.subject_key(TELECOM)
    with pytest.raises(EvidenceInvalid, match="telecom01/quarantine"):
        keys.has(TELECOM, "quarantine")
    shutil.copy(folder / "quarantine.wrapped", folder / "subject.wrapped")
    with pytest.raises(EvidenceInvalid, match="energy01/subject"):
        keys.subject_key(ENERGY)
