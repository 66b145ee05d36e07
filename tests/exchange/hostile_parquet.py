"""Parquet that says other things than it holds."""

import io
import random
import struct
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from exchange.hostile import FINE, kind
from exchange.hostile_cells import records

BROKEN = ("UNREADABLE_PARQUET", "UNREADABLE_PARSER_DIED", "LIMIT_MEMORY")
ROWS = ("LIMIT_REFUSED_SHARE", "HEADER_MISSING_COLUMN", "HEADER_UNDECLARED_COLUMN", "HEADER_DUPLICATE", "TEXT_NUL_BYTE")
TYPES = ("SHAPE_NESTED", "SHAPE_COLUMN_TYPE")
MORE = ("LIMIT_RECORDS", "LIMIT_FILE_SIZE", "ARCHIVE_RATIO", *TYPES, "HEADER_BLANK", "TEXT_CONTROL_CHARACTER")


@cache
def good() -> bytes:
    return written(pa.Table.from_pylist(records()))


def written(table: pa.Table, **options: object) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out, **options)
    return out.getvalue()


@kind("parquet", "x.parquet", *BROKEN, "WRONG_FORMAT_NAME", "UNREADABLE_EMPTY_FILE")
def cut_off_parquet(rng: random.Random, path: Path) -> None:
    content = good()
    path.write_bytes(rng.choice((content[: rng.randrange(len(content))], content[rng.randrange(4, 99) :])))


@kind("parquet", "x.parquet", *BROKEN, *ROWS, *MORE, "HEADER_LOOKS_LIKE_DATA", "LIMIT_NAME", "WRONG_FORMAT_NAME", FINE)
def a_footer_that_lies(rng: random.Random, path: Path) -> None:
    content = bytearray(good())
    length = struct.unpack("<I", content[-8:-4])[0]
    if rng.random() < 0.2:
        content[-8:-4] = struct.pack("<I", rng.choice((0, 1, length * 2, 2**31, 2**32 - 1)))
    else:
        for _ in range(rng.choice((1, 3, 20))):
            content[len(content) - 8 - rng.randrange(1, length)] = rng.randrange(256)
    path.write_bytes(bytes(content))


@kind("parquet", "x.parquet", *BROKEN, *ROWS, "LIMIT_CELL_SIZE", "ARCHIVE_RATIO", FINE)
def pages_that_lie(rng: random.Random, path: Path) -> None:
    content = bytearray(good())
    for _ in range(rng.choice((1, 5, 50))):
        content[rng.randrange(4, len(content) // 2)] = rng.randrange(256)
    path.write_bytes(bytes(content))


@kind("parquet", "x.parquet", "ARCHIVE_RATIO", "LIMIT_FILE_SIZE", "LIMIT_CELL_SIZE", "LIMIT_MEMORY", "LIMIT_RECORDS")
def a_dictionary_that_swells(rng: random.Random, path: Path) -> None:
    """One long value, told once and meant a million times."""
    size, rows = rng.choice(((900_000, 20_000), (100_000, 200_000), (1000, 2_000_000)))
    column = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array(["x" * size]))
    path.write_bytes(written(pa.table({"note": column}), compression="zstd"))


@kind("parquet", "x.parquet", *TYPES, "LIMIT_COLUMNS", *BROKEN, *ROWS)
def types_that_are_no_cells(rng: random.Random, path: Path) -> None:
    odd = {
        "bytes": pa.array([b"\0\xff"]),
        "list": pa.array([[1, 2]]),
        "struct": pa.array([{"a": {"b": 1}}]),
        "map": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int8())),
        "decimal": pa.array([1], pa.decimal256(70, 2)),
        "duration": pa.array([1], pa.duration("s")),
        "half": pa.array([1.5], pa.float16()),
    }
    names = rng.sample(list(odd), rng.randrange(1, 5))
    table = pa.table({name: odd[name] for name in names})
    if rng.random() < 0.3:
        table = pa.table({f"c{number}": pa.array(["1"]) for number in range(rng.choice((1025, 20_000)))})
    path.write_bytes(written(table))
