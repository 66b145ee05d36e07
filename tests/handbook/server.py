"""The `sluice` command for hundreds of pages' lines: imported once, then a process of its own for each command.

A start of the command costs half a second of imports or more; a fork costs none. Each child has the arguments, the
environment, the folder and the three streams of whoever asked, and runs the same `main`.
"""

import array
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import sys
from pathlib import Path

CLIENT = """#!{python} -IS
import array, json, os, socket, sys
asked = json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]).encode()
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
server.sendmsg([len(asked).to_bytes(4, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))])
server.sendall(asked)
sys.exit(server.recv(1)[0])
"""
NOT_BEFORE = ("sluice.orchestration", "sluice.web", "sluice.demo", "sluice.migrations", "sluice.gate.engine")
"""They bring Airflow or Great Expectations, which few commands want; and what runs when it is imported."""


def write_client(folder: Path, address: Path) -> Path:
    """A `sluice` for a PATH that asks the server at this address."""
    path = folder / "sluice"
    path.write_text(CLIENT.format(python=sys.executable, address=str(address)))
    path.chmod(0o755)
    return path


def serve(address: str) -> None:
    """Until whoever started it closes its stdin, or is gone."""
    import sluice

    for module in pkgutil.walk_packages(sluice.__path__, "sluice."):
        if not module.name.startswith(NOT_BEFORE) and not module.name.endswith(("__main__", ".keeper")):
            importlib.import_module(module.name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen(8)
        print("ready", flush=True)
        while listening in select.select([listening, sys.stdin], [], [])[0]:
            asked, _ = listening.accept()
            if not os.fork():
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                listening.close()
                _answer(asked)
            asked.close()


def _answer(asked: socket.socket) -> None:
    size, streams = _head(asked)
    text = b""
    while len(text) < size:
        text += asked.recv(size - len(text))
    words, environment, folder = json.loads(text)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["sluice", *words]
    code = _run()
    sys.stdout.flush()
    sys.stderr.flush()
    asked.sendall(bytes([code]))
    os._exit(0)


def _head(asked: socket.socket) -> tuple[int, list[int]]:
    """How long what comes is, and the three streams that came along."""
    streams = array.array("i")
    size, ancillary, _, _ = asked.recvmsg(4, socket.CMSG_SPACE(3 * streams.itemsize))
    for _, _, content in ancillary:
        streams.frombytes(content)
    return int.from_bytes(size, "big"), list(streams)


def _run() -> int:
    from sluice.cli.main import main

    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0) if isinstance(ended.code, int | None) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    serve(sys.argv[1])
