"""Workbooks as others make them, in memory: plain ones, and ones with what is hidden or more than a sheet."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import xlsxwriter

from lake.reading import read_bytes, refusal_of
from lake.workbooks import SHEET, edited
from sluice.lake.table import FormatRefusal

LAST_CELL = b'<c r="B3" t="s"><v>5</v></c>'
LINES = [("007", "An"), ("008", "Jo")]


def workbook(fill: Callable[[xlsxwriter.Workbook], None], **options: object) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, **options})
    fill(book)
    book.close()
    return out.getvalue()


def rows(*lines: list[object]) -> Callable[[xlsxwriter.Workbook], None]:
    def fill(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet()
        for at, line in enumerate(lines):
            sheet.write_row(at, 0, line)

    return fill


PLAIN = workbook(rows(["klant", "naam"], ["007", "An"], ["008", "Jo"]))


def in_sheet(old: bytes, new: bytes) -> bytes:
    return edited(PLAIN, SHEET, lambda xml: xml.replace(old, new))


def hidden_sheet(book: xlsxwriter.Workbook) -> None:
    book.add_worksheet().write_row(0, 0, ["a", "b"])
    second = book.add_worksheet()
    second.write(0, 0, "geheim")
    second.hide()


def two_sheets(book: xlsxwriter.Workbook) -> None:
    book.add_worksheet("Een").write_column(0, 0, ["a", "1"])
    book.add_worksheet("Twee").write_column(0, 0, ["b", "2"])


def rows_of(folder: Path, content: bytes) -> list[tuple[Any, ...]] | str:
    """The rows that our reader finds, or the code of its refusal."""
    answer = read_bytes(folder, content, "drop.xlsx")
    return refusal_of(answer).code if isinstance(answer, FormatRefusal) else answer.frame.rows()


def by_openpyxl(content: bytes, sheet: int = 0) -> list[tuple[Any, ...]]:
    book = openpyxl.load_workbook(io.BytesIO(content))
    return list(book.worksheets[sheet].iter_rows(values_only=True))
