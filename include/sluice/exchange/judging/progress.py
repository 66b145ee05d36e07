"""How far the judging child is: it says so in a file of its folder, which is read while its end is waited for."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sluice.exchange.judging.left import read_left

Say = Callable[[int, int], None]
"""Told how many parts are judged, of how many."""
PROGRESS_FILE = "progress"
LONGEST_PROGRESS = 64
TWO_NUMBERS = re.compile(r"[0-9]{1,20} [0-9]{1,20}")


def tell(folder: Path, done: int, count: int) -> None:
    """By the child. A file that is one part is judged before anybody could read it."""
    if count > 1:
        (folder / PROGRESS_FILE).write_text(f"{done} {count}")


@contextmanager
def told(folder: Path, say: Say, every_s: float) -> Iterator[None]:
    """While the block runs, ``say`` what is new, from a thread of its own; and no more when it has ended."""
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
    """Two numbers, or nothing where they are being written."""
    text = read_left(folder / PROGRESS_FILE, LONGEST_PROGRESS).decode(errors="replace")
    return text if TWO_NUMBERS.fullmatch(text) else ""
