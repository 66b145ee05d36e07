"""Erasing from 200 lake files of 50,000 rows: one person in 3 of them, and 1,000 persons in all of them.

``SIZE=full`` measures the 200 files, all designs on all of them; the small run has 20 files and no goals.
Files, the merged index and results lie on local disk: what S3 adds is the same for every design. Every design
leaves the persons' rows out; only ours also reads its result again as proof. Ours edits two copies at a time, each in
a process of its own, because the DAG maps its tasks over copies; a script takes one after the other. Rows with both at
the same number of copies say what that alone makes.
"""

import multiprocessing
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
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
AT_ONCE, BLOCK = 2, 50
"""How many copies are edited at a time, and of how many files each design has its turn."""
HITS = (0.1, 0.5, 0.9)
"""Which of the files hold the one person, as shares of their number."""

Work = Callable[[Path], object]
"""What is done with one file; for a process of its own, a ``functools.partial`` of a module-level function."""


@dataclass(frozen=True, slots=True)
class Lake:
    """Lake files with the index run of each, and the parts of their merge; the one person, and the many."""

    files: tuple[Path, ...]
    runs: tuple[Path, ...]
    parts: tuple[Path, ...]
    one: str
    many: tuple[str, ...]
    target: Path
    """Folder for results."""

    @property
    def with_one(self) -> list[Path]:
        return [self.files[number] for number in places_of_one(len(self.files))]


def rows(size: int) -> Iterator[BenchRow]:
    """Ratios of one run, the designs in turns."""
    is_full, context = size >= FULL, multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as name, ProcessPoolExecutor(AT_ONCE, context) as tasks:
        lake = draw_lake(Path(name), FILES if is_full else FEW)
        turn(
            tasks, partial(erase, lake.target, frozenset(lake.many)), lake.files[: 4 * AT_ONCE], lake
        )  # imports everything
        yield from _one(lake, tasks, is_full)
        yield from _many(lake, tasks, is_full)


def _one(lake: Lake, tasks: Executor, is_full: bool) -> Iterator[BenchRow]:
    progress(f"erase_many: one person in {len(HITS)} of {len(lake.files)} files")
    costs: list[tuple[Cost, ...]] = []
    splice, copy = partial(erase, lake.target, frozenset({lake.one})), copy_and_encode(lake)
    for _ in range(ROUNDS):
        looked, alone = cost(partial(find, lake)), turn(None, splice, lake.with_one, lake)
        spliced, copied = turn(tasks, splice, lake.with_one, lake), turn(None, copy, lake.with_one, lake)
        costs.append((looked, alone, spliced, copied, turn(None, partial(scan_first, lake), lake.files, lake)))
    looked, alone, spliced, copied, scanned = (median(list(column)) for column in zip(*costs, strict=True))
    rewritten = turn(None, partial(rewrite, lake), lake.files, lake)
    ours = looked.wall_s + spliced.wall_s
    said = f"ours {ours:.3f} s: index {looked.wall_s:.3f} s, {len(HITS)} files {spliced.wall_s:.3f} s"
    floor = f"byte copy + encode of one group {copied.wall_s:.3f} s"
    yield _row("1 person: splice, one file after the other", alone.wall_s / copied.wall_s, floor, 2)
    for what, slow, how, goal in (
        ("scan-first saved", scanned, f"pyarrow reads every key column, rewrites {len(HITS)} files", None),
        (f"{len(lake.files)} files", rewritten, "pandas reads and rewrites all files, once", 150 if is_full else None),
    ):
        against = f"{how}: {slow.wall_s:.2f} s; {said}"
        yield BenchRow("erase_many", f"1 person: {what}", slow.wall_s / ours, "x", against, goal)


