"""The page of expectations tells the truth: every kind of the closed list has an example that does what it says."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from gate.pandas_judge import said_by_pandas, said_by_us
from sluice.gate.kinds import KINDS, typed
from sluice.gate.model import ColumnType, Rule, Source, ValueType
from sluice.gate.onepass import run_rules
from sluice.gate.suites import rule_of
from sluice.terms import Severity

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "expectations.md"
SECTION = re.compile(r"^## (\w+)\n\n(.*?)\n\n```json\n(.*?)\n```\n\n(.*?)(?=^## |\Z)", re.M | re.S)
HEAD = re.compile(r"(\w+)(?: \((\w+)\))?")
ROWS, COLUMNS, CELLS = "rows of the file", "columns of the file", "cells of "
"""What a table of a section is about, where it is not row by row; of cells ``-`` is an empty one."""


@dataclass(frozen=True)
class Example:
    """One section: the rule, and each file with what is said to come of it."""

    told: str
    rule: Rule
    types: dict[str, ColumnType]
    files: tuple[tuple[pl.DataFrame, tuple[str, ...]], ...]


def examples(text: str) -> dict[str, Example]:
    return {kind: example(told, json.loads(asked), table) for kind, told, asked, table in SECTION.findall(text)}


def example(told: str, asked: dict[str, object], table: str) -> Example:
    head, _, *lines = ([cell.strip() for cell in line.strip()[1:-1].split("|")] for line in table.strip().splitlines())
    rule = rule_of(str(asked["type"]), dict(asked["kwargs"]), "example", Severity.ERROR, Source.SUITE)  # type: ignore[call-overload]
    if head[0] in (ROWS, COLUMNS) or head[0].startswith(CELLS):
        return Example(told, rule, {}, tuple((file_of(head[0], cell), (outcome,)) for cell, outcome in lines))
    names = [found.groups() for each in head[:-1] if (found := HEAD.fullmatch(each))]
    types = {name: ColumnType(ValueType(kind), date_format="%Y-%m-%d") for name, kind in names if kind}
    cells = {name: [line[place] or None for line in lines] for place, (name, _) in enumerate(names)}
    frame = pl.DataFrame(cells, schema=dict.fromkeys(cells, pl.String))
    return Example(told, rule, types, ((frame, tuple(line[-1] for line in lines)),))


def file_of(what: str, cell: str) -> pl.DataFrame:
    if what == ROWS:
        return pl.DataFrame({"customer": ["C"] * int(cell)})
    if what.startswith(CELLS):
        cells = [None if each == "-" else each for each in cell.split(", ")]
        return pl.DataFrame({what.removeprefix(CELLS): cells}, schema_overrides={what.removeprefix(CELLS): pl.String})
    return pl.DataFrame({name: ["x"] for name in cell.split(", ")})


EXAMPLES = examples(PAGE.read_text(encoding="utf-8"))


def wrong(shown: Example) -> list[str]:
    """Where the page says something else than our pass, or than Great Expectations."""
    found = []
    for frame, outcomes in shown.files:
        check = typed(shown.rule.check, shown.types)
        rule = Rule(shown.rule.id, check, shown.rule.code)
        [ours] = said_by_us(run_rules(frame, [rule]))
        [theirs] = said_by_pandas(frame, [check], shown.types)
        if KINDS[check.kind].rows:
            told = tuple(place for place, outcome in enumerate(outcomes) if outcome == "fails")
            found += [f"{who}: {one.failing}" for who, one in (("we", ours), ("they", theirs)) if one.failing != told]
        else:
            holds = outcomes == ("",)
            found += [f"{who}: {outcomes}" for who, one in (("we", ours), ("they", theirs)) if one.success != holds]
    return found


def test_every_kind_of_the_closed_list_has_an_example() -> None:
    assert sorted(EXAMPLES) == sorted(name for name, kind in KINDS.items() if not kind.outside)


@pytest.mark.slow
@pytest.mark.parametrize("kind", EXAMPLES)
def test_an_example_does_what_it_says(kind: str) -> None:
    one = EXAMPLES[kind]
    assert one.rule.check.kind == kind and f"Code: `{KINDS[kind].code}`." in one.told
    assert {outcome for _, outcomes in one.files for outcome in outcomes} <= {"", "fails", "left out"}
    assert "fails" in {outcome for _, outcomes in one.files for outcome in outcomes}
    assert wrong(one) == []


def test_an_example_that_says_something_else_is_found() -> None:
    lie = PAGE.read_text(encoding="utf-8").replace("| NL | fails |", "| NL |  |").replace("| 3 | fails |", "| 3 |  |")
    told = {kind: wrong(one) for kind, one in examples(lie).items()}
    assert {kind for kind, found in told.items() if found} == {
        "expect_column_values_to_be_in_set",
        "expect_table_row_count_to_equal",
    }
