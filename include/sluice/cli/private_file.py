"""Write a file with values of persons: complete or not at all, mode 0600. Every command that writes values uses it."""

import errno
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from sluice.errors import FileMissing, Ref, UsageError

Write = Callable[[bytes], None]
"""A function that takes the whole content; called once."""
NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})
"""Error numbers of ``link`` on a disk without hard links: exFAT, some network and FUSE mounts."""


class PlaceUnfit(UsageError):
    code: ClassVar[str] = "SLU-306"
    summary: ClassVar[str] = "no file can be written there"
    cure: ClassVar[str] = "name a new file, or a plain one of yours, in a folder of yours; or the disk is full"


@contextmanager
def private_file(option: str, path: Path, *, is_new: bool = False) -> Iterator[Write]:
    """Check the target before the block runs; when it ends, move its file into place atomically.

    The file is new, mode 0600, whatever was there before; ``is_new``: nothing may have been there. A block that
    writes nothing leaves no file. Raises FileMissing without the folder, PlaceUnfit; both name the option.
    """
    unfit = PlaceUnfit(Ref("option", option))
    if not _is_fit(option, path, is_new=is_new):
        raise unfit
    try:
        handle, name = tempfile.mkstemp(prefix=".sluice-", suffix=".part", dir=path.absolute().parent)
    except OSError:
        raise unfit from None
    draft = Path(name)

    def write(content: bytes) -> None:
        try:
            draft.write_bytes(content)
            if is_new:
                _put_new(draft, path, content)
            else:
                draft.replace(path)
        except OSError:
            raise unfit from None

    try:
        os.close(handle)
        yield write
    finally:
        draft.unlink(missing_ok=True)


def _put_new(draft: Path, path: Path, content: bytes) -> None:
    """Move the draft to a name that must be free. Raises OSError if it is taken meanwhile, or the disk is full."""
    try:
        os.link(draft, path)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        _write_new(path, content)


def _write_new(path: Path, content: bytes) -> None:
    """Write to a free name on a disk without hard links. An incomplete file is removed, unless we are killed."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _is_fit(option: str, path: Path, *, is_new: bool) -> bool:
    """Whether a file of this name can be made there. Raises FileMissing without the folder."""
    try:
        if not path.absolute().parent.is_dir():
            raise FileMissing(Ref("option", option))
        there = path.lstat()
    except FileNotFoundError:
        return True
    except (OSError, ValueError):  # too long, nobody may look, or no name at all
        return False
    return not is_new and stat.S_ISREG(there.st_mode)
