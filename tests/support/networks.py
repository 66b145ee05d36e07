"""Which network a process has, as the kernel tells it."""

from pathlib import Path
from typing import NamedTuple


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
