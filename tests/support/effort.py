"""How much a test does: what `make test` bears on two cores, or as much as an acceptance row asks (`make evidence`)."""

import functools
import os
import random
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def effort(short: T, long: T) -> T:
    """``long`` where SLUICE_LONG is set."""
    return long if os.environ.get("SLUICE_LONG") else short


def chosen(points: Sequence[T], count: int = 4) -> list[T]:
    """The first and the last of these points and some between, in their order; all of them where SLUICE_LONG is set.

    Which ones lie between follows from the commit, so that over time all of them are tried.
    """
    if os.environ.get("SLUICE_LONG") or len(points) <= count:
        return list(points)
    between = random.Random(commit()).sample(range(1, len(points) - 1), count - 2)
    return [points[number] for number in (0, *sorted(between), len(points) - 1)]


@functools.cache
def commit() -> str:
    """The commit of the checkout; the same word everywhere where git does not know it."""
    asked = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
