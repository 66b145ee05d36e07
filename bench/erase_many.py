"""Erasing from 200 lake files of 50,000 rows: one person in 3 of them, and 1,000 persons in all of them.

``SIZE=full`` measures the 200 files, all designs on all of them; the small run has 20 files and no goals.
Files, the merged index and results lie on local disk: what S3 adds is the same for every design. Every design
leaves the persons' rows out; only ours also reads its result again as proof.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow.compute as pc  # noqa: TID253
import pyarrow.parquet as pq  # noqa: TID253

from bench import BenchRow, Cost, cost, median, progress
from sluice.lake.erase.in_lake import erase_refs
from sluice.lake.parquet import ROWS_PER_GROUP, write_lake
from sluice.subject.index import build_run, find_in_run, merge_runs, parts_with, write_run
from sluice.terms import SubjectKind

SEED = 20_261_126
REF = "sluice_subject_ref"
ROWS = 2 * ROWS_PER_GROUP
FILES, FEW, FULL = 200, 20, 1_000_000
PERSONS, TENTH, FILES_EACH = 1_000, 100, 5
ROUNDS = 5
HITS = (0.1, 0.5, 0.9)
"""Which of the files hold the one person, as shares of their number."""


@dataclass(frozen=True, slots=True)
class Lake:
    """Lake files with the index run of each, and the parts of their merge; the one person, and the many."""

    files: tuple[Path, ...]
    runs: tuple[Path, ...]
    parts: tuple[Path, ...]
    one: str
    many: tuple[str, ...]
    target: Path

    @property
    def with_one(self) -> list[Path]:
        return [self.files[number] for number in places_of_one(len(self.files))]


def rows(size: int) -> Iterator[BenchRow]:
    """Ratios of one run, the designs in turns."""
    is_full = size >= FULL
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as name:
        lake = draw_lake(Path(name), FILES if is_full else FEW)
        yield from _one(lake, is_full)
        yield from _many(lake, is_full)


def _one(lake: Lake, is_full: bool) -> Iterator[BenchRow]:
    progress(f"erase_many: one person in {len(HITS)} of {len(lake.files)} files")
    costs: list[tuple[Cost, Cost, Cost, Cost]] = []
    for _ in range(ROUNDS):
        costs.append((cost(lambda: find(lake)), cost(lambda: splice(lake)), *map(cost, (_copy(lake), _scan(lake)))))
    looked, spliced, copied, scanned = (median(list(column)) for column in zip(*costs, strict=True))
    rewritten = cost(lambda: rewrite_everything(lake))
    ours = looked.wall_s + spliced.wall_s
    said = f"ours {ours:.3f} s: index {looked.wall_s:.3f} s, {len(HITS)} files {spliced.wall_s:.3f} s"
    yield _row(
        "1 person: splice", spliced.wall_s / copied.wall_s, f"byte copy + encode of one group {copied.wall_s:.3f} s", 2
    )
    yield BenchRow(
        "erase_many",
        "1 person: scan-first saved",
        scanned.wall_s / ours,
        "x",
        f"pyarrow reads every key column, rewrites {len(HITS)} files: {scanned.wall_s:.2f} s; {said}",
    )
    yield BenchRow(
        "erase_many",
        f"1 person: {len(lake.files)} files",
        rewritten.wall_s / ours,
        "x",
        f"pandas reads and rewrites all files, once: {rewritten.wall_s:.1f} s; {said}",
        150 if is_full else None,
    )


def _many(lake: Lake, is_full: bool) -> Iterator[BenchRow]:
    """File by file in turns: ours, read + write as polars does it and by the lake's own writer, ours for a tenth."""
    progress(f"erase_many: {PERSONS:,} persons in {len(lake.files)} files")
    refs, few, total = frozenset(lake.many), frozenset(lake.many[:TENTH]), [Cost(0, 0)] * 4
    works: tuple[Callable[[Path], object], ...] = (
        lambda path: erase_refs(path, lake.target, refs, [REF], REF),
        lambda path: pl.read_parquet(path).write_parquet(lake.target, compression="zstd"),
        lambda path: write_lake([pl.read_parquet(path)], lake.target, sorted_by=REF),
        lambda path: erase_refs(path, lake.target, few, [REF], REF),
    )
    for turn, path in enumerate(lake.files):
        for place in np.roll((0, 1, 2, 3), turn):
            spent = cost(lambda place=place, path=path: works[place](path))
            total[place] = Cost(total[place].wall_s + spent.wall_s, total[place].cpu_s + spent.cpu_s)
    ours, plain, own, fewer = total
    for name, floor, goal in (("polars read + write", plain, 1), ("the lake's own writer", own, None)):
        against = f"{name} {floor.wall_s:.2f} s wall, {floor.cpu_s:.2f} s CPU; ours {ours.wall_s:.2f} s with its proof"
        yield _row(f"1,000 persons: {name}", ours.wall_s / floor.wall_s, against, goal if is_full else None)
        yield _row(f"1,000 persons: {name}, CPU", ours.cpu_s / floor.cpu_s, against, None)
    told = f"{TENTH} of these persons: {fewer.wall_s:.2f} s wall, {fewer.cpu_s:.2f} s CPU"
    yield _row("1,000 persons: 100 of them", ours.wall_s / fewer.wall_s, told, None)


