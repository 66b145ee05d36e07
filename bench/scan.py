"""The second scan of an erasure over mixed objects: what 1 and 1,000 persons cost beside hashing the same bytes."""

import gzip
import hashlib
import io
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl

from bench import BenchRow, paired, shown
from sluice.scan.model import Scan
from sluice.scan.needles import Needles, needles_of
from sluice.scan.readers import MOST, Readers
from sluice.scan.walk import scan_bytes

SEED = 20_261_125
PERSONS = (1, 1000)
COPIES = 4
WORKBOOK_SHARE = 20
"""One row in so many also stands in the workbook: nobody mails a million rows."""


def rows(size: int) -> Iterator[BenchRow]:
    """``size`` rows as CSV, NDJSON, gzip, Parquet and workbook: about 200 bytes of text per row in each."""
    frame = draw_rows(size)
    objects = draw_objects(frame)
    stored = sum(map(len, objects.values()))
    for persons in PERSONS:
        needles = needles_of(planted(frame, persons))
        whole, floor = paired(partial(scan_all, objects, needles), partial(hash_all, objects))
        megabytes = sum(one.read_bytes for one in scan_all(objects, needles)) / 1e6
        against = f"sha256 of the {shown(stored / 1e6)} MB stored: {shown(floor.wall_s)} s; {needles.count:,} needles"
        what = f"{shown(megabytes)} MB searched, {persons:,} persons"
        yield BenchRow("scan", what, megabytes / whole.wall_s, "MB/s", against)
        yield BenchRow("scan", f"{what}, CPU", megabytes / whole.cpu_s, "MB per s", against)
    for name, content in objects.items():
        yield from row_of(name, content, needles)
    yield side_by_side(objects, planted(frame, PERSONS[-1]))


def side_by_side(objects: dict[str, bytes], values: list[str]) -> BenchRow:
    """Readers beside one process, over several copies of every object; both know already what to look for."""
    needles = needles_of(values)
    with TemporaryDirectory(prefix="sluice-bench-") as name, Readers(Path(name), values, []) as readers:
        paths = [Path(name) / f"{number}.{kind}" for number in range(COPIES) for kind in objects]
        for path, content in zip(paths, cycle(objects.values()), strict=False):
            path.write_bytes(content)
        with ThreadPoolExecutor(MOST) as pool:
            list(pool.map(readers.scan, paths))
            whole, alone = paired(
                lambda: list(pool.map(readers.scan, paths)), lambda: [scan_bytes(path, needles) for path in paths]
            )
    processors = len(os.sched_getaffinity(0))
    against = f"one process {shown(alone.wall_s)} s; {len(paths)} objects, {processors} processors"
    return BenchRow("scan", f"readers side by side, {len(values):,} persons", alone.wall_s / whole.wall_s, "x", against)


def row_of(name: str, content: bytes, needles: Needles) -> Iterator[BenchRow]:
    """One object alone, with the larger list of needles."""
    found = scan_bytes(content, needles)
    whole, floor = paired(lambda: scan_bytes(content, needles), lambda: hashlib.sha256(content).digest())
    against = f"{shown(len(content) / 1e6)} MB stored, sha256 {shown(floor.wall_s)} s; {found.status}"
    what = f"{name}, {PERSONS[-1]:,} persons, CPU"
    yield BenchRow("scan", what, found.read_bytes / 1e6 / whole.cpu_s, "MB per s", against)


def scan_all(objects: dict[str, bytes], needles: Needles) -> list[Scan]:
    return [scan_bytes(content, needles) for content in objects.values()]


def hash_all(objects: dict[str, bytes]) -> list[str]:
    return [hashlib.sha256(content).hexdigest() for content in objects.values()]


def planted(frame: pl.DataFrame, persons: int) -> list[str]:
    """Nine in ten are not there, as after an erasure; each tenth is, so that hits are paid for too."""
    absent = [f"verdwenen.{i}@voorbeeld.be" if i % 2 else f"+32499{i:06d}" for i in range(persons)]
    return [frame["email"][i] if i % 10 == 9 else absent[i] for i in range(persons)]


def draw_rows(size: int) -> pl.DataFrame:
    """Contacts with a phone, an address and a note, as a call list has them."""
    rng = np.random.default_rng(SEED)
    number = pl.Series("n", rng.integers(0, 10**8, size))
    return pl.DataFrame({"n": number, "id": np.arange(size)}).select(
        contract=pl.format("C{}", pl.col("id")),
        phone=pl.format("+32470{}", pl.col("n")),
        email=pl.format("klant.{}@voorbeeld.be", pl.col("id") * 7),
        name=pl.format("Vandenbroucke {}", pl.col("n") % 9973),
        amount=pl.col("n") % 100_000,
        note=pl.format("Klant belt terug over contract {}, vraagt demande d'un délai, lijn getest", pl.col("n") % 997),
    )


def draw_objects(frame: pl.DataFrame) -> dict[str, bytes]:
    csv = frame.write_csv(separator=";").encode()
    few = frame.head(max(frame.height // WORKBOOK_SHARE, 1))
    return {
        "csv": csv,
        "csv.gz": gzip.compress(csv, 6),
        "ndjson": frame.write_ndjson().encode(),
        "parquet": written(lambda target: frame.write_parquet(target, compression="zstd", statistics=False)),
        "xlsx": written(few.write_excel),
    }


def written(write: Callable[[io.BytesIO], object]) -> bytes:
    target = io.BytesIO()
    write(target)
    return target.getvalue()
