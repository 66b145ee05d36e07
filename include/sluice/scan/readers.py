"""Many objects read side by side.

The searcher keeps Python's lock, so threads alone do not help. A reader is a clean interpreter that loads this room
only, is told once by its standard input what to look for, and then reads one file after another: a JSON line in, one
out. It ends with whoever started it, because that closes its input.

What it reads was made by strangers, so each file has a limit of memory and of time: who dies of it, or is late,
leaves a doubt, and the next file gets a fresh one. Nobody reads it again without those limits.
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
from typing import IO, Self

from sluice.scan.model import Doubt, Hit, Reason, Scan
from sluice.scan.needles import needles_of
from sluice.scan.walk import scan_bytes

MOST = 4
"""Readers of one scan: each holds needles, and one object, in memory."""
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "PYTHONPATH", "LD_LIBRARY_PATH")
"""All that they need of the environment: no key, no address."""
NOTHING = "nothing asked"
log = logging.getLogger(__name__)

_Reader = subprocess.Popen[str]
TOO_HEAVY = Scan((), (Doubt(Reason.TOO_HEAVY, ""),), 0)
MEMORY_FACTOR = 12
BYTES_PER_SECOND = 256 << 10
"""What is added for a large file, of CPU time; three times as much to wait, because readers share processors."""


@dataclass(frozen=True, slots=True)
class Most:
    """What a reader may take for one file. ``memory_mb``: beside its needles, and plus 12 times the file."""

    memory_mb: int = 2048
    cpu_seconds: int = 300
    wall_seconds: int = 900

    def of(self, path: Path) -> "Most":
        """For one file: a small bomb stays small. Raises OSError."""
        size = path.stat().st_size
        more = size // BYTES_PER_SECOND
        memory_mb = self.memory_mb + (MEMORY_FACTOR * size >> 20)
        return Most(memory_mb, self.cpu_seconds + more, self.wall_seconds + 3 * more)


def _nobody() -> Mapping[str, Collection[str]]:
    return {}


class Readers:
    """Processes that look for the same values, each begun when it is first needed; they end with the block.

    They open nothing that is encrypted: the answer says ENCRYPTED. Values and words as for :func:`needles_of`; longer:
    asked when one is begun.
    """

    def __init__(
        self,
        values: Sequence[str],
        words: Sequence[str],
        count: int | None = None,
        most: Most = Most(),
        longer: Callable[[], Mapping[str, Collection[str]]] = _nobody,
    ) -> None:
        self._values, self._words, self._longer, self._most = values, words, longer, most
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
        """End them all."""
        self._is_over = True
        for reader in self._begun:
            reader.kill()
            reader.communicate()

    def scan(self, path: Path) -> Scan | None:
        """The answer of whichever is free, from any thread; a doubt of one that died of this file, or was late.

        None when it could not be opened, and after the block has ended.
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
        """Its answer; empty when it died, or was late and so was ended."""
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
            env={name: os.environ[name] for name in PASSED_ON if name in os.environ},
        )
        self._begun.append(reader)
        longer = {value: sorted(words) for value, words in self._longer().items()}
        _asked(reader, json.dumps({"values": self._values, "words": self._words, "longer": longer}))
        return reader


def _asked(reader: _Reader, line: str) -> str:
    """Its answer; empty when it is there no more, or died over it."""
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
    """What a reader does until its input ends: learn what the first line says, read what each of the others names."""
    waiting = iter(lines)
    lesson = json.loads(next(waiting))
    needles = needles_of(lesson["values"], lesson["longer"], words=lesson["words"])
    print("{}", file=answers, flush=True)
    for line in waiting:
        asked = json.loads(line)
        _limit(asked["memory_mb"] << 20, asked["cpu_seconds"])
        scan = scan_bytes(Path(asked["path"]), needles)
        said = {"hits": list(map(astuple, scan.hits)), "doubts": list(map(astuple, scan.doubts))}
        print(json.dumps({**said, "read_bytes": scan.read_bytes}), file=answers, flush=True)


def _limit(memory_bytes: int, cpu_seconds: int) -> None:
    """From here on so much more memory than now, and so much more time of the processor."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    for what, soft in (
        (resource.RLIMIT_AS, pages * resource.getpagesize() + memory_bytes),
        (resource.RLIMIT_CPU, int(time.process_time()) + 1 + cpu_seconds),
    ):
        hard = resource.getrlimit(what)[1]
        resource.setrlimit(what, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    read_on(sys.stdin, sys.stdout)
