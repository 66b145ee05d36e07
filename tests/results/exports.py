"""Where the mappings and the golden exports lie, and how tests read an export."""

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from sluice.lake.read.reader import read_table
from sluice.lake.table import Table
from sluice.results.canonical import Canonical
from sluice.results.mapping import load_mapping
from sluice.results.model import ResultMapping

HOUSE = Path(__file__).resolve().parents[2]
MAPPINGS = HOUSE / "include" / "mappings"
GOLDEN = Path(__file__).parent / "golden"
PLATFORMS = sorted(path.name for path in GOLDEN.iterdir())


def mapping_of(platform: str) -> ResultMapping:
    return load_mapping(MAPPINGS / f"{platform}.yaml")


def frame_of(path: Path) -> pl.DataFrame:
    """The frame that the reader of exchanges makes of a file."""
    table = read_table(path, file_name=path.name)
    assert isinstance(table, Table), table
    assert not table.bad_rows
    return table.frame


def golden_export(platform: str) -> pl.DataFrame:
    (path,) = (GOLDEN / platform).glob("export.*")
    return frame_of(path)


def filled(row: Mapping[str, str | None]) -> dict[str, str]:
    """A row without its empty cells, as golden files write it."""
    return {name: cell for name, cell in row.items() if cell is not None}


def findings_of(canonical: Canonical) -> list[list[object]]:
    return [[one.row_index, one.rule, one.code, one.column, one.severity.value] for one in canonical.findings]
