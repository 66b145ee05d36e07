"""Lists that end after ``--limit`` lines, and say so."""

from collections.abc import Sequence
from typing import Annotated, TypeVar

import typer

from sluice.cli.output import err

T = TypeVar("T")
MOST = 100_000
LimitOption = Annotated[int, typer.Option(min=1, max=MOST, help="At most so many, newest first.")]


def cut(found: Sequence[T], limit: int) -> tuple[list[T], bool]:
    """Return the first ``limit`` of what was looked up with one more, and whether there are more: stderr says it."""
    more = len(found) > limit
    if more:
        err.print(f"{limit} shown; there are more: `--limit N`", markup=False)
    return list(found[:limit]), more
