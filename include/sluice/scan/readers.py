"""Many objects read side by side.

The searcher keeps Python's lock, so threads alone do not help. A reader is a clean interpreter that loads this room
only, is told once by its standard input what to look for, and then reads one file after another: a JSON line in, one
out. It ends with whoever started it, because that closes its input.
"""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import astuple
from pathlib import Path
from queue import LifoQueue
from typing import IO, Self

from sluice.scan.model import Doubt, Hit, Reason, Scan
from sluice.scan.needles import needles_of
from sluice.scan.walk import scan_bytes

MOST = 4
"""Readers of one scan: each holds needles, and one object, in memory."""
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "PYTHONPATH", "LD_LIBRARY_PATH")
"""All that they need of the environment: no key, no address."""
log = logging.getLogger(__name__)

_Reader = subprocess.Popen[str]


class Readers:
    """Processes that look for the same values, each begun when it is first needed; they end with the block.

    They open nothing that is encrypted: the answer says ENCRYPTED. Values and words as for :func:`needles_of`.
    """

    def __init__(self, values: Sequence[str], words: Sequence[str], count: int | None = None) -> None:
        self._lesson = json.dumps({"values": values, "words": words})
        self._free = LifoQueue[_Reader | None]()
        for _ in range(count or min(MOST, len(os.sched_getaffinity(0)))):
            self._free.put(None)
        self._begun: list[_Reader] = []
        self._is_over = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._is_over = True
        for reader in self._begun:
            reader.kill()
            reader.communicate()

    def scan(self, path: Path) -> Scan | None:
        """The answer of whichever is free, from any thread.

        None when it died of this file, or could not open it, and after the block has ended.
        """
        reader = self._free.get()
        answer = ""
        try:
            if self._is_over:
                return None
            reader = reader or self._begin()
            answer = _asked(reader, json.dumps(str(path)))
        finally:
            self._free.put(reader if answer else None)
        if not answer:
            log.warning("a reader of the second scan ended over an object; it is read once more without one")
            return None
        return _scan_of(answer)

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
        _asked(reader, self._lesson)
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
    needles = needles_of(lesson["values"], words=lesson["words"])
    print("{}", file=answers, flush=True)
    for line in waiting:
        scan = scan_bytes(Path(json.loads(line)), needles)
        said = {"hits": list(map(astuple, scan.hits)), "doubts": list(map(astuple, scan.doubts))}
        print(json.dumps({**said, "read_bytes": scan.read_bytes}), file=answers, flush=True)


if __name__ == "__main__":
    read_on(sys.stdin, sys.stdout)
