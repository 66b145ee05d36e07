"""Agents' results: an export read, mapped to canonical rows and merged, against a bare scan and dedup.

The floor is DuckDB, which reads the same file as text and keeps one row per call id: it maps nothing,
reads no time, finds no fault. 1.2 results per contact, a tenth of them delivered twice.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import polars as pl

from bench import BenchRow, Cost, Work, cost, median
from sluice.lake.read.reader import read_table
from sluice.lake.table import Table
from sluice.results.canonical import to_canonical
from sluice.results.mapping import load_mapping
from sluice.results.merge import merge_results, outcomes
from sluice.results.model import ResultMapping
from sluice.sample.draw import draw_persons
from sluice.sample.exports import Platform
from sluice.sample.results import ResultPlan, write_results

SEED = 20_261_124
ROUNDS = 3
PER_CONTACT = 1.2
MAPPINGS = Path(__file__).resolve().parents[1] / "include" / "mappings"
FLOOR = """
    CREATE OR REPLACE TEMP TABLE merged AS
    SELECT * FROM read_csv($path, all_varchar = true, header = true, delim = ',', quote = '"')
    QUALIFY row_number() OVER (PARTITION BY "CALL ID" ORDER BY "TIMESTAMP" DESC, "AFTER CALL WORK TIME" DESC) = 1
    ORDER BY record_id, "TIMESTAMP", "CALL ID"
"""


def rows(size: int) -> Iterator[BenchRow]:
    """The whole way against the floor, and what mapping, merging and reading JSON take of it."""
    results = round(size * PER_CONTACT)
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
        source, stream = Path(folder) / "results.csv", Path(folder) / "results.ndjson"
        plan = ResultPlan(duplicate=results // 10)
        write_results(source, Platform.FIVE9, _contacts(size), SEED, plan=plan, results=results)
        write_results(stream, Platform.AMAZON_CONNECT, _contacts(size // 10), SEED, results=results // 10)
        found = _measure(source, stream)
    floor, whole, rule = found["floor"], found["whole"], found["map and merge"]
    base = f"FLOOR {floor.wall_s:.2f} s wall, {floor.cpu_s:.2f} s CPU"
    yield BenchRow("results", "read, map, merge: wall", whole.wall_s / floor.wall_s, "x", base)
    yield BenchRow("results", "read, map, merge: CPU", whole.cpu_s / floor.cpu_s, "x", base)
    yield BenchRow("results", "map, merge: wall", rule.wall_s / floor.wall_s, "x", base)
    yield BenchRow("results", "outcome of every record: wall", found["outcomes"].wall_s, "s", base)
    per_second = results // 10 / found["json"].wall_s
    yield BenchRow(
        "results", "contact records of JSON read", per_second, "records/s", "no floor: one thread, no library"
    )


def _contacts(size: int) -> pl.DataFrame:
    persons = draw_persons(np.random.default_rng(SEED), size)
    return pl.DataFrame(
        {
            "record_id": "E" + pl.Series(np.arange(size)).cast(pl.String).str.zfill(8),
            "phone": persons.phone,
            "name": persons.last_name + " " + persons.first_name,
            "campaign": pl.Series(["RENEW-2026-11"]).new_from_index(0, size),
            "language": pl.Series(np.where(persons.french, "fr", "nl")),
        }
    )


def _measure(source: Path, stream: Path) -> dict[str, Cost]:
    """Every work in turns, so that noise hits all; medians."""
    mapping = load_mapping(MAPPINGS / f"{Platform.FIVE9}.yaml")
    frame = _table(source).frame
    merged = _merged(frame, mapping)
    with duckdb.connect() as floor:
        works: dict[str, Work] = {
            "floor": lambda: floor.execute(FLOOR, {"path": str(source)}),
            "whole": lambda: _merged(_table(source).frame, mapping),
            "map and merge": lambda: _merged(frame, mapping),
            "outcomes": lambda: outcomes(merged),
            "json": lambda: _table(stream),
        }
        costs = [{name: cost(work) for name, work in works.items()} for _ in range(ROUNDS)]
        (kept,) = floor.execute("SELECT count(*) FROM merged").fetchone() or (None,)
    assert kept == merged.height, "the floor and the product keep the same contacts"
    return {name: median([each[name] for each in costs]) for name in works}


def _table(path: Path) -> Table:
    table = read_table(path, file_name=path.name)
    assert isinstance(table, Table)
    return table


def _merged(frame: pl.DataFrame, mapping: ResultMapping) -> pl.DataFrame:
    canonical = to_canonical(frame, mapping)
    return merge_results(canonical.frame.filter(canonical.usable))