def _row(what: str, value: float, against: str, goal: float | None) -> BenchRow:
    return BenchRow("erase_many", what, value, "x", against, goal, False)


def draw_lake(folder: Path, files: int) -> Lake:
    """Random text and numbers, 20 columns, sorted by reference; the persons in some rows of some files."""
    progress(f"erase_many: {files} files of {ROWS:,} rows")
    random = np.random.default_rng(SEED)
    one, *many = (random.bytes(16).hex() for _ in range(PERSONS + 1))
    chosen = [set(random.choice(files, min(FILES_EACH, files), replace=False)) for _ in many]
    paths, runs = ([folder / f"{number}.{ending}" for number in range(files)] for ending in ("parquet", "run"))
    entries = []
    for number, path in enumerate(paths):
        here = [ref for ref, places in zip(many, chosen, strict=True) if number in places]
        frame = draw_rows(random, [*here, *([one] if number in places_of_one(files) else ())])
        write_lake([frame], path, sorted_by=REF)
        entries.append((number, build_run([(SubjectKind.PHONE, frame[REF])])))
        runs[number].write_bytes(write_run(entries[-1][1]))
    merged = merge_runs(entries)
    parts = [folder / f"{number}.part" for number in range(len(merged))]
    for number, path in enumerate(parts):
        path.write_bytes(write_run(merged.part(number)))
    return Lake(tuple(paths), tuple(runs), tuple(parts), one, tuple(many), folder / "target")


def places_of_one(files: int) -> list[int]:
    """Which of the files hold the one person."""
    return [int(share * files) for share in HITS]


def draw_rows(random: np.random.Generator, persons: Sequence[str]) -> pl.DataFrame:
    words = random.integers(0, 2**63, (2, ROWS))
    refs = [f"{high:016x}{low:016x}" for high, low in words.T.tolist()]
    refs[: len(persons)] = persons
    texts = {f"text{n}": pl.Series(random.integers(0, 10 ** (n % 6 + 1), ROWS)).cast(pl.String) for n in range(14)}
    numbers = {f"number{n}": random.integers(0, 10**9, ROWS) for n in range(5)}
    return pl.DataFrame({REF: refs, **texts, **numbers}).sort(REF)


def find(lake: Lake) -> list[int]:
    """What the product asks: the part of the merged index that can hold the person."""
    asked = parts_with([lake.one], len(lake.parts).bit_length() - 1)
    found = [number for part in asked for number in find_in_run(lake.parts[part], [lake.one])["object"].to_list()]
    if found != places_of_one(len(lake.files)):
        raise RuntimeError("the index does not say where the person is")
    return found


def splice(lake: Lake) -> None:
    """What the product does with the files that the index named, its proof included."""
    for path in lake.with_one:
        erased = erase_refs(path, lake.target, {lake.one}, [REF], REF)
        if erased.rows_before - erased.rows_after != 1:
            raise RuntimeError("the person was not erased")


def _copy(lake: Lake) -> Callable[[], None]:
    """The least that one person costs: the bytes of each file, and one group encoded."""
    groups = [pl.read_parquet(path).head(ROWS_PER_GROUP) for path in lake.with_one]

    def work() -> None:
        for path, group in zip(lake.with_one, groups, strict=True):
            shutil.copyfile(path, lake.target)
            write_lake([group], lake.target.with_suffix(".group"), sorted_by=REF)

    return work


def _scan(lake: Lake) -> Callable[[], None]:
    """Scan first: the key column of every file, then a rewrite of those that hold the person."""

    def work() -> None:
        for path in lake.files:
            if not pc.any(pc.equal(pq.read_table(path, columns=[REF])[REF], lake.one)).as_py():
                continue
            table = pq.read_table(path)
            pq.write_table(table.filter(pc.not_equal(table[REF], lake.one)), lake.target, compression="zstd")

    return work


def rewrite_everything(lake: Lake) -> None:
    """What a script does that does not know where the person is."""
    for path in lake.files:
        frame = pd.read_parquet(path)
        frame[frame[REF] != lake.one].to_parquet(lake.target, compression="zstd")
