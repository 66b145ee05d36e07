"""A command that works in the stores shows on a terminal that it does: a step of it may last more than two seconds."""

import ast
from collections.abc import Iterator
from pathlib import Path

from sluice import cli

SHOWN = {"err.status", "Progress", "track"}
QUICK = {
    "alarms", "list_", "openpgp", "link", "hold_", "lift_", "holds", "returned",  # a question to the database
    "_sample",  # each of its steps shows itself
}  # fmt: skip


def silent(folder: Path) -> Iterator[str]:
    """Functions that open the house and show nothing meanwhile."""
    for path in sorted(folder.glob("*.py")):
        for found in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(found, ast.FunctionDef):
                called = {ast.unparse(each.func) for each in ast.walk(found) if isinstance(each, ast.Call)}
                if "open_house" in called and not called & SHOWN:
                    yield found.name


def test_whatever_opens_the_house_shows_that_it_works_or_asks_the_database_alone(tmp_path: Path) -> None:
    assert set(silent(Path(cli.__file__).parent)) <= QUICK
    (tmp_path / "control.py").write_text("def slow():\n    with open_house(settings) as house:\n        find(house)\n")
    assert list(silent(tmp_path)) == ["slow"], "control"
