"""The option ``--limit`` of lists, and the note on stderr when a list was cut off."""

from collections.abc import Sequence
from typing import Annotated, TypeVar

import typer

from sluice.cli.output import err

T = TypeVar("T")
MOST = 100_000
LimitOption = Annotated[int, typer.Option(min=1, max=MOST, help="Show at most this many, newest first.")]


def cut(found: Sequence[T], limit: int) -> tuple[list[T], bool]:
    """Split off the one extra line that was queried, and say on stderr if there was one."""
    more = len(found) > limit
    if more:
        err.print(f"{limit} shown; there are more: `--limit N`", markup=False)
    return list(found[:limit]), more
