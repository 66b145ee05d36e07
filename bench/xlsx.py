"""XLSX, 20 columns of text: our reader and our writer, each against openpyxl, in fresh processes."""

import tempfile
from collections.abc import Iterator
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
import openpyxl  # type: ignore[import-untyped]
import polars as pl
import xlsxwriter  # type: ignore[import-untyped]

from bench import BenchRow, Cost, cost_in_child, median, progress
from sluice.lake.read.reader import read_table
from sluice.lake.table import Table
from sluice.lake.write.model import WriteForm
from sluice.lake.write.table import write_table
from sluice.sample.files import BELGIAN, WRITTEN_ON, campaign_cells

SEED = 20_260_901
MOST_ROWS = 100_000
ROUNDS = 3


def rows(size: int) -> Iterator[BenchRow]:
    """Wall of reading (goal 10x) and of writing (goal 8x); openpyxl takes half a minute for 100,000 rows."""
    count = min(size, MOST_ROWS)
    cells = campaign_cells(np.random.default_rng(SEED), count, BELGIAN, WRITTEN_ON)
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as name:
        parquet, book = Path(name) / "cells.parquet", Path(name) / "cells.xlsx"
        cells.write_parquet(parquet)
        write_shared(parquet, book)
        reading = _medians(partial(read, book, count), partial(read_openpyxl, book, count), "reading")
        written = Path(name) / "written.xlsx"
        writing = _medians(partial(write, parquet, written), partial(write_openpyxl, parquet, written), "writing")
    yield from _rows(f"read, {count:,} rows", reading, 10)
    yield from _rows(f"write, {count:,} rows", writing, 8)


def _medians(ours: partial[None], theirs: partial[None], what: str) -> tuple[Cost, Cost]:
    costs = []
    for number in range(1, ROUNDS + 1):
        progress(f"xlsx: {what}, round {number} of {ROUNDS}")
        costs.append((cost_in_child(ours), cost_in_child(theirs)))
    return median([first for first, _ in costs]), median([second for _, second in costs])


def _rows(what: str, costs: tuple[Cost, Cost], goal: float) -> Iterator[BenchRow]:
    ours, theirs = costs
    walls = f"openpyxl {theirs.wall_s:.2f} s wall, {theirs.peak_mb or 0:.0f} MB; ours {ours.wall_s:.2f} s"
    yield BenchRow("xlsx", what, theirs.wall_s / ours.wall_s, "x", walls, goal)
    yield BenchRow("xlsx", f"{what}: memory", ours.peak_mb or 0, "MB", walls)


def read(book: Path, count: int) -> None:
    """As the judging child reads."""
    table = read_table(book, file_name=book.name)
    if not isinstance(table, Table) or table.frame.height != count:
        raise RuntimeError("the workbook was not read")


def read_openpyxl(book: Path, count: int) -> None:
    """Read-only mode, values only: the fastest it has."""
    sheet = openpyxl.load_workbook(book, read_only=True, data_only=True).active
    if sum(1 for _ in sheet.iter_rows(values_only=True)) != count + 1:
        raise RuntimeError("the workbook was not read")


def write(parquet: Path, target: Path) -> None:
    """As a return, a dial list or an answer is written."""
    write_table(pl.read_parquet(parquet), {}, WriteForm("xlsx"), target, title="contacts")


def write_shared(parquet: Path, target: Path) -> None:
    """Each text once, as a spreadsheet saves them: what there is to read."""
    cells = pl.read_parquet(parquet)
    with xlsxwriter.Workbook(target) as book:
        sheet = book.add_worksheet("contacts")
        for number, record in enumerate(chain([cells.columns], cells.iter_rows())):
            for column, text in enumerate(record):
                sheet.write_string(number, column, text)


def write_openpyxl(parquet: Path, target: Path) -> None:
    """Write-only mode: the fastest it has."""
    cells = pl.read_parquet(parquet)
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("contacts")
    for record in chain([cells.columns], cells.iter_rows()):
        sheet.append(record)
    book.save(target)
