"""The workbook of a seed holds the same cells as its CSV file."""

from pathlib import Path

from sample.workbooks import write_campaign_workbook
from sluice.lake.read.reader import read_table
from sluice.lake.table import Table


def test_the_workbook_reads_back_as_the_cells_that_were_written(tmp_path: Path) -> None:
    cells = write_campaign_workbook(tmp_path / "a.xlsx", 60, seed=5)

    table = read_table(tmp_path / "a.xlsx", file_name="a.xlsx")

    assert isinstance(table, Table)
    assert table.frame.fill_null("").equals(cells)
