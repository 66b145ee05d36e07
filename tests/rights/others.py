"""What a file must be once somebody has left it: worked out from the file as it was, by readers of the test's own.

CSV, NDJSON: the same bytes without the records concerned. JSON, XLSX, Parquet: the same values and types.
"""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
from openpyxl.cell import Cell

Names = Callable[[bytes], bool]
"""Whether a record names somebody who had to leave."""


@dataclass(frozen=True)
class Compared:
    """One file before and after: rows of others that had to stay, whether all did, and how it was compared."""

    rows: int
    is_same: bool
    how: str


def compare(name: str, before: bytes, after: bytes, names: Names) -> Compared:
    """Whether everybody else is as they were, and nobody named is left."""
    if before.startswith(b"PAR1"):
        return _parquet(before, after, names)
    if before.startswith(b"PK"):
        return _workbook(before, after, names)
    if name.endswith(".json"):
        return _array(before, after, names)
    if before.startswith((b"\xff\xfe", b"\xfe\xff")):
        kept = [record for record in records(before.decode("utf-16")) if not names(record.encode())]
        expected = b"\xff\xfe" + "".join(kept).encode("utf-16-le")
        return Compared(len(kept) - 1, after == expected, "bytes")
    kept = [each for each in byte_records(before) if not names(each)]
    return Compared(len(kept) - (0 if name.endswith(".ndjson") else 1), b"".join(kept) == after, "bytes")


def byte_records(content: bytes) -> Iterator[bytes]:
    """Records of CSV or NDJSON with their line ends; a line break in quotes ends none."""
    for record in records(content.decode("latin-1")):
        yield record.encode("latin-1")


def records(text: str) -> Iterator[str]:
    start, is_quoted = 0, False
    is_json = text.startswith(("{", "["))
    for at, char in enumerate(text):
        if char == '"' and not is_json:
            is_quoted = not is_quoted
        elif char == "\n" and not is_quoted:
            yield text[start : at + 1]
            start = at + 1
    if start < len(text):
        yield text[start:]


def _array(before: bytes, after: bytes, names: Names) -> Compared:
    kept = [each for each in json.loads(before) if not names(json.dumps(each, ensure_ascii=False).encode())]
    now = json.loads(after)
    same = now == kept and [[type(v) for v in r.values()] for r in now] == [[type(v) for v in r.values()] for r in kept]
    return Compared(len(kept), same, "values and types")


def _parquet(before: bytes, after: bytes, names: Names) -> Compared:
    was, now = pq.read_table(io.BytesIO(before)), pq.read_table(io.BytesIO(after))
    kept = was.filter(pa.array([not names(str(row).encode()) for row in was.to_pylist()]))
    same = now.schema.equals(was.schema, check_metadata=True) and now.equals(kept)
    return Compared(kept.num_rows, same, "values and types")


def _workbook(before: bytes, after: bytes, names: Names) -> Compared:
    """Rows stay where they are; those of who left are blank. One list of styles: the same number is the same one."""
    was, now = (openpyxl.load_workbook(io.BytesIO(each)) for each in (before, after))
    same = was.sheetnames == now.sheetnames and _styles(before) == _styles(after)
    count = 0
    for sheet in was.sheetnames:
        for old, new in zip(was[sheet].iter_rows(), now[sheet].iter_rows(), strict=True):
            if names("\n".join(str(cell.value) for cell in old).encode()):
                same &= all(cell.value is None for cell in new)
            else:
                count += 1
                same &= [_seen(cell) for cell in old] == [_seen(cell) for cell in new]
    return Compared(count - len(was.sheetnames), same, "values, types and styles")


def _seen(cell: Cell) -> tuple[object, ...]:
    return cell.coordinate, cell.value, cell.data_type, cell.style_id


def _styles(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read("xl/styles.xml")
