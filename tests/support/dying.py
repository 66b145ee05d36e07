"""The parent's end of the processes that die at a step on purpose (``crash*.py``): a line in, how it ended out."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sluice.settings import Settings
from support.desk import environment
from support.forks import forked


class Failed(Exception):
    """The work ended with an error of its own, and was not killed."""


Victim = Callable[..., tuple[bool, int]]
"""The words of one line, among them the step to die at (0: never): whether it was killed, and the steps if not."""


@contextmanager
def dying(settings: Settings, script: str) -> Iterator[Victim]:
    """A process of ``tests/<script>`` in an installation; each line has a fork of it work, or die."""
    with forked(Path(__file__).with_name(script), environment(settings)) as process:

        def once(*words: object) -> tuple[bool, int]:
            process.write(" ".join(map(str, words)))
            status, steps = process.read().split()
            if int(status) not in (0, 9):
                raise Failed
            return int(status) == 9, int(steps)

        yield once
