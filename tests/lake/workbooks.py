"""Workbooks with one person to erase, and independent eyes on what comes out."""

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import xlsxwriter
from hypothesis import strategies as st

from sluice.lake.erase.in_xlsx import erase_records
from sluice.lake.erase.model import Erased, EraseRefused
from sluice.lake.erase.xlsx_package import kind_of

NAME, PHONE, MAIL = "Jan-Baptist Vandenputte", "32475998877", "jan.vdp@voorbeeld.be"
NEEDLES = (NAME, PHONE, MAIL)
HEADER = ["naam", "telefoon", "mail", "bedrag"]
ROWS: list[list[Any]] = [
    ["An Peeters", 32475111111, "an@voorbeeld.be", 10.5],
    [NAME, int(PHONE), MAIL, 99.25],
    ["Jo Claes", 32475222222, "jo@voorbeeld.be", 7],
]
PERSON = [2]
SHEET, BOOK, STRINGS = "xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/sharedStrings.xml"
Fill = Callable[[xlsxwriter.Workbook, Any], object]
Edit = Callable[[bytes], bytes]


def workbook(fill: Fill | None = None) -> bytes:
    """Three persons on the sheet ``data``, and whatever ``fill`` hides."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet, money = book.add_worksheet("data"), book.add_format({"num_format": "0.00"})
        for at, row in enumerate([HEADER, *ROWS]):
            sheet.write_row(at, 0, row[:3])
            sheet.write(at, 3, row[3], money)
        if fill:
            fill(book, sheet)
    return out.getvalue()


def edited(content: bytes, part: str, edit: Edit) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            body = old.read(info.filename)
            new.writestr(info, edit(body) if info.filename == part else body)
    return out.getvalue()


def added(content: bytes, part: str, body: bytes) -> bytes:
    out = io.BytesIO(content)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(part, body)
    return out.getvalue()


def erase(
    folder: Path, content: bytes, records: list[int] = PERSON, sheet: str | None = "data", needles: Any = NEEDLES
) -> tuple[Erased, bytes]:
    source, target = folder / "source.xlsx", folder / "target.xlsx"
    source.write_bytes(content)
    target.unlink(missing_ok=True)
    try:
        erased = erase_records(source, target, records, sheet=sheet, needles=needles)
    except EraseRefused:
        assert not list(folder.glob("*target*")), "a refused file leaves nothing behind"
        raise
    return erased, target.read_bytes()


def parts_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def naming(content: bytes) -> set[str]:
    """Kinds of the parts that name the person: a plain search, tags out, that shares no code with the product."""
    found = set()
    for name, body in parts_of(content).items():
        text = re.sub(r"<[^>]*>", "", body.decode("latin-1")) + body.decode("latin-1")
        if any(needle.lower() in text.lower() for needle in NEEDLES):
            found.add(kind_of(name))
    return found


def cells_of(content: bytes) -> dict[tuple[str, str], tuple[object, str, int]]:
    """Every cell as openpyxl sees it: value, type, style."""
    book = openpyxl.load_workbook(io.BytesIO(content), rich_text=True)
    return {
        (sheet.title, cell.coordinate): (cell.value, cell.data_type, cell.style_id)
        for sheet in book.worksheets
        for row in sheet.iter_rows()
        for cell in row
    }


def row_of(coordinate: str) -> int:
    return int(re.sub(r"[A-Z]", "", coordinate))


CELL = st.one_of(
    st.none(),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6),
    st.sampled_from(["_x000D_", "a\nb", "<v>", "</c>", "&amp;", '<c r="A1">', "=1", "1e5", "007"]),
    st.integers(-(10**14), 10**14),
    st.floats(-1e9, 1e9, allow_nan=False).map(lambda value: float(f"{value:.15g}")),
    st.booleans(),
)


def by_xlsxwriter(lines: list[list[object]]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for at, line in enumerate([["aa", "bb", "cc"], *lines]):
            for column, cell in enumerate(line):
                write = sheet.write_string if isinstance(cell, str) else sheet.write
                write(at, column, cell)
    return out.getvalue()


def by_openpyxl(lines: list[list[object]]) -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    for line in [["aa", "bb", "cc"], *lines]:
        book.active.append(line)
    for row in book.active.iter_rows():
        for cell in row:
            if isinstance(cell.value, str):
                cell.data_type = "s"
    book.save(out)
    return out.getvalue()
