"""One small process per slot that forks a limited child for every file.

Parsing a stranger's file is the most dangerous thing Sluice does: a 2 kB workbook can abort the
parser, a 2 MB Parquet can ask for 20 GB. So decode and gate run in a child with limits on memory,
CPU, wall time, output and open files, without network, and can open no file but its own. A fresh
interpreter costs half a second of imports per file; the nursery imports once, never computes
itself, and forks in milliseconds.

The protocol is one JSON line in, one JSON line out. The child answers in a file of its work folder.
"""

import contextlib
import json
import os
import resource
import select
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sluice.errors import GateFailed, Ref, place_of
from sluice.kernel import adopt_orphans, confine, die_with_parent, leave_network, places_of_code

CHILD = "sluice.exchange.judging.child:judge_file"
"""The function that judges a file, which nearly every nursery runs."""
OPEN_FILES = 256
FIRST_CODE = 64
"""Exit code of the first :class:`ChildEnd`. Lower codes are Python's and those of a parser that gives up: it died."""
BYTES_PER_CPU_SECOND, BYTES_PER_SECOND = 4 << 20, 2 << 20
"""Bytes for which a large file gets another second: twice the time that CSV takes on a slow machine, and as much again
to wait."""
NO_STACK = "can't start new thread"
"""What Python says when the memory limit leaves no room for the stack of a thread."""
OUTPUT_FACTOR, OUTPUT_FLOOR_BYTES = 6, 1 << 30
CHILD_ENVIRONMENT = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": "33554432",
    "MALLOC_TRIM_THRESHOLD_": "67108864",
    "_RJEM_MALLOC_CONF": "dirty_decay_ms:1000,muzzy_decay_ms:0",
    "PYDANTIC_DISABLE_PLUGINS": "__all__",
}
"""Makes allocators reserve no gigabytes ahead, because the limit counts what is reserved, and give free memory back,
but only after the next part had time to ask for it again (polars' own is jemalloc). Nobody's plug-ins are loaded."""
PASSED_ON = (
    "PATH", "HOME", "LANG", "LC_ALL", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "LD_LIBRARY_PATH", "POLARS_MAX_THREADS",
)  # fmt: skip
"""The only environment variables that a process which reads strangers' files gets: no key, no address."""


class ChildEnd(StrEnum):
    """How a child ended. Only DONE comes with a report."""

    DONE = "done"
    MEMORY = "LIMIT_MEMORY"
    CPU = "LIMIT_CPU"
    WALL = "LIMIT_TIME"
    OUTPUT = "LIMIT_OUTPUT"
    DIED = "UNREADABLE_PARSER_DIED"
    FAILED = "UNREADABLE_NOT_JUDGED"


@dataclass(frozen=True, slots=True)
class ChildLimits:
    """What one child may use. ``memory_bytes``: address space beyond what its imports take."""

    memory_bytes: int
    cpu_seconds: int
    wall_seconds: int
    output_bytes: int

    @classmethod
    def of(cls, memory_mb: int, cpu_seconds: int, wall_seconds: int, file_bytes: int) -> "ChildLimits":
        """Return the limits for one file. They grow with the file, so a small bomb stays small."""
        return cls(
            memory_mb * (1 << 20) + 12 * file_bytes,
            cpu_seconds + file_bytes // BYTES_PER_CPU_SECOND,
            wall_seconds + file_bytes // BYTES_PER_SECOND,
            OUTPUT_FLOOR_BYTES + OUTPUT_FACTOR * file_bytes,
        )


class _Process:
    """A nursery's process. It ends when nothing holds it any more, or with the thread that started it."""

    def __init__(self, child: str) -> None:
        self._child, self._environment, self._started_by = child, _environment(), os.getpid()
        self.popen = subprocess.Popen(
            # -P: import no module from the folder it starts in
            [sys.executable, "-P", "-m", "sluice.exchange.judging.nursery", child],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=self._environment,
        )
        self.end = weakref.finalize(self, _end, self.popen, self._started_by)

    def serves(self, child: str) -> bool:
        """Whether it may get a job of this kind: it is alive, and this process started it, not one that forked this."""
        same = (self._child, self._environment, self._started_by) == (child, _environment(), os.getpid())
        return same and self.popen.poll() is None


def _environment() -> dict[str, str]:
    return {**{name: os.environ[name] for name in PASSED_ON if name in os.environ}, **CHILD_ENVIRONMENT}


def _end(process: subprocess.Popen[str], started_by: int) -> None:
    if os.getpid() == started_by:
        process.kill()
        process.communicate()


class _Spare(threading.local):
    """The process that the last nursery of this thread left, so that the next one need not import again."""

    process: _Process | None = None


_spare = _Spare()


