"""The sample cells as an XLSX workbook, every cell text, as a principal's spreadsheet would hold them."""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import xlsxwriter

from sluice.sample.files import BELGIAN, WRITTEN_ON, campaign_cells


def write_campaign_workbook(
    path: Path, rows: int, seed: int, sheet: str = "contacts", on: date = WRITTEN_ON
) -> pl.DataFrame:
    """Write the campaign of a seed as one sheet; return its cells."""
    cells = campaign_cells(np.random.default_rng(seed), rows, BELGIAN, on)
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(path, options) as book:
        page = book.add_worksheet(sheet)
        for number, record in enumerate([tuple(cells.columns), *cells.iter_rows()]):
            for column, text in enumerate(record):
                if text:
                    page.write_string(number, column, text)
    return cells
