"""A small workbook in which one thing is spelled otherwise, and the rows or the refusal that come of it."""

import io
from pathlib import Path
from typing import Any

import openpyxl

from lake.reading import read_bytes, refusal_of, table_of

MAIN = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LAST_CELL = b'<c r="B3" t="s"><v>5</v></c>'
LINES = [("007", "An"), ("008", "Jo")]


def code_of(folder: Path, content: bytes) -> str:
    return refusal_of(read_bytes(folder, content, "drop.xlsx")).code


def rows_of(folder: Path, content: bytes) -> list[tuple[Any, ...]]:
    return table_of(read_bytes(folder, content, "drop.xlsx")).frame.rows()


def by_openpyxl(content: bytes, sheet: int = 0) -> list[tuple[Any, ...]]:
    book = openpyxl.load_workbook(io.BytesIO(content))
    return list(book.worksheets[sheet].iter_rows(values_only=True))
