"""The page that tells how to add a platform tells the truth: its files give its rows."""

import io
import re
import subprocess
import sys
from pathlib import Path

import polars as pl

from results.exports import HOUSE, frame_of
from sluice.results.canonical import to_canonical
from sluice.results.mapping import load_mapping
from sluice.results.model import CANONICAL_COLUMNS, Take, Unit

PAGE = (HOUSE / "docs" / "how-to" / "add-a-platform.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def folder_of_the_page(folder: Path) -> Path:
    """The files of the page where it says they lie."""
    (mapping,), (export, _) = blocks("yaml"), blocks("csv")
    (folder / "include" / "mappings").mkdir(parents=True)
    (folder / "include" / "mappings" / "tiny.yaml").write_text(mapping)
    (folder / "tiny.csv").write_text(export)
    return folder


def test_the_files_of_the_page_give_its_rows(tmp_path: Path) -> None:
    folder = folder_of_the_page(tmp_path)
    expected = pl.read_csv(io.StringIO(blocks("csv")[1]), infer_schema=False)
    canonical = to_canonical(frame_of(folder / "tiny.csv"), load_mapping(folder / "include" / "mappings" / "tiny.yaml"))
    assert canonical.frame.select(expected.columns).equals(expected)
    assert canonical.frame.drop(expected.columns).null_count().sum_horizontal().item() == 4 * expected.height
    told = [f"row {(one.row_index or 0) + 1}  {one.rule}  {one.code}  {one.column}\n" for one in canonical.findings]
    assert told == blocks("text")


def test_the_commands_of_the_page_run(tmp_path: Path) -> None:
    (code,) = re.findall(r"<<'CODE'\n(.*?)^CODE", PAGE, re.MULTILINE | re.DOTALL)
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=folder_of_the_page(tmp_path), capture_output=True, text=True, check=True
    )
    assert run.stdout.startswith("2 of 3 rows are usable\n")


def test_the_page_names_every_source_reading_and_column() -> None:
    words = [*Take, *Unit, *CANONICAL_COLUMNS, "format", "zone", "plus", "unit", "null_words", "optional", "latest_by"]
    assert [word for word in words if not re.search(rf"`{word}\b", PAGE)] == []
