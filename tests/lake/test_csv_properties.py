"""Whatever a table holds and however it was written: read back identical, or refused. Never changed."""

import csv
import io
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from sluice.lake.read.reader import opened_table, read_table
from sluice.lake.table import FormatRefusal, Table
from support.effort import effort

pytestmark = pytest.mark.slow

LETTERS = st.text(alphabet="abcdéà€", min_size=1, max_size=6)
HARD = st.sampled_from(
    [
        *[
            "",
            " ",
            "007",
            "+32475123456",
            "NA",
            "null",
            "1e5",
            "1,5",
            "12345678901234567890",
            "a;b",
            "a,b",
            "a|b",
            "a\tb",
        ],
        *['"', '""', 'say "hi"', "it's", "'quoted'", "'", "x\ny", "x\r\ny", "x\ry", "\n", "=1+1", "\\", 'a\\"b'],
        *[" pad ", "#N/A", "é", "€", "ß", "\u2028", "\ufeff", "-", "0.10", "true"],
    ]
)
CELLS = st.one_of(HARD, st.text(alphabet="ab1;,|\t\"'\r\n é", max_size=8))


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    names = draw(st.lists(LETTERS, min_size=1, max_size=5, unique=True))
    row = st.lists(CELLS, min_size=len(names), max_size=len(names))
    return names, draw(st.lists(row, max_size=7))


WAYS = st.fixed_dictionaries(
    {
        "delimiter": st.sampled_from(";,|\t"),
        "quoting": st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
        "lineterminator": st.sampled_from(["\n", "\r\n", "\r"]),
        "quotechar": st.sampled_from(['"', '"', '"', "'"]),
    }
)
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le"])


def written(names: list[str], rows: list[list[str]], way: dict[str, object], encoding: str) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, **way)  # type: ignore[arg-type]
    writer.writerows([names, *rows])
    return text.getvalue().encode(encoding, errors="replace")


def read_bytes(content: bytes) -> Table | FormatRefusal:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "drop.csv"
        path.write_bytes(content)
        return read_table(path, file_name="drop.csv")


def damage(answer: Table, names: list[str], rows: list[list[str]]) -> list[int]:
    """Rows of the answer that are not what was written; row 0 is the header."""
    wrong = [] if answer.frame.columns == names else [0]
    for number, cells in zip(answer.row_numbers.to_list(), answer.frame.rows(), strict=True):
        if number > len(rows) or list(cells) != [cell or None for cell in rows[number - 1]]:
            wrong.append(number)
    return wrong


@pytest.mark.slow
@settings(max_examples=effort(100, 400), deadline=None)
@given(tables(), WAYS, ENCODINGS)
def test_a_table_comes_back_as_written_or_not_at_all(table, way, encoding):
    names, rows = table
    if way["quotechar"] == "'":  # a well-formed double quote is a quote for everybody
        rows = [[cell.replace('"', "") for cell in row] for row in rows]
    if way["lineterminator"] == "\n":  # Python leaves it unquoted, and for every reader it is a line end
        rows = [[*row[:-1], row[-1].rstrip("\r")] for row in rows]
    content = written(names, rows, way, encoding)
    names = [name.encode(encoding, "replace").decode(encoding) for name in names]
    rows = [[cell.encode(encoding, "replace").decode(encoding) for cell in row] for row in rows]
    answer = read_bytes(content)
    if isinstance(answer, Table):
        assert damage(answer, names, rows) == []


def in_parts(content: bytes, part_bytes: int, again: Callable[[pl.Series], pl.Series]) -> Table | FormatRefusal:
    """The same file read in parts and put together; and some rows of it asked for again."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "drop.csv"
        path.write_bytes(content)
        with opened_table(path, file_name="drop.csv", part_bytes=part_bytes) as parts:
            if isinstance(parts, FormatRefusal):
                return parts
            tables = [parts.read(number) for number in range(parts.count)]
            if refusal := next((each for each in tables if isinstance(each, FormatRefusal)), None):
                return refusal
            found = [each for each in tables if isinstance(each, Table)]
            whole = replace(
                found[0],
                frame=pl.concat([each.frame for each in found]),
                row_numbers=pl.concat([each.row_numbers for each in found]),
                bad_records=pl.concat([each.bad_records for each in found]),
                record_count=sum(each.record_count for each in found),
            )
            wanted = again(whole.row_numbers)
            assert parts.again(wanted).equals(whole.frame.filter(whole.row_numbers.is_in(wanted.implode())))
            return whole


def told(answer: Table | FormatRefusal) -> object:
    if isinstance(answer, FormatRefusal):
        return answer
    rows = (answer.frame.to_dict(as_series=False), answer.row_numbers.to_list(), answer.bad_records.to_dicts())
    return *rows, answer.record_count, answer.dialect, answer.notes


@pytest.mark.slow
@settings(max_examples=effort(100, 400), deadline=None)
@given(tables(), WAYS, ENCODINGS, st.integers(1, 60), st.integers(1, 4), st.booleans())
def test_a_file_in_parts_is_the_file(table, way, encoding, part_bytes, every, is_ragged):
    names, rows = table
    content = written(names, rows, way, encoding)
    if is_ragged:
        content += "odd\n\nodd".encode(
            encoding.removesuffix("-sig").replace("utf-16", "utf-16-le", encoding == "utf-16")
        )
    whole = read_bytes(content)
    event(type(whole).__name__)
    assert told(in_parts(content, part_bytes, lambda numbers: numbers.gather_every(every))) == told(whole)