def _many(lake: Lake, tasks: Executor, is_full: bool) -> Iterator[BenchRow]:
    """Block by block in turns."""
    progress(f"erase_many: {PERSONS:,} persons in {len(lake.files)} files")
    ours, script = partial(erase, lake.target, frozenset(lake.many)), partial(plain, lake.target)
    fewer, own = partial(erase, lake.target, frozenset(lake.many[:TENTH])), partial(own_writer, lake.target)
    designs = ((tasks, ours), (None, script), (tasks, script), (None, ours), (tasks, own), (tasks, fewer))
    total = [Cost(0, 0)] * len(designs)
    for number, start in enumerate(range(0, len(lake.files), BLOCK)):
        for place in np.roll(range(len(designs)), number):
            where, work = designs[place]
            spent = turn(where, work, lake.files[start : start + BLOCK], lake)
            total[place] = Cost(total[place].wall_s + spent.wall_s, total[place].cpu_s + spent.cpu_s)
    yield from _compared(total, is_full)


def _compared(total: Sequence[Cost], is_full: bool) -> Iterator[BenchRow]:
    ours, script, both, alone, own, fewer = total
    for name, mine, floor, goal in (
        ("polars read + write", ours, script, 1),
        ("polars, also two at a time", ours, both, 1),
        ("polars, both one at a time", alone, script, None),
        ("the lake's own writer, also two", ours, own, None),
    ):
        against = f"{name} {floor.wall_s:.2f} s wall, {floor.cpu_s:.2f} s CPU; ours {mine.wall_s:.2f} s with its proof"
        yield _row(f"1,000 persons: {name}", mine.wall_s / floor.wall_s, against, goal if is_full else None)
        yield _row(f"1,000 persons: {name}, CPU", mine.cpu_s / floor.cpu_s, against, None)
    told = f"{TENTH} of these persons: {fewer.wall_s:.2f} s wall, {fewer.cpu_s:.2f} s CPU"
    yield _row("1,000 persons: 100 of them", ours.wall_s / fewer.wall_s, told, None)


def turn(tasks: Executor | None, work: Work, paths: Sequence[Path], lake: Lake) -> Cost:
    """What it costs to do the work on each file: as many at a time as there are processes, or one after the other.

    The folder of results is empty, because to replace a file costs more than to make one.
    """
    shutil.rmtree(lake.target, ignore_errors=True)
    lake.target.mkdir()
    begun = time.perf_counter()
    cpu_s = sum((map if tasks is None else tasks.map)(partial(cpu_of, work), paths))
    return Cost(time.perf_counter() - begun, cpu_s)


def cpu_of(work: Work, path: Path) -> float:
    """CPU seconds of the process that does the work."""
    return cost(partial(work, path)).cpu_s


def erase(target: Path, refs: frozenset[str], path: Path) -> None:
    """What a task of the product does with a copy that the index named, its proof included."""
    erased = erase_refs(path, target / path.name, refs, [REF], REF)
    if len(refs) == 1 and erased.rows_before - erased.rows_after != 1:
        raise RuntimeError("the person was not erased")


def plain(target: Path, path: Path) -> None:
    """Read and write as polars does it."""
    pl.read_parquet(path).write_parquet(target / path.name, compression="zstd")


def own_writer(target: Path, path: Path) -> None:
    """Read, and write as the lake does it."""
    write_lake([pl.read_parquet(path)], target / path.name, sorted_by=REF)


def copy_and_encode(lake: Lake) -> Work:
    """The least that one person costs: the bytes of a file, and one group encoded."""
    groups = {path: pl.read_parquet(path).head(ROWS_PER_GROUP) for path in lake.with_one}

    def work(path: Path) -> None:
        shutil.copyfile(path, lake.target / path.name)
        write_lake([groups[path]], lake.target / f"{path.name}.group", sorted_by=REF)

    return work


def scan_first(lake: Lake, path: Path) -> None:
    """Read the key column of every file, and rewrite the file if it holds the person."""
    if not pc.any(pc.equal(pq.read_table(path, columns=[REF])[REF], lake.one)).as_py():
        return
    table = pq.read_table(path)
    left = table.filter(pc.not_equal(table[REF], lake.one))
    pq.write_table(left, lake.target / path.name, compression="zstd")


def rewrite(lake: Lake, path: Path) -> None:
    """What a script does that does not know where the person is."""
    frame = pd.read_parquet(path)
    frame[frame[REF] != lake.one].to_parquet(lake.target / path.name, compression="zstd")


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
