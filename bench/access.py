"""One person in 3 of 200 lake files of 50,000 rows: their rows, as ``sluice export access`` reads them.

Ours is the real find on a real PostgreSQL and S3: catalogue, index runs, the files that name the person, their rows;
before and after the night in which the runs are merged.
The scans read every file: from local disk, which spares them S3 altogether, and once with the download that they
would need. So there are two fair pairs: ours against a scan with its download, and the way of ours (the part of the
index, then the files it names) against a scan, all of them on local disk. ``SIZE=full`` measures the 200 files and the
goals; the small run has 20 files and no goals.
"""

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl

from bench import BenchRow, Cost, cost, median, progress
from bench.erase_many import FEW, FILES, FULL, HITS, REF, Lake, draw_lake, find
from bench.stores import an_installation
from sluice.agreement.in_force.activate import activate_all
from sluice.exchange.catalogue import insert_copies
from sluice.exchange.house import House, open_house
from sluice.exchange.keep import copy_line
from sluice.exchange.model import Opened
from sluice.exchange.naming import index_key, lake_key
from sluice.exchange.persons.merged import merge_index
from sluice.exchange.store import Arrival, insert_open
from sluice.lake.s3.objects import StoredObject
from sluice.media_types import PARQUET
from sluice.rights.copies.bench import open_bench
from sluice.rights.copies.find import find_places
from sluice.rights.copies.model import Target
from sluice.rights.copies.stores import store_of
from sluice.terms import Direction, Flow, Principal

ROUNDS = 3
ENERGY, FLOW = Principal("energy01"), Flow("renewal_campaign")
CLOSED = """update exchange set decision = 'accepted', closed_at = now(), said_id = sluice.said_id_of('{}')
            where decision = 'open'"""


@dataclass(frozen=True)
class Costs:
    """Medians; ``requests``: GETs of one find, by the first part of the key; ``fetching``: every file out of S3.

    ``local``: the way of ours on local disk; ``unmerged``: ours before the runs were merged.
    """

    ours: Cost
    local: Cost
    unmerged: Cost
    merging: Cost
    duck: Cost
    pandas: Cost
    fetching: Cost
    requests: Counter[str]


def rows(size: int) -> Iterator[BenchRow]:
    """Ratios of one run, the designs in turns."""
    is_full = size >= FULL
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as name, an_installation() as settings:
        lake = draw_lake(Path(name), FILES if is_full else FEW)
        with open_house(settings) as house:
            activate_all(house.conn, settings.principals_dir, datetime.now(UTC))
            target = Target(ENERGY, house.subject_key(ENERGY), frozenset({lake.one}), (), frozenset())
            stored = _stored(house, lake)
            costs = _measured(house, target, lake, stored, Path(name))
    yield from _rows(lake, costs, is_full)


def _rows(lake: Lake, costs: Costs, is_full: bool) -> Iterator[BenchRow]:
    ours = costs.ours.wall_s
    said = f"ours {ours:.3f} s wall, {costs.ours.cpu_s:.2f} s CPU, with PostgreSQL and S3"
    way = f"index, then the files it names, on local disk too: {costs.local.wall_s:.4f} s"
    for name, scan, goal in (("DuckDB", costs.duck, 5), ("pandas", costs.pandas, 216)):
        on_disk = f"{name} over {len(lake.files)} local files: {scan.wall_s:.2f} s"
        yield _row(
            f"{name}: on local disk", scan.wall_s / costs.local.wall_s, f"{on_disk}; {way}", goal if is_full else None
        )
        whole = f"{name} with the download it needs: {scan.wall_s + costs.fetching.wall_s:.2f} s; {said}"
        yield _row(f"{name}: with S3", (scan.wall_s + costs.fetching.wall_s) / ours, whole, None)
        yield _row(f"{name}: ours with S3, it without", scan.wall_s / ours, f"{on_disk}; {said}", None)
    plain, merging = costs.unmerged, costs.merging
    told = f"each run asked: {plain.wall_s:.3f} s wall, {plain.cpu_s:.2f} s CPU; merging {len(lake.runs)} runs, once: "
    told += f"{merging.wall_s:.1f} s wall, {merging.cpu_s:.1f} s CPU"
    yield _row("merged runs: wall saved", plain.wall_s / ours, told, None)
    yield _row("merged runs: CPU saved", plain.cpu_s / costs.ours.cpu_s, told, None)
    got = ", ".join(f"{word} {count}" for word, count in sorted(costs.requests.items()))
    data = costs.requests.get(ENERGY, 0)
    yield BenchRow("access", "GETs of data files", data, "GETs", f"{len(HITS)} files name the person; {got}")