class Nursery:
    """The parent's end: starts the process on first use, restarts it when it is gone."""

    def __init__(self, child: str) -> None:
        """``child``: ``module:function`` taking the job (a dict); it writes its own report."""
        self._child = child
        self._process: _Process | None = None
        self._is_at_work = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Leave the process to the next nursery of this thread; end it if it still owes an answer."""
        process, self._process = self._process, None
        owes_an_answer, self._is_at_work = self._is_at_work, False
        if process is not None and owes_an_answer:
            process.end()
        elif process is not None:
            _spare.process = process

    def warm(self) -> None:
        """Start the process now, so that it imports while the file is still on its way."""
        self._running()

    def run(self, job: dict[str, Any], limits: ChildLimits, reads: Iterable[Path] = ()) -> ChildEnd:
        """Run one job in a limited child and return how the child ended; an error in the file never raises.

        The child can change files in the job's ``folder`` only, and beside those read ``reads`` and what Python needs.
        Raises GateFailed when the nursery's process is gone.
        """
        process = self._running()
        line = json.dumps({"job": job, "limits": asdict(limits), "reads": [str(path.resolve()) for path in reads]})
        answer, self._is_at_work = "", True
        with contextlib.suppress(BrokenPipeError):
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write(line + "\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        if not answer:
            self.close()
            raise GateFailed(Ref("process", "nursery"), Ref("end", "gone"))
        self._is_at_work = False
        return ChildEnd(json.loads(answer)["end"])

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None or not self._process.serves(self._child):
            spare, _spare.process = _spare.process, None
            is_fit = spare is not None and spare.serves(self._child)
            self._process = spare if is_fit else _Process(self._child)
        assert self._process is not None
        return self._process.popen


def serve(child: Callable[[dict[str, Any]], None]) -> None:
    """Run the process's loop: read a job, fork, wait, answer. It ends with its parent or its stdin."""
    die_with_parent()
    adopt_orphans()
    for line in sys.stdin:
        request = json.loads(line)
        limits = ChildLimits(**request["limits"])
        pid = os.fork()
        if pid == 0:
            _be_child(child, request["job"], limits, [Path(each) for each in request["reads"]])
        end = _wait(pid, limits.wall_seconds)
        _end_the_rest()
        sys.stdout.write(json.dumps({"end": end}) + "\n")
        sys.stdout.flush()


def _end_the_rest() -> None:
    """End the processes that the child had started.

    The kernel hands them to this process, and they could go on writing where nobody looks.
    """
    while left := [int(pid) for own in Path("/proc/self/task").glob("*/children") for pid in own.read_text().split()]:
        for pid in left:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _be_child(
    child: Callable[[dict[str, Any]], None], job: dict[str, Any], limits: ChildLimits, reads: list[Path]
) -> None:
    """Run the child; never returns. Whatever the file makes a parser print or raise stays in here."""
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silence, stream)
    die_with_parent()
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # Python ignores it, and then this limit could not be told apart
    _set_limits(limits)
    confine(reads, [Path(job["folder"]), Path(os.devnull)])
    status = ChildEnd.FAILED
    try:
        child(job)
        status = ChildEnd.DONE
    except MemoryError:
        status = ChildEnd.MEMORY
    except RuntimeError as error:
        status = ChildEnd.MEMORY if str(error) == NO_STACK else _failed(job, error)
    except BaseException as error:
        status = _failed(job, error)
    finally:
        os._exit(FIRST_CODE + list(ChildEnd).index(status))


def _failed(job: dict[str, Any], error: BaseException) -> ChildEnd:
    """Write down where the error was, never what it said."""
    with contextlib.suppress(OSError):  # a full disk says nothing of the file
        Path(job["folder"], "failure.txt").write_text(place_of(error))
    return ChildEnd.FAILED


def _set_limits(limits: ChildLimits) -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    memory = pages * resource.getpagesize() + limits.memory_bytes
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (limits.output_bytes, limits.output_bytes))
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _wait(pid: int, wall_seconds: int) -> ChildEnd:
    handle = os.pidfd_open(pid)
    started = time.monotonic()
    try:
        ready, _, _ = select.select([handle], [], [], wall_seconds)
        if not ready:
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
    finally:
        os.close(handle)
    if not ready and time.monotonic() - started >= wall_seconds:
        return ChildEnd.WALL
    if os.WIFEXITED(status):
        place = os.WEXITSTATUS(status) - FIRST_CODE
        return list(ChildEnd)[place] if 0 <= place < len(ChildEnd) else ChildEnd.DIED
    by_number: dict[int, ChildEnd] = {signal.SIGXCPU: ChildEnd.CPU, signal.SIGXFSZ: ChildEnd.OUTPUT}
    return by_number.get(os.WTERMSIG(status), ChildEnd.DIED)  # a real-time signal has no name


if __name__ == "__main__":
    import gc
    import importlib

    leave_network()  # first: the imports start threads, and of a process with several the kernel lets root's leave only
    gc.disable()  # nothing imported is garbage, and looking for it takes a tenth of the time
    name, _, function = sys.argv[1].partition(":")
    room = importlib.import_module(name)
    for late in getattr(room, "PRELOADED", ()):
        with contextlib.suppress(ModuleNotFoundError):  # part of an extra that is not installed, and so not used
            importlib.import_module(late)
    for make in getattr(room, "PREPARED", ()):
        make()
    places_of_code()
    gc.freeze()  # children look for garbage among their own, so these pages stay shared
    gc.enable()
    serve(getattr(room, function))
