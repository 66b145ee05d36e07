"""Processes that cost no start: one imports everything once for a test process, and forks for whoever asks.

A start of the command costs half a second of imports or more, with Great Expectations two; a fork costs none. Each
child has the arguments, the environment, the folder and the three streams of whoever asked, and runs what they name:
``sluice`` (the same ``main``), or a script of the tests.
"""

import atexit
import functools
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

CLIENT = """#!{python} -IS
import json, os, socket, sys
asked = json.dumps([["sluice", *sys.argv[1:]], dict(os.environ), os.getcwd()]).encode()
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
socket.send_fds(server, [len(asked).to_bytes(4, "big")], [0, 1, 2])
server.sendall(asked)
server.recv(4)
sys.exit(server.recv(1)[0])
"""
NOT_BEFORE = ("sluice.orchestration", "sluice.web", "sluice.demo", "sluice.migrations")
"""They bring Airflow, which few want; and what runs when it is imported."""
ADDRESS = "asked.sock"


@dataclass(frozen=True)
class Fork:
    """A child process that was started from here, with two pipes to it."""

    stdin: TextIO
    stdout: TextIO
    process: int
    """A descriptor of it, which is no other's however often numbers are given again."""

    def write(self, line: str) -> None:
        self.stdin.write(line + "\n")
        self.stdin.flush()

    def read(self) -> str:
        return self.stdout.readline().strip()

    def kill(self) -> None:
        """Kill the child and wait until it is gone."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.process, signal.SIGKILL)
        assert select.select([self.process], [], [], 60)[0], "killed, and still there"


@contextmanager
def forked(script: Path, environment: Mapping[str, str]) -> Iterator[Fork]:
    """A script of the tests that said it is ready; killed afterwards."""
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    asked = json.dumps([[str(script)], dict(environment), str(Path.cwd())]).encode()
    with _asking() as server, os.fdopen(ours_out, "w") as stdin, os.fdopen(ours_in) as stdout:
        socket.send_fds(server, [len(asked).to_bytes(4, "big")], [theirs_in, theirs_out, 2])
        server.sendall(asked)
        os.close(theirs_in)
        os.close(theirs_out)
        process = os.pidfd_open(int.from_bytes(server.recv(4), "big"))
        fork = Fork(stdin, stdout, process)
        try:
            assert fork.read() == "ready"
            yield fork
        finally:
            fork.kill()
            os.close(process)


@contextmanager
def _asking() -> Iterator[socket.socket]:
    """A connection to the server, made by neither: tests in this process may connect to no socket but the stores'."""
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            socket.send_fds(_server()[1], [b"."], [theirs.fileno()])
        yield ours


def folder() -> Path:
    """A folder for PATH with a ``sluice`` that starts at once."""
    return _server()[0]


@functools.cache
def _server() -> tuple[Path, socket.socket]:
    """The one of this process, where it listens, and the end of a pair that says when this process is gone."""
    path = Path(tempfile.mkdtemp(prefix="sluice-forks-"))
    program = path / "sluice"
    program.write_text(CLIENT.format(python=sys.executable, address=str(path / ADDRESS)))
    program.chmod(0o755)
    ours, theirs = socket.socketpair()
    with theirs:
        command = [sys.executable, __file__, str(path), str(theirs.fileno())]
        process = subprocess.Popen(command, pass_fds=[theirs.fileno()], start_new_session=True)
    assert ours.recv(1)
    atexit.register(_end, process, ours)
    return path, ours


def _end(process: "subprocess.Popen[bytes]", ours: socket.socket) -> None:
    ours.close()
    process.wait(60)


def serve(path: Path, from_parent: socket.socket) -> None:
    """Serve until the process that started this one is gone."""
    _import_everything()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path / ADDRESS))
        listening.listen(8)
        from_parent.sendall(b".")
        while (asked := _asked(listening, from_parent)) is not None:
            with asked:
                if not os.fork():
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    listening.close()
                    from_parent.close()
                    _answer(asked)
    shutil.rmtree(path, ignore_errors=True)


def _asked(listening: socket.socket, from_parent: socket.socket) -> socket.socket | None:
    """The next connection, from either side."""
    if listening in select.select([listening, from_parent], [], [])[0]:
        return listening.accept()[0]
    _, connections, _, _ = socket.recv_fds(from_parent, 1, 1)
    return socket.socket(fileno=connections[0]) if connections else None


def _import_everything() -> None:
    import boto3
    from botocore.loaders import JSONFileLoader

    import sluice
    from sluice.gate.gx import great_expectations

    great_expectations()
    for module in pkgutil.walk_packages(sluice.__path__, "sluice."):
        if not module.name.startswith(NOT_BEFORE) and not module.name.endswith(("__main__", ".keeper")):
            importlib.import_module(module.name)
    load = functools.cache(JSONFileLoader.load_file)  # what it reads of its own package for every client
    reader = JSONFileLoader()
    JSONFileLoader.load_file = lambda _, path: load(reader, path)
    boto3.session.Session("none", "none").client("s3", region_name="eu-central-1")
    gc.collect()
    gc.freeze()


def _answer(asked: socket.socket) -> None:
    head, streams, _, _ = socket.recv_fds(asked, 4, 3)
    size = int.from_bytes(head, "big")
    text = b""
    while len(text) < size:
        text += asked.recv(size - len(text))
    words, environment, cwd = json.loads(text)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    # as Python makes them at its start: the old ones still believe that they can seek where the server's could
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(number, mode, closefd=False) for number, mode in enumerate("rww"))
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    asked.sendall(os.getpid().to_bytes(4, "big"))
    sys.argv = words
    code = _run(words[0])
    sys.stdout.flush()
    sys.stderr.flush()
    asked.sendall(bytes([code]))
    os._exit(code)  # of what it forked too


def _run(program: str) -> int:
    from sluice.cli.main import main

    try:
        if program == "sluice":
            main()
        else:
            runpy.run_path(program, run_name="__main__")
    except SystemExit as ended:
        return int(ended.code or 0) if isinstance(ended.code, int | None) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])  # where the scripts' imports begin
    serve(Path(sys.argv[1]), socket.socket(fileno=int(sys.argv[2])))
