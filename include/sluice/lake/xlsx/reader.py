"""Read a workbook into a table: check container, sheets, hidden and active content, then read cells as text.

This code reads the XML itself. The usual reader (calamine through fastexcel) may crash the process on
hostile input, and its text mode rounds numbers. Tests compare with it and with openpyxl.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from sluice.lake.header import header_refusal, padded_names
from sluice.lake.table import SHOWN_ROWS, Dialect, FileLimits, FormatHints, FormatRefusal, Table, bad_records_frame
from sluice.lake.xlsx.package import Package, XmlRefused, check_unused_parts, open_package
from sluice.lake.xlsx.sheet import SheetCells, SheetFrame, has_content, read_cells, read_frame
from sluice.lake.xlsx.values import agreed_texts, cell_texts
from sluice.lake.xlsx.workbook import SheetPart, Workbook, read_strings, read_workbook

_RULE = "format.sheet"
_MOST = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class _Grid:
    """The cells of the sheet, and where the header is."""

    texts: pl.DataFrame
    header_row: int
    first_column: int
    names: tuple[str, ...]
    records: int
    agreed: pl.DataFrame
    """Texts in the contract's formats, which replace those of ``texts``."""


def read_xlsx(path: Path, hints: FormatHints, limits: FileLimits) -> Table | FormatRefusal:
    """Read the only table of a workbook, or say why there is none or more than one."""
    package = open_package(path, limits)
    if isinstance(package, FormatRefusal):
        return package
    with package.archive:
        try:
            return _read(package, hints, limits)
        except XmlRefused as refused:
            return FormatRefusal(refused.code, "format.package")


def _read(package: Package, hints: FormatHints, limits: FileLimits) -> Table | FormatRefusal:
    workbook = read_workbook(package)
    check_unused_parts(package, set(workbook.parts))
    with ThreadPoolExecutor(1) as beside:
        strings = beside.submit(read_strings, package, workbook)
        found = _read_sheet(package, workbook, hints)
    if isinstance(found, FormatRefusal):
        return found
    sheet, cells, frame = found
    texts = cell_texts(cells.frame, strings.result(), workbook)
    if not texts.height:
        return FormatRefusal("UNREADABLE_EMPTY_FILE", "format.content")
    header_row = int(texts["row"].min())  # type: ignore[arg-type]
    if refusal := _hidden_or_active(cells, frame, texts["row"], header_row):
        return refusal
    if any(texts["column"].is_between(first, last).any() for first, last in frame.hidden_columns):
        return FormatRefusal("HIDDEN_COLUMN", _RULE, count=len(frame.hidden_columns))
    if frame.merged_rows:
        return _refuse_rows("SHAPE_MERGED", list(dict.fromkeys(first for first, _ in frame.merged_rows)), header_row)
    grid = _find_grid(texts, header_row, limits, hints)
    if isinstance(grid, FormatRefusal):
        return grid
    grid = replace(grid, agreed=_agreed(grid, cells.frame, workbook, hints))
    return _to_table(grid, _dialect(workbook, sheet, grid), limits)


def _read_sheet(
    package: Package, workbook: Workbook, hints: FormatHints
) -> tuple[SheetPart, SheetCells, SheetFrame] | FormatRefusal:
    """Read the chosen sheet. Its XML, most of the workbook's size, is freed when this returns."""
    chosen = _choose_sheet(package, workbook, hints)
    if isinstance(chosen, FormatRefusal):
        return chosen
    sheet, content = chosen
    cells = read_cells(content)
    return sheet, cells, read_frame(content, cells.span)


def _agreed(grid: _Grid, cells: pl.DataFrame, workbook: Workbook, hints: FormatHints) -> pl.DataFrame:
    places = {name: at for at, name in enumerate(grid.names, grid.first_column)}
    forms = {places[name]: form for name, form in hints.moments if name in places}
    commas = [places[name] for name in hints.commas if name in places]
    return agreed_texts(cells, workbook, forms, commas)


