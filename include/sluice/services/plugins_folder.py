"""What may lie in plugins/: exactly what is shipped, and nobody else may write there.

Airflow runs every module of that folder in each of its processes, so one more file is code of somebody else with all of
Sluice's rights. It is looked at before Airflow starts, and by ``sluice doctor``; no more often.
"""

import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

from sluice.errors import Exit, Ref, SluiceError

FOLDER = "plugins"
SHIPPED = {
    ".airflowignore": "4911a87a6825b798f83a4e849508f63958bca4f2e44334fc4da2993b45ccc738",
    "sluice_plugin.py": "febf8136a86438d8caa77f2a027e9cc5d6e28d285dc025451c8c56e73062dfd2",
}
"""Name -> SHA-256 of the file. A test holds this against the folder of the checkout."""
COMPILED = "__pycache__"
BYTECODE = re.compile(r"sluice_plugin\.[a-z]+-\d+(\.opt-[12])?\.pyc(\.\d+)?")
"""What Python itself puts beside the plugin, also while it is being written."""
OTHERS = stat.S_IWGRP | stat.S_IWOTH


class Fault(StrEnum):
    """What is wrong with something in the folder."""

    MISSING = "MISSING"
    CHANGED = "CHANGED"
    NOT_SHIPPED = "NOT_SHIPPED"
    OTHERS_MAY_WRITE = "OTHERS_MAY_WRITE"
    CANNOT_BE_REMOVED = "CANNOT_BE_REMOVED"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong; ``path`` from the checkout, its letters beyond ASCII written as escapes."""

    path: str
    fault: Fault

    def __str__(self) -> str:
        return f"{self.path} {self.fault}"


class PluginsChanged(SluiceError):
    """Airflow is not started, since it would run what lies in its folder of plugins."""

    code = "SLU-120"
    summary = "the folder of Airflow's plugins does not hold what Sluice ships, so Airflow is not started"
    cure = (
        "look who put it there; NOT_SHIPPED, CANNOT_BE_REMOVED: remove the file; CHANGED, MISSING: "
        "`git checkout -- plugins`; OTHERS_MAY_WRITE: `chmod -R go-w plugins`, as the owner"
    )
    exit = Exit.REFUSED


def find_faults(home: Path) -> list[Finding]:
    """Return all that is wrong with the plugins folder of a checkout; reads only."""
    folder = home / FOLDER
    if not folder.is_dir():
        return [Finding(FOLDER, Fault.MISSING)]
    present = {path.name: path for path in folder.iterdir()}
    found = [_finding(home, folder / name, Fault.MISSING) for name in SHIPPED if name not in present]
    for name, path in sorted(present.items()):
        if name == COMPILED and path.is_dir() and not path.is_symlink():
            found += [_finding(home, each, Fault.NOT_SHIPPED) for each in sorted(path.iterdir()) if not _is_ours(each)]
        elif name not in SHIPPED or not _is_file(path):
            found.append(_finding(home, path, Fault.NOT_SHIPPED))
        elif sha256(path.read_bytes()).hexdigest() != SHIPPED[name]:
            found.append(_finding(home, path, Fault.CHANGED))
    return found + [_finding(home, path, Fault.OTHERS_MAY_WRITE) for path in _loose(folder)]


def secure(home: Path) -> None:
    """Make the folder fit for a start of Airflow, or refuse.

    Takes the right to write from everybody but the owner, so that what is looked at next stays so, and removes
    bytecode, which Python would run without reading its source. Raises PluginsChanged with the first thing that is
    wrong.
    """
    folder = home / FOLDER
    for path in _loose(folder):
        with suppress(OSError):  # another owner's: it stays, and is found
            path.chmod(path.stat().st_mode & ~OTHERS)
    faults = find_faults(home) or _left_compiled(home)
    if faults:
        raise PluginsChanged(Ref("file", faults[0].path), Ref("because", faults[0].fault), Ref("findings", len(faults)))


def _left_compiled(home: Path) -> list[Finding]:
    """Remove the bytecode of the plugin; return what could not be removed."""
    left = []
    for path in sorted((home / FOLDER / COMPILED).glob("*")):
        try:
            path.unlink(missing_ok=True)
        except OSError:
            left.append(_finding(home, path, Fault.CANNOT_BE_REMOVED))
    return left


def _loose(folder: Path) -> Iterator[Path]:
    """The folder itself and what is shipped in it, where others than the owner may write."""
    inside = [path for path in (folder / COMPILED, *(folder / name for name in SHIPPED)) if not path.is_symlink()]
    for path in (folder, *inside):
        if path.exists() and path.stat().st_mode & OTHERS:
            yield path


def _is_ours(path: Path) -> bool:
    return BYTECODE.fullmatch(path.name) is not None and _is_file(path)


def _is_file(path: Path) -> bool:
    """Whether this is a file itself: a link may lead elsewhere tomorrow."""
    return path.is_file() and not path.is_symlink()


def _finding(home: Path, path: Path, fault: Fault) -> Finding:
    return Finding(ascii(str(path.relative_to(home)))[1:-1], fault)
