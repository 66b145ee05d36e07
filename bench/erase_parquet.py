"""Persons out of a lake file of 50,000 rows x 20: one against byte copy + one group, 1,000 against read + write."""

import shutil
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from bench import BenchRow, paired, progress
from sluice.lake.erase.in_lake import erase_refs
from sluice.lake.parquet import ROWS_PER_GROUP, write_lake

SEED = 20_261_125
ROWS, COLUMNS = 2 * ROWS_PER_GROUP, 20
PERSONS = 1_000
ROUNDS = 9
REF = "sluice_subject_ref"


def rows(size: int) -> Iterator[BenchRow]:
    """Wall time in turns, the median of nine; the same file whatever ``size``."""
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as name:
        source, target, copy = (Path(name) / part for part in ("source", "target", "copy"))
        frame = lake_rows(np.random.default_rng(SEED))
        write_lake([frame], source, sorted_by=REF)
        refs = frame[REF].sample(PERSONS, seed=SEED).to_list()
        progress("erase_parquet: one person")
        ours, floor = paired(
            partial(erase, source, target, refs[:1]), partial(copy_and_encode, source, copy, frame), ROUNDS
        )
        against = f"byte copy + encode of one group {floor.wall_s:.3f} s, ours {ours.wall_s:.3f} s"
        yield BenchRow("erase_parquet", "1 person of 50,000 rows", ours.wall_s / floor.wall_s, "x", against, 2, False)
        progress("erase_parquet: 1,000 persons")
        ours, floor = paired(partial(erase, source, target, refs), partial(read_and_write, source, copy), ROUNDS)
        against = f"plain read + write {floor.wall_s:.3f} s, ours {ours.wall_s:.3f} s"
        yield BenchRow("erase_parquet", "1,000 persons, one pass", ours.wall_s / floor.wall_s, "x", against, 1, False)


def lake_rows(random: np.random.Generator) -> pl.DataFrame:
    """References, text that repeats, text that does not, and numbers: 20 columns."""
    refs = [random.bytes(16).hex() for _ in range(ROWS)]
    texts = {f"text{n}": pl.Series(random.integers(0, 10 ** (n % 6 + 1), ROWS)).cast(pl.String) for n in range(14)}
    numbers = {f"number{n}": random.integers(0, 10**9, ROWS) for n in range(5)}
    return pl.DataFrame({REF: refs, **texts, **numbers}).sort(REF)


def erase(source: Path, target: Path, refs: list[str]) -> None:
    """What the product does, its proof included."""
    erased = erase_refs(source, target, set(refs), [REF], REF)
    if erased.rows_before - erased.rows_after != len(refs):
        raise RuntimeError("not every person was erased")


def copy_and_encode(source: Path, copy: Path, frame: pl.DataFrame) -> None:
    """The least that one person costs."""
    shutil.copyfile(source, copy)
    write_lake([frame.head(ROWS_PER_GROUP)], copy.with_suffix(".group"), sorted_by=REF)


def read_and_write(source: Path, copy: Path) -> None:
    write_lake([pl.read_parquet(source)], copy, sorted_by=REF)
