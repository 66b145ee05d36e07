"""The files of keys: written once and through to the disk, read whole, overwritten before they go."""

import errno
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from sluice.errors import Exit, Ref, SluiceError


class KeyLost(SluiceError):
    code = "SLU-116"
    summary = "a key that was used is not there any more"
    cure = (
        "restore its file from the backup of SLUICE_KEYS_DIR or var/secrets, or set SLUICE_MASTER_KEY and "
        "SLUICE_SIGNING_KEY as they were; with new ones nobody is recognised, and no receipt verified"
    )
    exit = Exit.MISSING


class KeyOutOfReach(SluiceError):
    """The operating system denies access to a key, e.g. a new principal's where the keys folder is mounted read-only.

    The file that is being judged is not to blame.
    """

    code = "SLU-119"
    summary = "a key cannot be read, made or destroyed here"
    cure = (
        "let SLUICE_KEYS_DIR, and var/secrets where the master or signing key is not set, be read and written; where "
        "they are brought read-only, do it on the machine that writes and bring them anew "
        "(docs/how-to/more-than-one-machine.md)"
    )
    exit = Exit.MISSING


def write_secret_once(path: Path, make: Callable[[], bytes]) -> bytes:
    """Create ``path`` (mode 0600) from ``make()`` unless it exists; return its content.

    When several processes do this at once, exactly one value wins, because ``link`` refuses an existing name. The file
    survives a loss of power, so whatever is made with the key may be committed at once. Raises KeyLost for an empty
    file.
    """
    if not path.exists():
        create_once(path, make())
    return read_whole(path)


def create_once(path: Path, content: bytes) -> None:
    """Write a whole file and its name through to the disk, unless the file exists."""
    for folder in (path.parent.parent, path.parent):
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            _sync(folder.parent)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with open(draft, "xb", opener=partial(os.open, mode=0o600)) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    for folder in (path.parent, path.parent.parent):
        _sync(folder)


def read_whole(path: Path) -> bytes:
    """Read the file of a key. Raises KeyLost when it is empty, because then it was truncated."""
    content = path.read_bytes()
    if not content:
        raise KeyLost(Ref("file", str(path)))
    return content


def overwrite_and_remove(path: Path) -> None:
    """Overwrite a file with random bytes, then remove it, so that nobody can read it any more."""
    with path.open("r+b") as file:
        file.write(secrets.token_bytes(path.stat().st_size))
        os.fsync(file.fileno())
    path.unlink()
    _sync(path.parent)


@contextmanager
def in_reach(key: str) -> Iterator[None]:
    """Turn an OSError about a key's file into KeyOutOfReach, with the name of its errno."""
    try:
        yield
    except OSError as error:
        because = errno.errorcode.get(error.errno or 0, "UNKNOWN")
        raise KeyOutOfReach(Ref("key", key), Ref("because", because)) from error


def files_below(directory: Path) -> list[Path]:
    """The files in the folders of ``directory``, by name. Raises KeyOutOfReach.

    ``glob`` is not used, because it silently skips a folder that cannot be read.
    """
    with in_reach(directory.name):
        folders = sorted(path for path in directory.iterdir() if path.is_dir()) if directory.exists() else []
    files: list[Path] = []
    for folder in folders:
        with in_reach(folder.name):
            files += sorted(folder.iterdir())
    return files


def _sync(folder: Path) -> None:
    """Flush a folder to disk, so that an added or removed name survives a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
