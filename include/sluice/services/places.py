"""The files of the embedded services below ``var``: private folders, secrets, ports.

Others may pass through ``var`` itself (0711), because PostgreSQL runs as its own user when we are root,
but they may not read what is in it.
"""

import errno
import fcntl
import json
import os
import secrets
import socket
import stat
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from sluice.errors import DiskUnfit, Ref
from sluice.key_files import write_secret_once
from sluice.services.model import FolderNotOurs, ServiceNotStarted, StackBusy
from sluice.services.process import wait_until

GRPC_OFFSET = 10_000
"""SeaweedFS also listens on each of its ports plus this offset."""

FIRST_PORT, LAST_PORT = 15_000, 21_999
"""The range of our ports. Even with GRPC_OFFSET it is below the kernel's range for outgoing connections."""

PATIENCE_SECONDS = 5.0
"""How long to wait for the last port to become free.

The children of a killed server may hold it a little longer, and other processes know the server by that port."""

LOOPBACK = "127.0.0.1"


def make_var(var: Path) -> None:
    """Create ``var`` and the folders that every service needs.

    A volume that root brought stays as open as it is: only what is in it is ours. Raises DiskUnfit.
    """
    try:
        var.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == (owner := var.stat().st_uid) or owner != 0:
            var.chmod(0o711)
        for name in ("run", "secrets", "logs", "keys"):
            private_dir(var / name)
        return
    except OSError as error:
        because = errno.errorcode.get(error.errno or 0, "UNKNOWN")
    raise DiskUnfit(Ref("folder", str(var)), Ref("because", because))


def private_dir(path: Path) -> Path:
    """Create a folder that only its owner can enter (0700)."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)
    return path


def own_dir(path: Path) -> Path:
    """Like :func:`private_dir`, in a place where others may create folders too.

    Raises FolderNotOurs if the folder is not ours alone."""
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
    found = path.lstat()
    if (found.st_mode, found.st_uid) != (stat.S_IFDIR | 0o700, os.geteuid()):
        raise FolderNotOurs(Ref("folder", str(path)))
    return path


def write_private(path: Path, text: str) -> None:
    """Replace a file (mode 0600) atomically: a reader sees the old or the new text, never a part.

    So does who starts after a power cut. On a full disk the old text stays, and no draft is left.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.touch(mode=0o600)
        with draft.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def secret(var: Path, name: str) -> str:
    """The generated secret ``var/secrets/<name>``: 64 hexadecimal digits, made on first use."""
    return write_secret_once(private_dir(var / "secrets") / name, lambda: secrets.token_hex(32).encode()).decode()


def text_of(path: Path) -> str | None:
    """The text of a file; None if it does not exist, or if `sluice down` removes it at this moment."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def read_ports(var: Path) -> dict[str, int]:
    """The ports chosen so far, by service name."""
    return dict(json.loads(text_of(var / "run" / "ports.json") or "{}"))


def choose_ports(var: Path, names: Sequence[str], *, pairs: bool = False) -> dict[str, int]:
    """Choose a free loopback port for each name: the one used last time if it is still free.

    pairs: the port plus GRPC_OFFSET must be free too. Raises ServiceNotStarted if no port is found.
    """
    with locked(private_dir(var / "run") / "ports.lock"):
        known = read_ports(var)
        chosen: dict[str, int] = {}
        for name in names:
            taken = {port for other, port in known.items() if other != name}
            chosen[name] = known[name] = _free_port(known.get(name), taken, pairs)
        write_private(var / "run" / "ports.json", json.dumps(known, indent=1))
    return chosen


def is_answering(port: int) -> bool:
    """Whether something accepts connections on this loopback port."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((LOOPBACK, port)) == 0


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold an advisory file lock. Raises StackBusy when it is taken and ``wait`` is False."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise StackBusy(Ref("lock", path.name)) from None
        yield


def _free_port(preferred: int | None, taken: set[int], pairs: bool) -> int:
    if preferred and wait_until(lambda: _is_free(preferred, pairs), PATIENCE_SECONDS):
        return preferred
    for _ in range(500):
        port = FIRST_PORT + secrets.randbelow(LAST_PORT - FIRST_PORT)
        if port not in taken and _is_free(port, pairs):
            return port
    raise ServiceNotStarted(Ref("free port", "none found"))


def _is_free(port: int, pairs: bool) -> bool:
    wanted = (port, port + GRPC_OFFSET) if pairs else (port,)
    return all(_can_bind(each) for each in wanted)


def _can_bind(port: int) -> bool:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True