def _choose_sheet(package: Package, workbook: Workbook, hints: FormatHints) -> tuple[SheetPart, bytes] | FormatRefusal:
    """The sheet that the contract names, else the only one with content, with its XML."""
    filled: list[tuple[SheetPart, bytes]] = []
    for sheet in workbook.sheets:
        content = package.read(sheet.part)
        if has_content(content) or sheet.name == hints.sheet:
            filled.append((sheet, content))
    if hidden := sum(sheet.hidden for sheet, _ in filled):
        return FormatRefusal("HIDDEN_SHEET", _RULE, count=hidden)
    if hints.sheet is not None:
        named = [pair for pair in filled if pair[0].name == hints.sheet]
        return named[0] if len(named) == 1 else FormatRefusal("DIALECT_SHEET_MISSING", _RULE)
    if not filled:
        return FormatRefusal("UNREADABLE_EMPTY_FILE", "format.content")
    if len(filled) > 1:
        readings = tuple(f"sheet {sheet.position}" for sheet, _ in filled[:SHOWN_ROWS])
        return FormatRefusal("DIALECT_SHEET", _RULE, undecided=True, readings=readings, count=len(filled))
    return filled[0]


def _hidden_or_active(cells: SheetCells, frame: SheetFrame, rows: pl.Series, header_row: int) -> FormatRefusal | None:
    if cells.formula_rows or frame.has_formulas:
        return _refuse_rows("ACTIVE_FORMULA", list(cells.formula_rows or [0]), header_row)
    if hidden := sorted(set(cells.hidden_rows).intersection(rows.to_list() if cells.hidden_rows else ())):
        return _refuse_rows("HIDDEN_ROW", hidden, header_row)
    return None


def _refuse_rows(code: str, rows: list[int], header_row: int) -> FormatRefusal:
    numbers = tuple(row - header_row for row in rows if row > header_row)
    return FormatRefusal(code, _RULE, rows=numbers[:SHOWN_ROWS], count=len(rows))


def _find_grid(texts: pl.DataFrame, header_row: int, limits: FileLimits, hints: FormatHints) -> _Grid | FormatRefusal:
    header = texts.filter(pl.col("row") == header_row).sort("column")
    first, last = int(header["column"][0]), int(header["column"][-1])
    by_column = dict(header.select("column", "text").iter_rows())
    names = tuple(by_column.get(column) or "" for column in range(first, last + 1))
    rows, columns = texts["row"].to_numpy(), texts["column"].to_numpy()
    widest = np.zeros(int(rows.max()) + 1, np.uint32)
    np.maximum.at(widest, rows, columns)
    filled = np.flatnonzero(widest)
    widths = widest[filled[1:]]
    if len(widths) and (widths > last).mean() > _MOST and len(header) * 2 <= int(widths.max()) - first + 1:
        readings = ("a title above the header", "a header with blank names")
        return FormatRefusal("HEADER_NOT_FIRST", "format.header", undecided=True, readings=readings)
    if refusal := header_refusal(names, limits, hints):
        return refusal
    if np.diff(filled).max(initial=0) > limits.blank_rows:
        readings = ("the table ends before the blank rows", "the table goes on after them")
        return FormatRefusal("SHAPE_BLANK_GAP", "format.shape", undecided=True, readings=readings)
    return _Grid(texts, header_row, first, names, int(filled[-1]) - header_row, texts.clear())


def _to_table(grid: _Grid, dialect: Dialect, limits: FileLimits) -> Table | FormatRefusal:
    frame = _pivot(grid)
    codes = _bad_rows(grid)
    if len(codes) > max(1, grid.records) * _MOST and any(code.startswith("SHAPE_TOO") for code in codes.values()):
        rows = tuple(sorted(codes))[:SHOWN_ROWS]
        readings = ("the header says how wide the table is", "the records say it")
        count = len(codes)
        return FormatRefusal(
            "SHAPE_RAGGED_ROWS", "format.shape", undecided=True, readings=readings, rows=rows, count=count
        )
    if (grid.texts["text"].str.len_bytes() > limits.cell_bytes).any():
        return FormatRefusal("LIMIT_CELL_SIZE", "format.limits")
    sound = np.ones(grid.records, bool)
    sound[[row - 1 for row in codes]] = False
    mask = pl.Series(sound, dtype=pl.Boolean)
    numbers = pl.Series("row_number", np.flatnonzero(sound) + 1, dtype=pl.UInt32)
    bad = _bad_frame(grid, codes, _to_blame(grid, codes))
    return Table(frame.filter(mask), numbers, bad, grid.records, dialect, padded_names(grid.names))


def _pivot(grid: _Grid) -> pl.DataFrame:
    """One column per name, one row per record."""
    columns = _spread(grid, grid.texts)
    if grid.agreed.height:
        wanted = _spread(grid, grid.agreed)
        columns = [one.zip_with(one.is_not_null(), other) for one, other in zip(wanted, columns, strict=True)]
    return pl.DataFrame(dict(zip(grid.names, columns, strict=True)))


