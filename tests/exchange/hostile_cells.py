"""The good file that hostile ones begin from: contacts as energy01's contract wants them."""

import csv
import io
import random
import tempfile
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from sluice.sample.files import write_campaign


@cache
def _campaign(seed: int, rows: int) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "campaign.csv")
        write_campaign(path, rows, seed)
        return path.read_bytes()


def campaign(rng: random.Random) -> bytes:
    """A good file, of some seed."""
    return _campaign(rng.randrange(1, 9), 40)


ROWS = tuple(csv.reader(io.StringIO(_campaign(1, 40).decode(), newline=""), delimiter=";"))
HEADER = ROWS[0]
COLUMNS = tuple(HEADER)
LINE = ROWS[1]


def line_with(column: str, value: str, number: int = 0, *, quoted: bool = True) -> list[str]:
    """A good row but for one cell. ``quoted``: whether a writer of CSV would have quoted it."""
    row = list(ROWS[1 + number % 40])
    row[0] = f"{row[0][:-3]}{number:03}"
    row[COLUMNS.index(column)] = value if quoted else _Raw(value)
    return row


class _Raw(str):
    """A cell that is written as it is."""

    __slots__ = ()


def lines(rows: Iterable[Sequence[str]]) -> str:
    """Delimited text, CR LF, quoted where it has to be."""
    return "".join(";".join(map(_cell, row)) + "\r\n" for row in rows)


def _cell(value: str) -> str:
    if isinstance(value, _Raw) or not set(value) & set(';"\r\n'):
        return value
    return '"' + value.replace('"', '""') + '"'


def records() -> list[dict[str, str]]:
    """The good rows by name."""
    return [dict(zip(COLUMNS, row, strict=True)) for row in ROWS[1:]]


def good_file(folder: Path, number: int) -> Path:
    """One that has to be accepted whole; each has other rows."""
    path = folder / "good"
    write_campaign(path, 40, 100 + number)
    return path
