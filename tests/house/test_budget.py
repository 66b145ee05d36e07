"""No room grows unnoticed: sizes are within their budgets, which are raised for a reason alone."""

import tomllib
from itertools import pairwise
from pathlib import Path

from house.budget import HOUSE, PAGE, beyond, lowered, raised, sizes, statements, versions

SMALL = {"gate": {"statements": 100, "files": 3}}


def test_every_room_is_within_its_budget() -> None:
    budget = tomllib.loads(PAGE.read_text("utf-8"))
    found = sizes(HOUSE)

    assert list(beyond(found, budget)) == []
    assert len(found) > 20 and all(int(each["statements"]) > 0 for each in found.values())


def test_a_figure_is_raised_for_a_reason_alone(history: Path) -> None:
    written = tomllib.loads(PAGE.read_text("utf-8"))

    assert [said for after, before in pairwise([written, *versions(history)]) for said in raised(before, after)] == []


def test_a_room_that_grew_is_told_and_one_that_shrank_can_be_written_down() -> None:
    larger, smaller = {"gate": {"statements": 101, "files": 3}}, {"gate": {"statements": 90, "files": 3}}

    assert list(beyond(larger, SMALL)) == ["gate: 101 statements, at most 100"]
    assert list(beyond({"new": {"files": 1}}, SMALL)) == ["new: 1 files, at most 0"]
    assert list(raised(SMALL, larger)) == ["gate: statements from 100 to 101"]
    assert list(raised(SMALL, {"gate": {**larger["gate"], "reason": "a feature of issue 40"}})) == []
    assert tomllib.loads(lowered(smaller, SMALL)) == smaller
    assert tomllib.loads(lowered(larger, SMALL)) == SMALL


def test_statements_are_counted_and_not_lines(tmp_path: Path) -> None:
    path = tmp_path / "two.py"
    path.write_text('"""A page."""\n\nvalue = (\n    1,\n)\n')

    assert statements(path) == 2
