"""How far the judging child is: it writes that to a file in its folder, which the parent reads while it waits."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sluice.exchange.judging.check_output import read_left

Say = Callable[[int, int], None]
"""Called with how many parts are judged, and how many there are."""
PROGRESS_FILE = "progress"
LONGEST_PROGRESS = 64
TWO_NUMBERS = re.compile(r"[0-9]{1,20} [0-9]{1,20}")


def tell(folder: Path, done: int, count: int) -> None:
    """Write the progress; called by the child. A file of one part is judged before anybody could read it."""
    if count > 1:
        (folder / PROGRESS_FILE).write_text(f"{done} {count}")


@contextmanager
def reporting_progress(folder: Path, say: Say, every_s: float) -> Iterator[None]:
    """While the block runs, call ``say`` with new progress from a thread of its own; never after it has ended."""
    ended = threading.Event()

    def look() -> None:
        last = ""
        while not ended.wait(every_s):
            if (text := _read(folder)) and text != last:
                done, count = map(int, text.split())
                say(done, count)
                last = text

    watcher = threading.Thread(target=look, name="progress", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def _read(folder: Path) -> str:
    """Return two numbers as text, or nothing while they are being written."""
    text = read_left(folder / PROGRESS_FILE, LONGEST_PROGRESS).decode(errors="replace")
    return text if TWO_NUMBERS.fullmatch(text) else ""
