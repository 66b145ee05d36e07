"""The pass over the bytes against a plain state machine, and against polars and the csv module."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lake.reading import read_bytes
from sluice.lake.read.structure import scan
from sluice.lake.table import Table
from support.effort import effort

pytestmark = pytest.mark.slow

HOSTILE = st.text(alphabet='";,\n\rab', min_size=1, max_size=300).map(str.encode)


def spelled_out(data: bytes, delimiter: int) -> tuple[list[tuple[int, int]], bool]:
    """Start and cells of each record, byte by byte; and whether a quote is left open."""
    found, start, cells, inside = [], 0, 1, False
    for at, byte in enumerate(data):
        if byte == ord('"'):
            inside = not inside
        elif not inside and byte == ord("\n"):
            found.append((start, cells))
            start, cells = at + 1, 1
        elif not inside and byte == delimiter:
            cells += 1
    return ([*found, (start, cells)] if start < len(data) else found), inside


@settings(max_examples=effort(125, 500), deadline=None)
@given(HOSTILE)
def test_records_and_cells_are_those_of_a_state_machine(data: bytes) -> None:
    expected, is_open = spelled_out(data, ord(";"))
    found = scan(memoryview(data), (ord(";"), ord(",")), chunk=64)
    assert found is not None
    assert list(zip(found.starts.tolist(), found.cells[ord(";")].tolist(), strict=True)) == expected
    assert found.unclosed == is_open


@settings(max_examples=effort(75, 300), deadline=None)
@given(HOSTILE)
def test_the_size_of_the_chunks_changes_nothing(data: bytes) -> None:
    small, large = (scan(memoryview(data), (ord(";"), ord(",")), chunk=size) for size in (64, 1 << 20))
    assert small is not None and large is not None
    assert (small.quotes, small.doubled, small.crlf, small.lone_cr) == (
        large.quotes,
        large.doubled,
        large.crlf,
        large.lone_cr,
    )
    for delimiter in (ord(";"), ord(",")):
        assert small.strays[delimiter].count == large.strays[delimiter].count
        assert small.strays[delimiter].offsets == large.strays[delimiter].offsets


BODIES = st.lists(
    st.sampled_from(
        [b"a;b", b'"a";b', b'"x;y";"z"', b'"q""q";', b";", b"", b"a", b"a;b;c", b'"l\nm";n', b"'a';b", b'"";x']
    ),
    min_size=1,
    max_size=9,
)


@settings(max_examples=effort(75, 300), deadline=None)
@given(BODIES, st.sampled_from([b"\n", b"\r\n"]))
def test_every_table_agrees_with_the_csv_module(tmp_path_factory, lines, end):
    content = end.join([b"een;twee", *lines]) + end
    rows = list(csv.reader(io.StringIO(content.decode(), newline=""), delimiter=";", strict=True))[1:]
    while rows and not rows[-1]:  # blank lines at the end are no records
        rows.pop()
    answer = read_bytes(tmp_path_factory.mktemp("drop"), content)
    if isinstance(answer, Table):
        bad = {row.row for row in answer.bad_rows}
        kept = [tuple(cell or None for cell in row) for number, row in enumerate(rows, 1) if number not in bad]
        assert answer.frame.rows() == kept
        assert answer.record_count == len(rows)
