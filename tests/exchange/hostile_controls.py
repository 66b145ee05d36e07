"""Readers as people write them, for the control: ``python hostile_controls.py READER PATH`` reads one file.

They run in a process of their own. Nothing of the product is in it; ``MAKERS`` make the files beforehand.
"""

import gzip
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path


def _make_far_cell(path: Path) -> None:
    """Five kilobytes: one cell at the other end of the sheet."""
    import openpyxl

    book = openpyxl.Workbook()
    book.active["XFD1048576"] = "x"
    book.save(path)


def _read_far_cell(path: Path) -> None:
    import openpyxl

    for row in openpyxl.load_workbook(path).active.iter_rows(values_only=True):
        row.count(None)


def _make_dictionary(path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    column = pa.DictionaryArray.from_arrays(pa.array([0] * 20_000, pa.int32()), pa.array(["x" * 900_000]))
    pq.write_table(pa.table({"note": column}), path, compression="zstd")


def _read_dictionary(path: Path) -> None:
    import polars as pl

    pl.read_parquet(path).select(pl.col("note").cast(pl.String).str.to_uppercase())


def _make_gzip_bomb(path: Path) -> None:
    path.write_bytes(gzip.compress(bytes(64 << 20)) * 64)


def _read_gzip_bomb(path: Path) -> None:
    gzip.decompress(path.read_bytes()).splitlines()


def _make_backtracking(path: Path) -> None:
    path.write_text("a" * 60 + "!")


def _read_backtracking(path: Path) -> None:
    re.fullmatch(r"([a-z0-9]+\.?)+@[a-z]+", path.read_text())


def _make_endless_line(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(4 << 30)


def _read_endless_line(path: Path) -> None:
    import csv

    csv.field_size_limit(sys.maxsize)
    with path.open(encoding="utf-8", newline="") as file:
        list(csv.reader(file))


def _make_good(path: Path) -> None:
    path.write_text(json.dumps([{"a": 1}]))


def _read_good(path: Path) -> None:
    json.loads(path.read_text())


READERS: dict[str, tuple[Callable[[Path], None], Callable[[Path], None]]] = {
    "one far cell, openpyxl": (_make_far_cell, _read_far_cell),
    "a dictionary that swells, polars": (_make_dictionary, _read_dictionary),
    "a gzip bomb, gzip": (_make_gzip_bomb, _read_gzip_bomb),
    "a pattern that backtracks, re": (_make_backtracking, _read_backtracking),
    "one line and no end, csv": (_make_endless_line, _read_endless_line),
    "a good file": (_make_good, _read_good),
}

if __name__ == "__main__":
    READERS[sys.argv[1]][1](Path(sys.argv[2]))
