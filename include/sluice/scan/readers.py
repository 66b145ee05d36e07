"""Scan many objects in parallel, in reader processes with limits.

The search holds the GIL, so threads alone do not help. A reader is a fresh interpreter that loads only this room. Its
first line of standard input says what to look for; then it scans one file after another, one JSON line in, one out.
It ends when the process that started it ends, because that closes its input.

The files were made by strangers, so each one has a limit of memory and time, and a reader has no network and can open
nothing outside their folder, if the kernel lets it. If a reader dies of a file or is late, the file gets a doubt and
the next file a fresh reader. No file is ever scanned again without those limits.
"""

import json
import logging
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from queue import LifoQueue
from threading import Timer
from types import MappingProxyType
from typing import IO, Self

from sluice.kernel import confine, leave_network
from sluice.scan.model import Doubt, Hit, Reason, Scan
from sluice.scan.needles import needles_of
from sluice.scan.walk import scan_bytes

MOST = 4
"""Most readers of one scan, since each holds the needles and one object in memory."""
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "LD_LIBRARY_PATH")
"""The environment variables that a reader gets: none of them is a key or an address."""
ONE_THREAD: Mapping[str, str] = MappingProxyType({"OPENBLAS_NUM_THREADS": "1"})
"""What keeps numpy from starting threads: whoever has more than one, and is not root, may not leave the network."""
NOTHING = "nothing asked"
log = logging.getLogger(__name__)

_Reader = subprocess.Popen[str]
TOO_HEAVY = Scan((), (Doubt(Reason.TOO_HEAVY, ""),), 0)
MEMORY_FACTOR = 12
BYTES_PER_SECOND = 256 << 10
"""A large file gets a second more CPU time per this many bytes, and three more of wall time, as readers share CPUs."""


@dataclass(frozen=True, slots=True)
class Most:
    """The limits of a reader for one file. ``memory_mb``: beyond what its needles take, plus 12 times the file."""

    memory_mb: int = 2048
    cpu_seconds: int = 300
    wall_seconds: int = 900

    def of(self, path: Path) -> "Most":
        """The limits for one file. They grow with its size, so a small zip bomb gets little. Raises OSError."""
        size = path.stat().st_size
        more = size // BYTES_PER_SECOND
        memory_mb = self.memory_mb + (MEMORY_FACTOR * size >> 20)
        return Most(memory_mb, self.cpu_seconds + more, self.wall_seconds + 3 * more)


def _nobody() -> Mapping[str, Collection[str]]:
    return {}


class Readers:
    """Reader processes that look for the same values. Each starts when first needed; all end with the ``with`` block.

    They decrypt nothing: an encrypted object gets the doubt ENCRYPTED. folder: where every file will be; values, words:
    as for :func:`needles_of`; longer: called when a reader starts.
    """

    def __init__(
        self,
        folder: Path,
        values: Sequence[str],
        words: Sequence[str],
        count: int | None = None,
        most: Most = Most(),
        longer: Callable[[], Mapping[str, Collection[str]]] = _nobody,
    ) -> None:
        self._folder, self._values, self._words, self._longer, self._most = folder, values, words, longer, most
        self._free = LifoQueue[_Reader | None]()
        for _ in range(count or min(MOST, len(os.sched_getaffinity(0)))):
            self._free.put(None)
        self._begun: list[_Reader] = []
        self._is_over = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """End all readers."""
        self._is_over = True
        for reader in self._begun:
            reader.kill()
            reader.communicate()

    def scan(self, path: Path) -> Scan | None:
        """Scan a file with a free reader; may be called from any thread. If the reader dies or is late: TOO_HEAVY.

        None if the file does not exist, or after the block has ended.
        """
        reader = self._free.get()
        answer = ""
        try:
            if self._is_over or not path.exists():
                answer = NOTHING
                return None
            reader = reader if reader is not None and reader.poll() is None else self._begin()
            answer = self._ask(reader, path)
        finally:
            self._free.put(reader if answer else None)
        if not answer and not self._is_over:
            log.warning("a reader of the second scan came to its limits, or died, over an object")
        return _scan_of(answer) if answer else TOO_HEAVY

    def _ask(self, reader: _Reader, path: Path) -> str:
        """The reader's answer; empty if it died, or was killed for being late."""
        most = self._most.of(path)
        late = Timer(most.wall_seconds, reader.kill)
        late.daemon = True
        late.start()
        try:
            return _asked(reader, json.dumps({"path": str(path), **asdict(most)}))
        finally:
            late.cancel()

    def _begin(self) -> _Reader:
        reader = subprocess.Popen(
            [sys.executable, "-P", "-m", __name__],  # -P: no module of the folder it starts in
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={name: os.environ[name] for name in PASSED_ON if name in os.environ} | dict(ONE_THREAD),
        )
        self._begun.append(reader)
        longer = {value: sorted(words) for value, words in self._longer().items()}
        lesson = {"folder": str(self._folder), "values": self._values, "words": self._words, "longer": longer}
        _asked(reader, json.dumps(lesson))
        return reader


def _asked(reader: _Reader, line: str) -> str:
    """Send one line and return the answer; empty if the reader is gone or dies of it."""
    assert reader.stdin is not None and reader.stdout is not None
    try:
        reader.stdin.write(line + "\n")
        reader.stdin.flush()
    except BrokenPipeError:
        return ""
    answer = reader.stdout.readline()
    return answer if answer.endswith("\n") else ""


def _scan_of(answer: str) -> Scan:
    said = json.loads(answer)
    doubts = tuple(Doubt(Reason(reason), where) for reason, where in said["doubts"])
    return Scan(tuple(Hit(*hit) for hit in said["hits"]), doubts, said["read_bytes"])


def read_on(lines: Iterable[str], answers: IO[str]) -> None:
    """The main loop of a reader: take the values from the first line, then scan the file named by each further line."""
    waiting = iter(lines)
    lesson = json.loads(next(waiting))
    confine([Path(lesson["folder"])], [])
    needles = needles_of(lesson["values"], lesson["longer"], words=lesson["words"])
    print("{}", file=answers, flush=True)
    for line in waiting:
        asked = json.loads(line)
        _limit(asked["memory_mb"] << 20, asked["cpu_seconds"])
        scan = scan_bytes(Path(asked["path"]), needles)
        said = {"hits": list(map(astuple, scan.hits)), "doubts": list(map(astuple, scan.doubts))}
        print(json.dumps({**said, "read_bytes": scan.read_bytes}), file=answers, flush=True)


def _limit(memory_bytes: int, cpu_seconds: int) -> None:
    """Limit this process to so much more memory than it uses now, and to so much more CPU time."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    for what, soft in (
        (resource.RLIMIT_AS, pages * resource.getpagesize() + memory_bytes),
        (resource.RLIMIT_CPU, int(time.process_time()) + 1 + cpu_seconds),
    ):
        hard = resource.getrlimit(what)[1]
        resource.setrlimit(what, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    leave_network()
    read_on(sys.stdin, sys.stdout)
