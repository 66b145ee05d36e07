"""Who is not root looks at a process that the kernel closes to them, as Airflow closes those that run tasks.

Run by tests/services/test_sockets.py. After ``ready``, one line: what is exposed and how many processes are closed, of
a process that listens elsewhere and is open, then of one that is closed.
"""

import ctypes
import json
import os
import signal
import socket

from sluice.services.doctor import exposed_sockets
from sluice.services.process import ProcessId

_PR_SET_DUMPABLE = 4
NOBODY = 65534


def leave_root() -> None:
    """Become the user ``nobody`` if this process is root."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)


def waiting(dumpable: int) -> ProcessId:
    """A child that is nobody's, open (1) or closed (0), and listens on a port of its own."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        leave_root()
        listening = socket.create_server(("127.0.0.2", 0))  # not where services of ours listen, and on no network
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, dumpable, 0, 0, 0)
        os.write(writing, b".")
        signal.pause()
        listening.close()
    os.read(reading, 1)
    return ProcessId(pid)


def main() -> None:
    children = [waiting(1), waiting(0)]
    leave_root()
    looked = [exposed_sockets([each]) for each in children]
    for each in children:
        os.kill(each.pid, signal.SIGKILL)
    print("ready", flush=True)
    print(json.dumps(looked), flush=True)
    signal.pause()


if __name__ == "__main__":
    main()