def _row(what: str, value: float, against: str, goal: float | None) -> BenchRow:
    return BenchRow("access", what, value, "x", against, goal)


def _stored(house: House, lake: Lake) -> list[StoredObject]:
    """Every file in the lake bucket, with its index run and its lines in the catalogue."""
    progress(f"access: {len(lake.files)} files into the lake")
    bucket, made = house.settings.bucket_lake, []
    for number, (file, run) in enumerate(zip(lake.files, lake.runs, strict=True)):
        opened = _opened(house, number)
        data = house.objects.put_once(bucket, lake_key(opened, "part-0.parquet"), file, PARQUET)
        index = house.objects.put_once(bucket, index_key(opened), run.read_bytes(), PARQUET)
        copies = (copy_line("lake", data, None, None, None), copy_line("index", index, None, None, None))
        insert_copies(house.conn, opened.exchange_id, copies)
        made.append(data)
    house.conn.execute(CLOSED)
    return made


def _opened(house: House, number: int) -> Opened:
    key = f"{ENERGY}/inbound/{FLOW}/contacts-{number}.csv"
    item = StoredObject(house.settings.bucket_exchange, key, f"v{number}", 1, "etag")
    now = datetime.now(UTC)
    opened = insert_open(house.conn, Arrival(ENERGY, Direction.INBOUND, FLOW, item), "bench", now, now)
    if opened is None:
        raise RuntimeError("this file was opened before")
    return opened


def _measured(house: House, target: Target, lake: Lake, stored: Sequence[StoredObject], folder: Path) -> Costs:
    progress("access: one person")
    ours(house, target)
    unmerged = median([cost(lambda: ours(house, target)) for _ in range(ROUNDS)])
    merging = cost(lambda: merge_index(house, ENERGY, datetime.now(UTC)))
    with counted(house) as requests:
        ours(house, target)
    designs = (lambda: ours(house, target), lambda: by_index(lake), lambda: by_duckdb(lake))
    runs = [[cost(design) for design in designs] for _ in range(ROUNDS)]
    pandas = cost(lambda: by_pandas(lake))
    fetching = cost(lambda: [house.objects.fetch(i.bucket, i.key, i.version_id, folder / "got") for i in stored])
    mine, local, duck = (median(list(column)) for column in zip(*runs, strict=True))
    return Costs(mine, local, unmerged, merging, duck, pandas, fetching, requests)


def ours(house: House, target: Target) -> None:
    """What collecting an answer does at one principal: find every place, read the person's rows there."""
    with open_bench(house, target) as bench:
        found = sum(store_of(place.copy).read(bench, place.copy).frame.height for place in find_places(bench))
    if found != len(HITS):
        raise RuntimeError("the person's rows were not found")


def by_index(lake: Lake) -> None:
    """The way of ours without catalogue and store: the part of the index that can hold the person, then its files."""
    frames = (
        pl.scan_parquet(lake.files[place]).filter(pl.col(REF).is_in([lake.one])).collect() for place in find(lake)
    )
    if sum(frame.height for frame in frames) != len(HITS):
        raise RuntimeError("the person's rows were not found")


def by_duckdb(lake: Lake) -> None:
    """Every file, the rows of the person; DuckDB uses the statistics of the reference where it can."""
    files = [str(path) for path in lake.files]
    found = duckdb.execute(f"select * from read_parquet(?) where {REF} = ?", [files, lake.one]).fetchall()
    if len(found) != len(HITS):
        raise RuntimeError("the person's rows were not found")


def by_pandas(lake: Lake) -> None:
    """What a script does: every file whole, then the rows."""
    frames = (pd.read_parquet(path) for path in lake.files)
    found = pd.concat([frame[frame[REF] == lake.one] for frame in frames])
    if len(found) != len(HITS):
        raise RuntimeError("the person's rows were not found")


@contextmanager
def counted(house: House) -> Iterator[Counter[str]]:
    """GETs while the block runs, by the first part of the key: that of a principal is its data."""
    requests: Counter[str] = Counter()

    def count(params: dict[str, Any], **_: Any) -> None:
        requests[str(params["Key"]).partition("/")[0]] += 1

    events = house.objects._client.meta.events
    events.register("before-parameter-build.s3.GetObject", count)
    try:
        yield requests
    finally:
        events.unregister("before-parameter-build.s3.GetObject", count)
