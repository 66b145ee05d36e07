"""Write XLSX without a live cell: every cell except a real date is text; no formula, no link, no guess.

A cell that begins like a formula keeps its exact value and gets the *quote prefix* that Excel itself
sets for a typed apostrophe, so that it stays text when somebody edits it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

import polars as pl

from sluice.errors import Ref
from sluice.lake.write.formulas import is_live
from sluice.lake.write.model import Changes, ValueUnwritable, WriteForm, WriteFormInvalid, check_nul
from sluice.lake.write.values import has_zone, moments

if TYPE_CHECKING:
    from xlsxwriter.format import Format  # type: ignore[import-untyped]
    from xlsxwriter.workbook import Workbook  # type: ignore[import-untyped]
    from xlsxwriter.worksheet import Worksheet  # type: ignore[import-untyped]

MOST_ROWS, MOST_COLUMNS, MOST_CHARACTERS = 1_048_575, 16_384, 32_767
"""Limits of a sheet (rows without the header, columns) and of a cell (in UTF-16 units)."""

MARK = "#C00000"
"""The red of a marked header: 6.5 to 1 against white (WCAG 2.2, 1.4.3)."""

_MADE = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)
_SAMPLE = 200
_NARROW, _WIDE = 8, 60
_FIRST_SAFE_DAY = datetime(1900, 3, 1, tzinfo=UTC).replace(tzinfo=None)
"""Excel counts a 29 February 1900, which did not exist, so earlier dates are another day in other programs."""
_EXCEL = {"Y": "yyyy", "y": "yy", "m": "mm", "d": "dd", "H": "hh", "M": "mm", "S": "ss", "b": "mmm", "B": "mmmm"}
_SHEET = re.compile(r"(?!')[^\[\]:*?/\\\x00-\x1f]{1,31}(?<!')")


def write_xlsx(frame: pl.DataFrame, types: Mapping[str, str], form: WriteForm, path: Path, title: str) -> Changes:
    """Write one sheet with a frozen header; the same arguments give the same bytes.

    A cell of a date or timestamp column becomes a date if its format writes it back letter by letter
    and it is from 1900-03-01 on, without zone or fraction of a second; any other cell is text. The
    library's temporary files lie in the folder of ``path``. Raises WriteFormInvalid for the sheet's
    name, ValueUnwritable for limits."""
    dates = write_sheets([Sheet(form.sheet or "Data", frame, types, form)], path, title)[0]
    return Changes(as_text=tuple(name for name in frame.columns if _lost_dates(frame, dates, types, name)))


@dataclass(frozen=True)
class Sheet:
    """One sheet of a workbook; ``types``: column -> ODCS logicalType, absent = string.

    ``marked``: columns whose header is red.
    """

    name: str
    frame: pl.DataFrame
    types: Mapping[str, str]
    form: WriteForm
    marked: frozenset[str] = frozenset()


def write_sheets(sheets: Sequence[Sheet], path: Path, title: str) -> list[Mapping[str, pl.Series]]:
    """Write a workbook of several sheets, each as in :func:`write_xlsx`; return the date columns of each.

    Raises WriteFormInvalid for an invalid or repeated name, ValueUnwritable for limits."""
    names = [sheet.name.lower() for sheet in sheets]
    if len(set(names)) < len(names) or any(not _SHEET.fullmatch(name) or name == "history" for name in names):
        raise WriteFormInvalid(Ref("setting", "sheet"))
    written: list[Mapping[str, pl.Series]] = []
    for sheet in sheets:
        _check_limits(sheet.frame)
    from sluice.lake.write.xlsx_rows import RowsSheet

    with _workbook(path, title) as workbook:
        for sheet in sheets:
            frame, types, form = sheet.frame, sheet.types, sheet.form
            found = {name: _dates(frame[name], types.get(name), form) for name in frame.columns}
            dates = {name: days for name, days in found.items() if days is not None}
            worksheet = workbook.add_worksheet(sheet.name, worksheet_class=RowsSheet)
            _write_header(workbook, worksheet, sheet, dates)
            shown = {name: _date_format(workbook, form, name, types[name]) for name in dates}
            text = workbook.add_format({"num_format": "@"})
            quoted = workbook.add_format({"num_format": "@", "quote_prefix": True})
            worksheet.write_rows(frame, dates, shown, text, quoted)
            written.append(dates)
    return written


def _check_limits(frame: pl.DataFrame) -> None:
    if frame.height > MOST_ROWS:
        raise ValueUnwritable(Ref("rule", "write.rows"), Ref("rows", frame.height))
    if frame.width > MOST_COLUMNS:
        raise ValueUnwritable(Ref("rule", "write.columns"), Ref("columns", frame.width))
    nul = frame.select(pl.all().str.contains("\0", literal=True).sum()).row(0)
    check_nul(dict(zip(frame.columns, nul, strict=True)), frame.columns)
    long = {name: _too_long(frame[name]) for name in frame.columns}
    long = {name: count for name, count in long.items() if count}
    if long:
        raise ValueUnwritable.in_columns("write.cell_length", long)


def _too_long(texts: pl.Series) -> int:
    """How many texts are too long. A character outside the basic plane counts as two, as Excel counts."""
    near = texts.filter((texts.str.len_chars() * 2 > MOST_CHARACTERS).fill_null(False))
    return sum(len(text.encode("utf-16-le")) // 2 > MOST_CHARACTERS for text in near)


def _dates(texts: pl.Series, logical_type: str | None, form: WriteForm) -> pl.Series | None:
    """Datetimes of the cells that Excel holds exactly, null for the others; None for a text column."""
    if logical_type not in ("date", "timestamp"):
        return None
    agreed = _local_format(form, texts.name, logical_type)
    if agreed is None:
        return None
    found = moments(texts, agreed, logical_type).cast(pl.Datetime("us"))
    exact = (found >= _FIRST_SAFE_DAY) & (found.dt.microsecond() == 0)
    return found.set(~exact.fill_null(False), None)


def _local_format(form: WriteForm, column: str, logical_type: str) -> str | None:
    """The column's format without a time zone, if any: a workbook has no zones, so no other can become a date."""
    return next((one for one in form.formats_of(column, logical_type) if not has_zone(one)), None)


