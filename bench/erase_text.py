"""Records erased from text: found, proven, written and read again, against copying the bytes.

The floor reads the file and writes it, a MiB at a time, in the same run; it finds nothing, hashes
nothing, proves nothing. 20 columns, `;`, CRLF, an eighth of the notes with a line break in quotes.
"""

import json
import tempfile
from collections.abc import Iterator
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
import polars as pl

from bench import BenchRow, Cost, Work, cost, cost_in_child, median
from sluice.lake.erase import in_csv, in_json
from sluice.lake.erase.cut import CHUNK, opened, write_kept
from sluice.lake.read.reader import read_table
from sluice.lake.table import Dialect, Table, bad_records_frame

SEED = 20_261_124
ROUNDS = 3
MANY = 1_000
DIALECT = Dialect(format="csv", encoding="utf-8", delimiter=";", quote='"', line_ending="crlf")


def rows(size: int) -> Iterator[BenchRow]:
    """One and 1,000 records of CSV; its parts and its memory; the same for a tenth as NDJSON."""
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as name:
        folder = Path(name)
        source, lines = folder / "drop.csv", folder / "drop.ndjson"
        write_csv(source, size)
        write_lines(lines, size // 10)
        found = _measure(source, lines, folder, size)
        memory = cost_in_child(partial(cut_only, source, folder / "cut", size))
    floor, floor_json = found["copy"], found["copy NDJSON"]
    base = f"copy {floor.wall_s:.2f} s wall, {floor.cpu_s:.2f} s CPU"
    for what in ("1 record", "1,000 records", "spans", "write and hash", "read again"):
        yield BenchRow("erase_text", f"CSV, {what}: wall", found[what].wall_s / floor.wall_s, "x", base)
        yield BenchRow("erase_text", f"CSV, {what}: CPU", found[what].cpu_s, "s", base)
    yield BenchRow("erase_text", "CSV, all but the proof: peak", memory.peak_mb or 0, "MB", base)
    base = f"copy {floor_json.wall_s:.2f} s wall, {floor_json.cpu_s:.2f} s CPU"
    for what in ("NDJSON, 1 record", "NDJSON, spans"):
        yield BenchRow("erase_text", f"{what}: CPU", found[what].cpu_s, "s", base)


def cut_only(source: Path, target: Path, size: int) -> None:
    """Spans and writing, for the memory they take: no frame is made."""
    with opened(source, target) as data:
        spans = in_csv.get_spans(data, _bare_table(size))
        write_kept(data, spans.cuts(np.arange(1, MANY + 1)), target)


def write_csv(path: Path, size: int) -> None:
    """About 200 bytes a record."""
    random = np.random.default_rng(SEED)
    columns = {f"c{at:02d}": pl.Series(random.integers(10**8, size=size)).cast(pl.String) for at in range(18)}
    notes = np.where(random.integers(8, size=size) == 0, "belt terug\nna vijf; 'uur'", "geen gehoor")
    frame = pl.DataFrame({"record_id": pl.Series(np.arange(size)).cast(pl.String), **columns, "note": notes})
    frame.write_csv(path, separator=";", line_terminator="\r\n")


def write_lines(path: Path, size: int) -> None:
    """NDJSON with an object, an array and a note in each record."""
    with path.open("w", encoding="utf-8") as file:
        for at in range(size):
            record = {"id": at, "agent": {"name": f"a{at % 90}", "seconds": at % 600}, "tags": [at % 7], "note": '"{'}
            file.write(json.dumps(record) + "\n")


def copy(source: Path, target: Path) -> None:
    """The floor."""
    with source.open("rb") as file, target.open("wb") as out:
        while chunk := file.read(CHUNK):
            out.write(chunk)


def _measure(source: Path, lines: Path, folder: Path, size: int) -> dict[str, Cost]:
    """Every work in turns, so that noise hits all; medians."""
    table, json_table = _table(source), _table(lines)
    places = np.random.default_rng(SEED).choice(size, MANY, replace=False) + 1
    names = (folder / f"target{number}" for number in count())
    with opened(source, next(names)) as data, opened(lines, next(names)) as json_data:
        spans = in_csv.get_spans(data, table)
        works: dict[str, Work] = {
            "copy": lambda: copy(source, next(names)),
            "1 record": lambda: in_csv.erase_records(source, next(names), places[:1], table),
            "1,000 records": lambda: in_csv.erase_records(source, next(names), places, table),
            "spans": lambda: in_csv.get_spans(data, table),
            "write and hash": lambda: write_kept(data, spans.cuts(np.sort(places)), next(names)),
            "read again": lambda: _table(source),
            "copy NDJSON": lambda: copy(lines, next(names)),
            "NDJSON, 1 record": lambda: in_json.erase_records(lines, next(names), [size // 20], json_table),
            "NDJSON, spans": lambda: in_json.find_elements(json_data, json_table),
        }
        costs = []
        for _ in range(ROUNDS):
            costs.append({name: cost(work) for name, work in works.items()})
            for target in folder.glob("target*"):
                target.unlink()
    return {name: median([one[name] for one in costs]) for name in works}


def _table(path: Path) -> Table:
    answer = read_table(path, file_name=path.name)
    assert isinstance(answer, Table), answer
    return answer


def _bare_table(size: int) -> Table:
    """What the eraser must know of a file to find its records."""
    numbers = pl.Series("row_number", [], dtype=pl.UInt32)
    return Table(pl.DataFrame(), numbers, bad_records_frame([]), size, DIALECT)
