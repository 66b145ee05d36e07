"""Who runs PostgreSQL, and from where: it refuses to run as root, and its user must reach its files.

An ordinary user runs it from ``var`` and the virtual environment. Root gives it to the system user
``sluice-pg``; when a folder above ``var`` or the wheel is closed to that user (a home of mode 0700),
data and binaries live below /var/lib/sluice instead.
"""

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from sluice.errors import Ref
from sluice.services.model import NoSystemUser
from sluice.services.places import locked

NAME = "sluice-pg"
FALLBACKS = ("postgres", "nobody")
ELSEWHERE = Path("/var/lib/sluice")


class PopenArguments(TypedDict, total=False):
    """The part of ``subprocess.run`` that changes the user."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class SystemUser:
    """The user that runs the server; ``uid`` None means: whoever we are."""

    uid: int | None
    gid: int | None

    def popen_arguments(self) -> PopenArguments:
        """Empty for an ordinary user, who may not change it."""
        if self.uid is None or self.gid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Give ``path`` to this user."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def make_dir(self, path: Path) -> None:
        """A folder that only this user enters (0700)."""
        path.mkdir(parents=True, exist_ok=True)
        self.own(path)
        path.chmod(0o700)

    def can_reach(self, path: Path) -> bool:
        """May this user cross every folder above ``path``? (Others' execute bit; no ACLs.)"""
        if self.uid is None:
            return True
        return all(_is_crossable(folder) for folder in path.resolve().parents if folder.exists())


def server_user() -> SystemUser:
    """Ourselves, or for root a system user; made with useradd if missing. Raises NoSystemUser.

    One process at a time: of two useradd at once, one writes over the user that the other began to use.
    """
    if os.geteuid() != 0:
        return SystemUser(None, None)
    with locked(_make_elsewhere() / "making.lock"):
        entry = _entry(NAME) or _make() or next(filter(None, map(_entry, FALLBACKS)), None)
    if entry is None:
        raise NoSystemUser(Ref("user", NAME))
    return SystemUser(entry.pw_uid, entry.pw_gid)


def pick_home(var: Path, user: SystemUser) -> Path:
    """``var/postgres``, or a folder below /var/lib/sluice where the user cannot get there.

    Data made in one place is found there again, also when the rights of a parent change later.
    """
    if made := find_home(var):
        return made
    near, far = homes(var)
    if user.can_reach(near):
        return near
    _make_elsewhere()
    return far


def find_home(var: Path) -> Path | None:
    """Where the data of ``var`` lie; None when no server was ever made here. Makes no user and no folder."""
    return next((home for home in homes(var) if (home / "data" / "PG_VERSION").exists()), None)


def homes(var: Path) -> tuple[Path, Path]:
    """Where data of ``var`` may lie, the first choice first."""
    return var / "postgres", ELSEWHERE / hashlib.sha256(str(var.resolve()).encode()).hexdigest()[:16]


def reachable_copy(binaries: Path, user: SystemUser) -> Path:
    """``<package>/<install>/bin`` itself, or a copy that the user can reach.

    The programs find the libraries of the wheel, ``<package>.libs``, by a relative path: the copy
    has both, side by side as in site-packages.
    """
    if user.can_reach(binaries / "postgres"):
        return binaries
    install, package = binaries.parent, binaries.parent.parent
    mark = hashlib.sha256(f"{install}{(binaries / 'postgres').stat().st_mtime_ns}".encode()).hexdigest()[:16]
    copy = _make_elsewhere() / f"{install.name}-{mark}"
    with locked(ELSEWHERE / "making.lock"):
        if not copy.exists():
            print(f"PostgreSQL is copied to {copy}: its user cannot enter {install}", file=sys.stderr)
            _copy(install, copy)
    return copy / package.name / install.name / "bin"


def _copy(install: Path, copy: Path) -> None:
    package, draft = install.parent, copy.with_name(f".{copy.name}.{os.getpid()}")
    shutil.copytree(install, draft / package.name / install.name, symlinks=True)
    if (libraries := package.with_name(f"{package.name}.libs")).is_dir():
        shutil.copytree(libraries, draft / libraries.name, symlinks=True)
    draft.rename(copy)


def _make_elsewhere() -> Path:
    ELSEWHERE.mkdir(parents=True, exist_ok=True)
    ELSEWHERE.chmod(0o755)
    return ELSEWHERE


def _is_crossable(folder: Path) -> bool:
    return bool(folder.stat().st_mode & stat.S_IXOTH)


def _entry(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _make() -> pwd.struct_passwd | None:
    useradd = shutil.which("useradd", path="/usr/sbin:/usr/bin:/sbin:/bin")
    if useradd is None:
        return None
    command = [useradd, "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME]
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return _entry(NAME)
