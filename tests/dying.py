"""The parent's end of the processes that die at a step on purpose (``crash*.py``): a line in, how it ended out."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from desk import environment
from sluice.settings import Settings


class Failed(Exception):
    """The work ended with an error of its own, and was not killed."""


Victim = Callable[..., tuple[bool, int]]
"""The words of one line, among them the step to die at (0: never): whether it was killed, and the steps if not."""


@contextmanager
def dying(settings: Settings, script: str) -> Iterator[Victim]:
    """A process of ``tests/<script>`` in an installation; each line has a fork of it work, or die."""
    command = [sys.executable, str(Path(__file__).with_name(script))]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment(settings)) as process:
        assert process.stdin is not None and process.stdout is not None
        stdin, stdout = process.stdin, process.stdout

        def once(*words: object) -> tuple[bool, int]:
            stdin.write(" ".join(map(str, words)) + "\n")
            stdin.flush()
            status, steps = stdout.readline().split()
            if int(status) not in (0, 9):
                raise Failed
            return int(status) == 9, int(steps)

        try:
            assert stdout.readline() == "ready\n"
            yield once
        finally:
            process.kill()