def _spread(grid: _Grid, texts: pl.DataFrame) -> list[pl.Series]:
    """One series per column, with each cell at the position of its record and null elsewhere."""
    rows, columns = texts["row"].to_numpy(), texts["column"].to_numpy()
    first, count = grid.first_column, grid.records
    own = (rows > grid.header_row) & (columns >= first) & (columns < first + len(grid.names))
    places = (columns.astype(np.int64) - first) * count
    places += rows
    places -= grid.header_row + 1
    places[~own] = -1  # one extra place after all others
    cells = np.full(len(grid.names) * count + 1, texts.height, np.uint32)
    cells[places] = np.arange(texts.height, dtype=np.uint32)
    text, starts = texts["text"].rechunk(), (at * count for at in range(len(grid.names)))
    return [text.gather(pl.Series(cells[at : at + count]), null_on_oob=True) for at in starts]


def _bad_rows(grid: _Grid) -> dict[int, str]:
    """Records that are no rows, with one code each: a repeated header, else a damaged cell, a cell beside the table, or
    a blank row.
    """
    is_data = pl.col("row") > grid.header_row
    last = grid.first_column + len(grid.names) - 1
    number = (pl.col("row") - grid.header_row).alias("number")
    coded = _coded(grid).select(number, "code")
    is_beside = is_data & ~pl.col("column").is_between(grid.first_column, last)
    beside = grid.texts.filter(is_beside).select(number).to_series()
    filled = np.zeros(grid.header_row + grid.records + 1, bool)
    filled[grid.texts["row"].to_numpy()] = True
    blank = np.flatnonzero(~filled[grid.header_row + 1 :]) + 1
    codes = dict.fromkeys(blank.tolist(), "SHAPE_BLANK_RECORD")
    codes |= dict.fromkeys(beside.to_list(), "SHAPE_TOO_MANY_CELLS")
    codes |= dict(reversed(list(coded.iter_rows())))
    return codes | dict.fromkeys(_repeated_headers(grid), "HEADER_REPEATED")


def _coded(grid: _Grid) -> pl.DataFrame:
    """Damaged cells of records, in reading order."""
    return grid.texts.filter((pl.col("row") > grid.header_row) & pl.col("code").is_not_null()).sort("row", "column")


def _to_blame(grid: _Grid, codes: dict[int, str]) -> dict[int, int]:
    """Record -> column of its first damaged cell, if its code comes from that cell."""
    cells = _coded(grid).unique("row", keep="first", maintain_order=True).select("row", "column", "code")
    places = {row - grid.header_row: (column - grid.first_column + 1, code) for row, column, code in cells.iter_rows()}
    inside = range(1, len(grid.names) + 1)
    return {row: place for row, (place, code) in places.items() if codes[row] == code and place in inside}


def _repeated_headers(grid: _Grid) -> list[int]:
    first = grid.texts.filter(
        (pl.col("column") == grid.first_column) & (pl.col("text") == grid.names[0]) & (pl.col("row") > grid.header_row)
    )
    candidates = grid.texts.filter(pl.col("row").is_in(first["row"].implode())).sort("column")
    rows = candidates.group_by("row").agg("text")
    return [row - grid.header_row for row, cells in rows.iter_rows() if tuple(cells) == grid.names]


def _bad_frame(grid: _Grid, codes: dict[int, str], places: dict[int, int]) -> pl.DataFrame:
    """The bad records with their cells as a JSON list, in column order."""
    rows = pl.Series([row + grid.header_row for row in codes], dtype=pl.UInt32)
    cells = grid.texts.filter(pl.col("row").is_in(rows.implode())).sort("column").group_by("row").agg("text")
    raw = {row - grid.header_row: json.dumps(text, ensure_ascii=False) for row, text in cells.iter_rows()}
    found = [(row, code, raw.get(row, "[]")) for row, code in sorted(codes.items())]
    return bad_records_frame(found, places)


def _dialect(workbook: Workbook, sheet: SheetPart, grid: _Grid) -> Dialect:
    evidence = {
        "sheet": f"sheet {sheet.position} of {len(workbook.sheets)}",
        "header": f"first row with cells, {len(grid.names)} columns from column {grid.first_column}",
        "date_system": "declared by the workbook",
    }
    return Dialect(
        format="xlsx",
        header_row=grid.header_row,
        sheet=sheet.position,
        date_system="1904" if workbook.date_1904 else "1900",
        evidence=evidence,
    )
