"""Workbooks as others make them, in memory: plain ones, and ones with what is hidden or more than a sheet."""

import io
from collections.abc import Callable

import xlsxwriter

from lake.workbooks import SHEET, edited


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
