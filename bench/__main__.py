"""``python -m bench [NAME ...] [--markdown FILE]``; SIZE=full measures 1,000,000 rows instead of 100,000."""

import importlib
import os
import pkgutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

import bench
from bench import BenchRow, machine, progress, shown
from sluice.cli.output import out, prepare_streams, show_table

SIZES = {"small": 100_000, "full": 1_000_000}
COLUMNS = ("bench", "what", "value", "goal", "met", "against, in this run")


def run(
    names: Annotated[list[str] | None, typer.Argument(help="Which benches; all when none is named.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Also write the table as Markdown.")] = None,
) -> None:
    """Measure, and print every figure beside its goal and the floor of the same run.

    Example: SIZE=full python -m bench identifiers --markdown bench.md
    """
    size = SIZES[os.environ.get("SIZE", "small")]
    found = [module.name for module in pkgutil.iter_modules(bench.__path__) if module.name != "__main__"]
    rows = [row for name in (names or found) for row in measured(name, size)]
    line = f"{size:,} rows; {', '.join(machine())}"
    show_table("Benchmarks", COLUMNS, map(cells, rows))
    out.print(line, markup=False)
    if markdown:
        markdown.write_text(as_markdown(rows, line), encoding="utf-8")


def measured(name: str, size: int) -> Iterator[BenchRow]:
    """The rows of one bench; none of a module that is only shared by some."""
    module = importlib.import_module(f"bench.{name}")
    if hasattr(module, "rows"):
        progress(f"{name}, {size:,} rows")
        yield from module.rows(size)


def cells(row: BenchRow) -> tuple[str, ...]:
    return row.bench, row.what, f"{shown(row.value)} {row.unit}", row.goal_text, row.met, row.floor


def as_markdown(rows: Iterable[BenchRow], line: str) -> str:
    table = [COLUMNS, ("---",) * len(COLUMNS), *map(cells, rows)]
    return "".join(f"| {' | '.join(row)} |\n" for row in table) + f"\n{line}\n"


if __name__ == "__main__":
    prepare_streams()
    typer.run(run)
