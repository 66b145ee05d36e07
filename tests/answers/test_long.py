"""What is too long for a workbook keeps nobody from their answer: it is cut there, marked, counted, whole beside it."""

import io
import json
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from answers.giving import WE_EXPORT, WE_GIVE, Package, cells_of, give, now, read
from answers.test_portability import ANY_NUMBER, BY_CONTRACT
from rights.town import Town, town_fixture
from sluice.answers import files
from sluice.answers.files import CSV, Drafting
from sluice.answers.make import PackageWish
from sluice.answers.model import AnswerKind
from sluice.answers.sweep import make_decided
from sluice.lake.write import xlsx
from sluice.lake.write.xlsx import MOST_CHARACTERS, MOST_ROWS
from sluice.rights.case.model import Action, Right
from sluice.terms import Principal
from support.night import AGREEMENT, Edit

ENERGY = Principal("energy01")
LONG = "Lange Straat " * 3_000
"""39,000 characters, more than a cell of a workbook holds."""
GOING = (WE_EXPORT, *BY_CONTRACT, ANY_NUMBER, Edit(AGREEMENT, "portable: false", "portable: true"))


def plant(town: Town) -> None:
    """The first person has a street that is far too long for a cell."""
    cells = {"customer_number": town.people[0].record(ENERGY), **cells_of(town, 0), "street": LONG}
    row = ";".join(cells.values())
    town.desk.drop(f"{town.head}\n{row}\n".encode(), "long.csv", (ENERGY, "renewal_campaign"))
    town.desk.work()


town = town_fixture([ENERGY], 2, plant, WE_GIVE, *GOING)


def sheet(package: Package, name: str, group: str) -> list[dict[str, str]]:
    rows = list(openpyxl.load_workbook(io.BytesIO(package.files[name]))[group].values)
    return [dict(zip(map(str, rows[0]), map(str, row), strict=True)) for row in rows[1:]]


def texts(rows: list[dict[str, str]]) -> list[str]:
    return [cell for row in rows for cell in row.values() if cell and cell.startswith("Lange Straat")]


def test_a_cell_too_long_for_a_workbook_does_not_keep_the_answer(town: Town) -> None:
    case = town.decided(town.people[0], Right.ACCESS, Action.GIVE)

    assert make_decided(town.house, "airflow", now()) == (1, 0)

    package = read(town.house, give(town.house, case.case_id))
    [group] = list(package.json("manifest.json")["cut_in_workbook"])
    [short] = set(texts(sheet(package, "access.xlsx", group)))
    assert len(short) == MOST_CHARACTERS and short.endswith(f"data/{group}.csv]")
    assert LONG.strip() in {cell.strip() for cell in texts(package.rows(f"data/{group}.csv"))}
    assert package.json("manifest.json")["cut_in_workbook"][group] >= 1
    assert json.dumps(LONG)[1:-2] in package.files["access.json"].decode()


def test_who_takes_a_workbook_alone_gets_what_it_cannot_hold_beside_it(town: Town) -> None:
    case = town.decided(town.people[0], Right.PORTABILITY, Action.EXPORT)

    every = read(town.house, give(town.house, case.case_id, AnswerKind.PORTABILITY))
    alone = read(town.house, give(town.house, case.case_id, AnswerKind.PORTABILITY, PackageWish(forms=("xlsx",))))

    for package, beside in ((every, "csv"), (alone, "json")):
        [book] = [each for each in package.json("datapackage.json")["resources"] if each["format"] == "xlsx"]
        [group] = book["cutCells"]
        [short] = texts(sheet(package, "portability.xlsx", group))
        assert short.endswith(f"data/{group}.{beside}]") and LONG.strip() in package.text
    assert [name for name in alone.files if name.startswith("data/")] == [f"data/{group}.json"]


WHOLE: Mapping[str, str] = {}


def test_a_cut_never_splits_a_character(tmp_path: Path) -> None:
    """One outside the basic plane is two to Excel, so the room for it can end in its middle."""
    for more in ("", "x"):
        draft = Drafting(tmp_path / f"package{more}", "nl")
        draft.workbook("a.xlsx", [("note_free_text", pl.DataFrame({"note": [more + "😀" * 20_000, None]}), WHOLE)], "")
        [cell] = [row["note"] for row in sheet(_package(draft), "a.xlsx", "note_free_text") if row["note"] != "None"]
        assert MOST_CHARACTERS - 1 <= len(cell.encode("utf-16-le")) // 2 <= MOST_CHARACTERS
        assert draft.cut == {"note_free_text": 1} and "😀… [hier afgeknipt" in cell


@pytest.mark.parametrize("most", [50, pytest.param(MOST_ROWS, marks=pytest.mark.long)])
def test_a_table_with_more_rows_than_a_sheet_says_how_many_are_not_in_it(
    tmp_path: Path, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xlsx, "MOST_ROWS", most)
    monkeypatch.setattr(files, "MOST_ROWS", most)
    frame = pl.DataFrame({"at": pl.repeat("x", most + 3, eager=True), "by": pl.repeat("y", most + 3, eager=True)})
    draft = Drafting(tmp_path / "package", "en")
    draft.table("data/call_event.csv", frame, CSV)
    draft.workbook("a.xlsx", [("call_event", frame, WHOLE)], "")

    assert draft.cut == {"call_event": 4} and draft.rows == {"data/call_event.csv": most + 3, "a.xlsx": most}
    with closing(openpyxl.load_workbook(draft.path("a.xlsx"), read_only=True)) as book:
        *_, before, last = book["call_event"].iter_rows(min_row=most, values_only=True)
    assert before == ("x", "y")
    assert last == ("4 more rows do not fit in this sheet; every row stands in data/call_event.csv", None)


def _package(draft: Drafting) -> Package:
    return Package({line.path: draft.path(line.path).read_bytes() for line in draft.lines()})
