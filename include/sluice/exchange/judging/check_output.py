"""Check what a child left in its work folder before anything in it is opened: it may be a stranger's.

A parser that was taken over could put a link there to a file of the worker, which would then be kept, sealed or
published as if the principal had sent it.
"""

import os
import stat
from pathlib import Path

from sluice.errors import GateFailed, Ref


def check_left(folder: Path) -> None:
    """Check a work folder once the child, and everything it started, has ended. Folders are never opened by name.

    Raises GateFailed unless every file is a regular one that has no other name anywhere.
    """
    for path in folder.iterdir():
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) and not _is_own(found):
            raise GateFailed(Ref("child", "NO_FILE_OF_ITS_OWN"))


def read_left(path: Path, most_bytes: int) -> bytes:
    """Read the beginning of a file while its child may still run; empty unless it is the child's own file."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return b""
    with os.fdopen(handle, "rb") as file:
        return file.read(most_bytes) if _is_own(os.fstat(handle)) else b""


def _is_own(found: os.stat_result) -> bool:
    return stat.S_ISREG(found.st_mode) and found.st_nlink == 1
