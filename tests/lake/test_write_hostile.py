"""S-11: 2,000 hostile strings as cells, headers, sheet names and properties of a workbook; nothing of it is alive."""

import random
import re
import zipfile
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from openpyxl.utils.escape import unescape
from xlsxwriter import Workbook

from lake.formulas import ATTACKS, DELIMITERS, live_cells
from sluice.lake.write.model import WriteForm, WriteFormInvalid
from sluice.lake.write.table import write_table
from support.effort import effort

pytestmark = pytest.mark.slow

STRINGS, SEED = effort(400, 2_000), 11
NAMES = effort(25, STRINGS)
"""Workbooks of which each has another sheet name and title."""
LINKS = ("http://127.0.0.1/", "mailto:x@example.org", "internal:Data!A1", "external:c:\\x.xlsx", "file:///etc/passwd",
         "ftp://127.0.0.1/x", "\\\\127.0.0.1\\share\\x.xlsx", "javascript:1", "{=1+1}", "{=SUM(A1:A2)}")  # fmt: skip
"""What a library may take for a link, or for a formula of an array."""
AROUND = ("", " ", "'", "\t", "\r\n", "\u00a0", "\u200b", "\ufeff", "\x01", '"', "<f>", "</t><f>", "&#61;", "]]>", "a")
ALIVE = re.compile(
    r"<(?:\w+:)?(?:f|hyperlink|ddeLink|oleLink|oleObject|externalBook|externalReference|dataValidation|script|control)\b"
    r"|TargetMode|calcChain|vbaProject|connections|customXml",
    re.IGNORECASE,
)
PARTS = re.compile(
    r"\[Content_Types\]\.xml|_rels/\.rels|docProps/(?:app|core)\.xml|xl/workbook\.xml|xl/_rels/workbook\.xml\.rels"
    r"|xl/(?:styles|sharedStrings|theme/theme1|worksheets/sheet1)\.xml"
)
"""All that a workbook without anything outside needs."""


def hostile(count: int) -> list[str]:
    """Different strings: every attack and link, alone and with something before it, within it or after it."""
    dice, found = random.Random(SEED), dict.fromkeys([*ATTACKS, *LINKS])
    while len(found) < count:
        core = dice.choice([*ATTACKS, *LINKS])
        found[dice.choice(("", dice.choice(AROUND))) + core + dice.choice(("", *AROUND, dice.choice(ATTACKS)))] = None
    return list(found)[:count]


def alive_in(path: Path) -> list[str]:
    """Whatever a spreadsheet would run, follow or fetch, or a part that has no business there.

    Markup only: what is text between tags is escaped and harmless.
    """
    with zipfile.ZipFile(path) as package:
        parts = {name: package.read(name).decode() for name in package.namelist()}
    found = [name for name in parts if not PARTS.fullmatch(name)]
    return found + [f"{name}: {each.group()}" for name, text in parts.items() for each in ALIVE.finditer(text)]


def write(folder: Path, frame: pl.DataFrame, title: str = "t", **form: str) -> Path:
    return write_table(frame, {}, WriteForm("xlsx", **form), folder / "x.xlsx", title=title).path


def cells_of(path: Path) -> list[list[object]]:
    sheet = openpyxl.load_workbook(path).worksheets[0]
    return [
        [unescape(cell) if isinstance(cell, str) else cell for cell in row] for row in sheet.iter_rows(values_only=True)
    ]


@pytest.mark.evidence
def test_nothing_lives_in_a_workbook_of_many_hostile_strings(tmp_path, record_property):
    texts = hostile(STRINGS)
    down = write(tmp_path, pl.DataFrame({"text": texts, "again": texts[::-1]}))
    assert alive_in(down) == []
    assert [row[0] for row in cells_of(down)] == ["text", *texts], "and each is the value it was"
    across = write(tmp_path, pl.DataFrame({text: ["1"] for text in texts}))
    assert alive_in(across) == []
    assert cells_of(across)[0] == texts
    record_property("S-11 strings as cells and as headers of a workbook: alive", f"0 of {2 * STRINGS} (seed {SEED})")


@pytest.mark.evidence
def test_nothing_lives_in_a_sheet_name_or_a_property(tmp_path, record_property):
    """A name that no sheet may have is refused; the others are only names."""
    taken = 0
    for text in hostile(STRINGS)[:: STRINGS // NAMES]:
        frame = pl.DataFrame({"a": ["=1"]})
        assert alive_in(write(tmp_path, frame, title=text)) == []
        try:
            path = write(tmp_path, frame, title=text, sheet=text)
        except WriteFormInvalid:
            continue
        taken += 1
        assert alive_in(path) == []
        assert openpyxl.load_workbook(path, read_only=True).sheetnames == [text]
    assert taken > NAMES // 10
    record_property("S-11 strings as titles and as sheet names: alive", f"0 of {NAMES} ({taken} of them as a name)")


@pytest.mark.evidence
def test_nothing_lives_in_a_csv_of_many_hostile_strings(tmp_path, record_property):
    texts = hostile(STRINGS)
    for delimiter in DELIMITERS:
        frame = pl.DataFrame({"text": texts, **{text: ["1"] * len(texts) for text in texts[:20]}})
        path = write_table(frame, {}, WriteForm("csv", delimiter=delimiter), tmp_path / "x.csv", title="t").path
        assert live_cells(path.read_bytes().decode(), delimiter) == []
    record_property("S-11 strings in CSV under four delimiters: alive", f"0 of {STRINGS}")


@pytest.mark.evidence
def test_control_what_the_library_writes_by_default_is_alive(tmp_path, record_property):
    with Workbook(tmp_path / "naive.xlsx") as workbook:
        sheet = workbook.add_worksheet()
        for row, text in enumerate(hostile(STRINGS)):
            sheet.write(row, 0, text)
    found = alive_in(tmp_path / "naive.xlsx")
    assert len([each for each in found if each.endswith("<f")]) > STRINGS // 20
    assert any("hyperlink" in each for each in found) and any("TargetMode" in each for each in found)
    record_property("S-11 control: alive in what the library writes by default", len(found))