def _lost_dates(frame: pl.DataFrame, dates: Mapping[str, pl.Series], types: Mapping[str, str], name: str) -> bool:
    if types.get(name) not in ("date", "timestamp"):
        return False
    return name not in dates or dates[name].null_count() > frame[name].null_count()


def _workbook(path: Path, title: str) -> "Workbook":
    from xlsxwriter import workbook as library  # type: ignore[import-untyped]

    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "tmpdir": str(path.parent),
    }
    # The library has no option for this, so it is set for the whole process: half the time, a fifth more bytes.
    library.ZipFile = partial(ZipFile, compresslevel=1)
    workbook = library.Workbook(str(path), options)
    workbook.use_zip64()
    workbook.set_properties({"title": title, "author": "Sluice", "created": _MADE})
    return workbook


def _write_header(workbook: "Workbook", worksheet: "Worksheet", sheet: Sheet, dates: Mapping[str, pl.Series]) -> None:
    frame = sheet.frame
    worksheet.freeze_panes(1, 0)
    text = workbook.add_format({"num_format": "@"})
    for column, name in enumerate(frame.columns):
        longest = frame[name].head(_SAMPLE).str.len_chars().max()
        width = max(len(name), longest if isinstance(longest, int) else 0) + 2
        worksheet.set_column(column, column, min(max(width, _NARROW), _WIDE), None if name in dates else text)
    bold = {"num_format": "@", "bold": True}
    styles = {
        (is_marked, suspect): workbook.add_format(
            bold | ({"font_color": MARK} if is_marked else {}) | ({"quote_prefix": True} if suspect else {})
        )
        for is_marked in ((False, True) if sheet.marked else (False,))
        for suspect in (False, True)
    }
    for column, (name, suspect) in enumerate(zip(frame.columns, _suspects(pl.Series(frame.columns)), strict=True)):
        worksheet.write_string(0, column, name, styles[name in sheet.marked, suspect])


def _suspects(texts: pl.Series) -> list[bool]:
    frame = texts.rename("text").to_frame()
    return frame.select(is_live(pl.col("text"), inside=False).fill_null(False)).to_series().to_list()


def _date_format(workbook: "Workbook", form: WriteForm, column: str, logical_type: str) -> "Format":
    """The Excel number format for the agreed spelling."""
    agreed = _local_format(form, column, logical_type) or ""
    return workbook.add_format({"num_format": "".join(_excel_parts(agreed))})


def _excel_parts(strptime_format: str) -> Iterator[str]:
    for directive, letter in re.findall(r"%(.)|([^%])", strptime_format, re.DOTALL):
        if directive:
            yield _EXCEL.get(directive, "")
        else:
            yield letter if letter in " /:.-," else f'"{letter}"'
