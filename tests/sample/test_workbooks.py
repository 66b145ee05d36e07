"""The workbook of a seed holds the same cells as its CSV file."""

import fastexcel

from sample.workbooks import write_campaign_workbook


def test_the_workbook_reads_back_as_the_cells_that_were_written(tmp_path):
    cells = write_campaign_workbook(tmp_path / "a.xlsx", 60, seed=5)

    read = fastexcel.read_excel(tmp_path / "a.xlsx").load_sheet("contacts", dtypes="string").to_polars()

    assert read.fill_null("").equals(cells)
