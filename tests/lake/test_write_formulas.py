"""No cell of a CSV file is a formula for anybody, and every value can be had back."""

import csv
import io
import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lake.formulas import ATTACKS, DELIMITERS, HARMLESS, is_unseen, live_cells
from sluice.lake.write.formulas import neutralise, neutralised_text, restored
from sluice.lake.write.model import WriteForm
from sluice.lake.write.table import write_table
from support.effort import effort

PIECES = st.sampled_from([*ATTACKS, *HARMLESS, *"=+-@'\"\t\r\n,;| \u200b\uff1d\ufeff", "5", "abc", "é"])
NASTY = st.one_of(PIECES, st.lists(PIECES, max_size=5).map("".join), st.text(max_size=8))


def written(cells: list[str], delimiter: str, **form: object) -> str:
    frame = pl.DataFrame(
        {"id": ["7"] * len(cells), "note": cells, "end": cells[::-1]}, schema_overrides={"note": pl.String}
    )
    with tempfile.TemporaryDirectory() as folder:
        done = write_table(frame, {}, WriteForm("csv", delimiter=delimiter, **form), Path(folder) / "x.csv", title="t")
        return done.path.read_bytes().decode()


@pytest.mark.parametrize("delimiter", DELIMITERS)
def test_no_attack_is_live_under_any_delimiter(delimiter):
    assert live_cells(written(list(ATTACKS), delimiter), delimiter) == []


def test_control_the_scanner_finds_what_a_naive_writer_leaves():
    for attack in (each for each in ATTACKS if not each.startswith("'")):
        assert any(live_cells(naive(attack, delimiter), delimiter) for delimiter in DELIMITERS), attack


def naive(cell: str, delimiter: str) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerow(["7", cell, "end"])
    return text.getvalue()


def test_control_without_the_guard_another_delimiter_makes_a_formula():
    text = written(["1,=1+1,2"], ";", guard_other_delimiters=False)
    assert live_cells(text, ";", others=False) == []
    assert live_cells(text, ";") == ["=1+1", "=1+1"]


@settings(max_examples=effort(25, 100), deadline=None)
@given(cells=st.lists(NASTY, min_size=1, max_size=6), delimiter=st.sampled_from(DELIMITERS))
@example(cells=["-12,5", "\r"], delimiter="\t")
def test_nothing_drawn_is_live(cells, delimiter):
    cells = [cell.replace("\0", "") for cell in cells]
    assert live_cells(written(cells, delimiter), delimiter) == []


@settings(max_examples=effort(25, 100), deadline=None)
@given(text=NASTY, inside=st.booleans())
@example(text="'\t\r\n'=1", inside=True)
@example(text=",',\t\"'=", inside=True)
def test_every_text_comes_back(text, inside):
    assert restored(neutralised_text(text, inside=inside), inside=inside) == text


@settings(max_examples=effort(25, 100), deadline=None)
@given(cells=st.lists(st.one_of(st.none(), NASTY), max_size=8), inside=st.booleans())
def test_the_vectorised_pass_does_what_the_text_rule_says(cells, inside):
    frame = pl.DataFrame({"a": cells}, schema={"a": pl.String})
    done = neutralise(frame, inside=inside)
    expected = [cell if cell is None else neutralised_text(cell, inside=inside) for cell in cells]
    changed = sum(new != old for new, old in zip(expected, cells, strict=True))
    assert done.frame["a"].to_list() == expected
    assert done.counts == ({"a": changed} if changed else {})


def test_no_character_that_an_import_may_strip_hides_a_formula():
    unseen = [character for character in map(chr, range(1, 0x110000)) if is_unseen(character)]
    frame = pl.DataFrame({"a": [f"{character}=1+1" for character in unseen]})
    done = neutralise(frame, inside=True)
    assert len(unseen) > 200
    assert done.counts == {"a": len(unseen)}
    assert done.frame["a"].str.contains("^'|[\t\r\n]'=").all()


def test_the_rule_by_example_and_what_cannot_run_is_left_alone():
    telling = {
        "=1": "'=1",
        "'=1": "''=1",
        "'t is": "'t is",
        " +x": "' +x",
        "\tx": "'\tx",
        "a;=b": "a;'=b",
        "5,-": "5,'-",
    }
    telling |= {"+32475123456": "+32475123456", "+32475123456\n": "'+32475123456\n", "+1 (555)": "'+1 (555)"}
    assert {text: neutralised_text(text) for text in telling} == telling
    assert [neutralised_text(text) for text in HARMLESS] == list(HARMLESS)


def test_a_column_name_is_a_cell_too(tmp_path):
    frame = pl.DataFrame({"=cmd|' /C calc'!A0": ["1"], "plain": ["=1"]})
    done = write_table(frame, {}, WriteForm("csv"), tmp_path / "x.csv", title="t")
    assert done.path.read_text().splitlines() == ["'=cmd|' /C calc'!A0,plain", "1,'=1"]
    assert done.neutralised == {"=cmd|' /C calc'!A0": 1, "plain": 1}
