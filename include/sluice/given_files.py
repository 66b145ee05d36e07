"""Check and read files that somebody names on the command line or in a call: coded errors, never an OSError."""

from pathlib import Path

from sluice.errors import FileMissing, FileUnreadable, Ref


def is_file(path: Path) -> bool:
    """Whether a file exists. False for an impossible name or a folder that may not be read."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Whether a folder exists. False for an impossible name or a place that nobody may look at."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def check_there(path: Path, named: Ref) -> None:
    """Raises FileMissing where neither a file nor a folder has this name."""
    try:
        if path.exists():
            return
    except (OSError, ValueError):
        pass
    raise FileMissing(named)


def check_readable(path: Path, named: Ref) -> None:
    """Raises FileMissing without a plain file of this name, FileUnreadable when the system does not let us open it."""
    if not is_file(path):
        raise FileMissing(named, *_what_is_there(path))
    try:
        path.open("rb").close()
    except OSError:
        raise FileUnreadable(named) from None


def read_given(path: Path, named: Ref) -> bytes:
    """The content of a file, or of a pipe, that somebody gave. Raises FileMissing, FileUnreadable."""
    try:
        return path.read_bytes()
    except (OSError, ValueError):
        pass
    check_readable(path, named)
    raise FileUnreadable(named)


def _what_is_there(path: Path) -> tuple[Ref, ...]:
    """What has the name that a file should have."""
    if is_folder(path):
        return (Ref("rule", "A_FOLDER"),)
    try:
        return (Ref("rule", "A_PIPE_OR_DEVICE"),) if path.exists() else ()
    except (OSError, ValueError):
        return ()
