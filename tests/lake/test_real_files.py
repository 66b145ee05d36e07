"""Every real file: the dialect and count written by hand, and every cell as independent readers see it."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from lake.reading import table_of
from sluice.lake.read.reader import read_table
from sluice.lake.table import FormatRefusal, Table

EXPECTED: dict[str, dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "hand_written" / "real_files.yaml").read_text(encoding="utf-8")
)
FOLDERS = ("campaign", "csv", "persons", "quality", "subscribers", "xlsx")
TABLES = [name for name, want in EXPECTED.items() if "records" in want and name.endswith(".csv")]
SPECTRUM = ["comma_in_quotes", "escaped_quotes", "newlines", "simple"]


def read_real(real_data: Path, name: str) -> Table | FormatRefusal:
    return read_table(real_data / name, file_name=name)


def facts(answer: Table | FormatRefusal, want: dict[str, Any]) -> dict[str, Any]:
    """Of an answer, what the hand-written line speaks about."""
    if isinstance(answer, FormatRefusal):
        found: dict[str, Any] = {"undecided" if answer.undecided else "refused": answer.code}
        found |= {"rows": list(answer.rows), "at_columns": list(answer.columns)}
    else:
        dialect = answer.dialect
        found = {"records": answer.record_count, "columns": answer.frame.width, "delimiter": dialect.delimiter}
        found |= {"encoding": dialect.encoding, "lines": dialect.line_ending, "bom": dialect.bom}
        found |= {"sheet": dialect.sheet, "date_system": dialect.date_system}
        found |= {"notes": [note.code for note in answer.notes], "bad": len(answer.bad_rows)}
    return {key: found.get(key) for key in want}


def test_every_real_table_has_a_hand_written_line(real_data: Path) -> None:
    files = {
        path.relative_to(real_data).as_posix()
        for folder in FOLDERS
        for path in (real_data / folder).rglob("*")
        if path.suffix in (".csv", ".xlsx")
    }
    assert files == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_real_file_is_read_as_written_by_hand(real_data: Path, name: str) -> None:
    answer = read_real(real_data, name)
    assert facts(answer, EXPECTED[name]) == EXPECTED[name]
    if isinstance(answer, Table):
        assert answer.frame.height + len(answer.bad_rows) == answer.record_count
        assert answer.bad_rows == ()


@pytest.mark.parametrize("name", TABLES)
def test_every_cell_is_what_the_csv_module_reads(real_data: Path, name: str) -> None:
    dialect = EXPECTED[name]
    encoding = "utf-8-sig" if dialect["encoding"] == "utf-8" else dialect["encoding"].removesuffix("-le")
    with (real_data / name).open(encoding=encoding, newline="") as file:
        header, *rows = list(csv.reader(file, delimiter=dialect["delimiter"], strict=True))
    table = table_of(read_real(real_data, name))
    assert table.frame.columns == header
    assert table.frame.rows() == [tuple(cell or None for cell in row) for row in rows]


@pytest.mark.parametrize("name", SPECTRUM)
def test_every_cell_is_what_the_spectrum_expects(real_data: Path, name: str) -> None:
    expected = json.loads((real_data / f"csv/spectrum/{name}.json").read_text(encoding="utf-8"))
    table = table_of(read_real(real_data, f"csv/spectrum/{name}.csv"))
    assert table.frame.to_dicts() == expected


def test_cells_of_the_real_workbooks_by_hand(real_data: Path) -> None:
    persons = table_of(read_real(real_data, "xlsx/persons-dmy-dates.xlsx")).frame
    small = table_of(read_real(real_data, "xlsx/scientific-notation.xlsx")).frame
    dates = table_of(read_real(real_data, "xlsx/texty-dates.xlsx")).frame
    assert persons.columns == ["0", "First Name", "Last Name", "Gender", "Country", "Age", "Date", "Id"]
    assert persons.row(0)[3:] == ("Female", "United States", "32", "15/10/2017", "1562")
    assert small.rows() == [("4.27335427525861e-07",)]
    assert dates.rows() == [("1985-03-11 13:00:00",), ("1985-03-11 13:23:32",)]


def test_control_a_wrong_line_is_noticed(real_data: Path) -> None:
    answer = read_real(real_data, "csv/delimiter.csv")
    assert facts(answer, {"records": 3}) != {"records": 3}
    assert facts(answer, {"delimiter": ","}) != {"delimiter": ","}
