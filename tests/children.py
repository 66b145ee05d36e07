"""What a child of the nursery can do wrong; run by tests/exchange/test_nursery.py in a real one."""

import os
import socket
import time
from pathlib import Path
from typing import Any

MEBIBYTE = 1 << 20


def misbehave(job: dict[str, Any]) -> None:
    """Do the deed that the job names."""
    match job["deed"]:
        case "take memory":
            bytearray(4096 * MEBIBYTE)
        case "spin":
            while True:
                pass
        case "sleep":
            time.sleep(60)
        case "write much":
            (Path(job["folder"]) / "much").write_bytes(bytes(8 * MEBIBYTE))
        case "abort":
            os.abort()
        case "exit as Python does":
            os._exit(1)
        case "raise":
            raise ValueError("secret")
        case "connect":
            socket.create_connection(("127.0.0.1", job["port"]), 2)
        case "note pids":
            (Path(job["folder"]) / "pids").write_text(f"{os.getpid()} {os.getppid()}")
