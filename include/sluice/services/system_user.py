"""The system user that runs PostgreSQL, which refuses to run as root and whose user must reach its files.

An ordinary user runs it from ``var`` and the virtual environment. Under root, it runs as the system user
``sluice-pg``. If that user may not enter a folder above ``var`` or the wheel (e.g. a home of mode 0700),
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
    """The arguments of ``subprocess.run`` that change the user."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class SystemUser:
    """The user that runs the server; ``uid`` None means the current user."""

    uid: int | None
    gid: int | None

    def popen_arguments(self) -> PopenArguments:
        """Arguments to run as this user; empty for an ordinary user, who cannot change to another."""
        if self.uid is None or self.gid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Give ``path`` to this user."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def make_dir(self, path: Path) -> None:
        """Create a folder that only this user can enter (0700)."""
        path.mkdir(parents=True, exist_ok=True)
        self.own(path)
        path.chmod(0o700)

    def can_reach(self, path: Path) -> bool:
        """Whether this user can pass every folder above ``path``, by the execute bit for others; ACLs are ignored."""
        if self.uid is None:
            return True
        return all(_is_crossable(folder) for folder in path.resolve().parents if folder.exists())


def server_user() -> SystemUser:
    """The current user, or for root a system user, created with useradd if missing. Raises NoSystemUser.

    Locked, because of two useradd at the same time one overwrites the user that the other already uses.
    """
    if os.geteuid() != 0:
        return SystemUser(None, None)
    with locked(_make_elsewhere() / "making.lock"):
        entry = _entry(NAME) or _make() or next(filter(None, map(_entry, FALLBACKS)), None)
    if entry is None:
        raise NoSystemUser(Ref("user", NAME))
    return SystemUser(entry.pw_uid, entry.pw_gid)


def pick_home(var: Path, user: SystemUser) -> Path:
    """``var/postgres``, or a folder below /var/lib/sluice if the user cannot reach it.

    Existing data keeps its place, even if the permissions of a parent folder change later.
    """
    if made := find_home(var):
        return made
    near, far = homes(var)
    if user.can_reach(near):
        return near
    _make_elsewhere()
    return far


def find_home(var: Path) -> Path | None:
    """The folder with the data of ``var``; None if there is none yet. Creates no user and no folder."""
    return next((home for home in homes(var) if (home / "data" / "PG_VERSION").exists()), None)


def homes(var: Path) -> tuple[Path, Path]:
    """The possible folders for the data of ``var``, in order of preference."""
    return var / "postgres", ELSEWHERE / hashlib.sha256(str(var.resolve()).encode()).hexdigest()[:16]


def reachable_copy(binaries: Path, user: SystemUser) -> Path:
    """``<package>/<install>/bin`` itself, or a copy that the user can reach.

    The programs find the wheel's libraries, ``<package>.libs``, by a relative path, so the copy has both
    side by side, as in site-packages.
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
