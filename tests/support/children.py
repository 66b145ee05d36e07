"""What a child of the nursery can do wrong; run by tests/exchange/test_nursery.py in a real one."""

import json
import os
import signal
import socket
import time
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple


class Network(NamedTuple):
    """The namespace of its network, and how many filters its system calls pass."""

    namespace: str
    filters: int

    def is_left_by(self, other: "Network") -> bool:
        """Whether the other process gave up this one's network: in a container the filter alone is to be had."""
        return other.namespace != self.namespace or other.filters > self.filters


def network_of(pid: int | str = "self") -> Network:
    place = Path(f"/proc/{pid}")
    status = dict(line.split(":\t", 1) for line in (place / "status").read_text().splitlines())
    return Network(str((place / "ns/net").readlink()), int(status["Seccomp_filters"]))


MEBIBYTE = 1 << 20
WHEN_IMPORTED = [*network_of(), len(list(Path("/proc/self/task").iterdir()))]
"""The network of the nursery and its number of threads, before it imports anything that a child needs."""


def misbehave(job: dict[str, Any]) -> None:
    """Misbehave in the way that the job names."""
    match job["deed"]:
        case "take memory":
            bytearray(4096 * MEBIBYTE)
        case "take threads":  # each wants a stack of its own
            for _ in range(4096):
                Thread(target=time.sleep, args=[60], daemon=True).start()
        case "spin":
            while True:
                pass
        case "sleep":
            time.sleep(60)
        case "write much":
            (Path(job["folder"]) / "much").write_bytes(bytes(8 * MEBIBYTE))
        case "abort":
            os.abort()
        case "end by a signal without a name":
            os.kill(os.getpid(), signal.SIGRTMIN + 6)
        case "exit as Python does":
            os._exit(1)
        case "raise":
            raise ValueError("secret")
        case "connect":
            socket.create_connection(("127.0.0.1", job["port"]), 2)
        case "copy":
            (Path(job["folder"]) / "copied").write_bytes(Path(job["what"]).read_bytes())
        case "leave somebody running":
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:  # nobody's child but the nursery's any more
                    draft = Path(job["folder"]) / "left.part"
                    draft.write_text(str(os.getpid()))
                    draft.rename(Path(job["folder"]) / "left")
                    time.sleep(60)
                os._exit(0)
            os.wait()
            while not (Path(job["folder"]) / "left").exists():
                time.sleep(0.01)
        case "note the beginning":
            (Path(job["folder"]) / "beginning").write_text(json.dumps(WHEN_IMPORTED))
        case "note pids":
            (Path(job["folder"]) / "pids").write_text(f"{os.getpid()} {os.getppid()}")
