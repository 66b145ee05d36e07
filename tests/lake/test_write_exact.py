"""S-12: whatever a cell holds, other programs read it back from CSV and JSON as it was, character for character."""

import csv
import io
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sluice.lake.write.formulas import restored
from sluice.lake.write.model import WriteForm
from sluice.lake.write.table import write_table

Record = Callable[[str, object], None]
STRINGS = 10_000 if os.environ.get("SLUICE_LONG") else 600
CELLS = 20
HARD = (
    "007", "00000000000000000000", "12345678901234567890", "-0", "1e5", "1,5", "0x1F", "NA", "NaN", "null", "None",
    "true", "TRUE", "2026-11-26", "26/11/2026", "+32475123456", "=1+1", "=cmd|' /C calc'!A0", "-12", "@SUM(A1)",
    "x\r\ny", "x\ny", "x\ry", "\r\n", "\n", "\r", "\t", '"', '""', 'say "hi"', "'", "'=1", "''", ",", ";", "|", " ",
    " pad ", "\u2028", "\ufeff", "\ufeff007", "é", "e\u0301", "\U0001f600", "\\", "\\n", "#", "# x", "",
)  # fmt: skip
TEXTS = st.one_of(
    st.sampled_from(HARD),
    st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=12),
    st.lists(st.sampled_from(HARD), min_size=2, max_size=3).map("".join),
)
ROWS = st.lists(TEXTS, min_size=CELLS, max_size=CELLS)
thorough = settings(
    max_examples=STRINGS // CELLS,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def written(cells: Sequence[str], form: str) -> bytes:
    frame = pl.DataFrame({"id": ["1"] * len(cells), "text": cells, "end": ["x"] * len(cells)})
    with tempfile.TemporaryDirectory() as folder:
        return write_table(frame, {}, WriteForm(form), Path(folder, "x"), title="t").path.read_bytes()


def from_csv(content: bytes) -> list[str]:
    """As the standard library reads it, without the apostrophe that keeps a spreadsheet from running a cell."""
    rows = csv.DictReader(io.StringIO(content.decode(), newline=""), strict=True)
    return [restored(row["text"], inside=True) for row in rows]


def from_json(content: bytes) -> list[str]:
    return [row["text"] for row in json.loads(content)]


def test_every_string_comes_back_from_csv_and_json(record_property: Record) -> None:
    seen: list[str] = []

    @thorough
    @given(cells=ROWS)
    def comes_back(cells: list[str]) -> None:
        assert from_csv(written(cells, "csv")) == cells
        assert from_json(written(cells, "json")) == cells
        seen.extend(cells)

    comes_back()
    assert len(seen) >= STRINGS
    record_property("S-12 strings through CSV and JSON", f"{len(seen):,} of {len(seen):,} identical in both")


def test_the_defaults_of_pandas_change_them(record_property: Record) -> None:
    """The control: the same files, read and written again as most programs do."""
    cells = list(HARD)
    changed = sum(there_and_back(cell) != [cell] for cell in cells)
    assert changed >= 10
    assert from_csv(written(cells, "csv")) == cells == from_json(written(cells, "json"))
    record_property("S-12 control: strings that pandas' defaults change", f"{changed} of {len(cells)}")


def there_and_back(cell: str) -> list[str]:
    """A file of one cell, so that pandas takes it for what it thinks it is."""
    written = pd.DataFrame({"text": [cell], "end": ["x"]}).to_csv(index=False)
    return [str(each) for each in pd.read_csv(io.StringIO(written))["text"]]


@pytest.mark.parametrize("form", ["csv", "json"])
def test_the_same_rows_give_the_same_bytes(form: str) -> None:
    assert written(HARD, form) == written(HARD, form)
