"""A port that somebody else has, and one that nobody has."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sluice.services.places import LOOPBACK, choose_ports


@contextmanager
def occupied(port: int) -> Iterator[None]:
    """Listen on a free port. Its last server may have left connections in TIME_WAIT: those bar whoever does not share
    the address, and no server of ours."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((LOOPBACK, port))
        other.listen()
        yield


def free_port() -> int:
    """A free port below the kernel's range, so that no outgoing connection takes it before its server starts."""
    with TemporaryDirectory() as var:
        return choose_ports(Path(var), ["port"])["port"]
