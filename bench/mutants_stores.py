"""``python -m bench.mutants_stores``: 60 small changes to rooms that write to stores, and which of them tests notice.

A change is a comparison turned round, a call left out or two branches swapped. The 60 are those with the smallest
SHA-256 of room, function and text, so that a set stays the same while the code around it moves. All of them are in one
copy of the house, each behind a switch that also notes which tests reach it: the tests run once with no change on, then
once for each change, only those that reach it, until the first one fails.
"""

import ast
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

HOUSE = Path(__file__).resolve().parents[1]
COPY = HOUSE / "var" / "mutants-stores"
ROOMS = ("exchange", "rights", "returns", "ledger")
COUNT = 60
LEFT_OUT = ("--ignore", "tests/house", "--ignore", "tests/handbook", "--ignore", "tests/journeys")
"""Tests that read the source, which has switches in the copy, and those that are too long to be tried 60 times."""
TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
SWITCH = '''"""Which change is on, and which tests reach which change."""

import os
from pathlib import Path

HERE = Path(__file__).parent
ON = int((HERE / "on").read_text())
SEEN: set[tuple[int, str]] = set()
try:
    LOG = os.open(HERE / "reached", os.O_WRONLY | os.O_APPEND)
except OSError:
    LOG = -1


def is_on(number: int) -> bool:
    if ON < 0 and LOG >= 0:
        test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]
        if (number, test) not in SEEN:
            SEEN.add((number, test))
            try:
                os.write(LOG, f"{number}\\t{test}\\n".encode())
            except OSError:
                pass
    return number == ON
'''
app = typer.Typer(no_args_is_help=True, add_completion=False)


@dataclass(frozen=True, slots=True)
class Change:
    """One small change. start, end: where the text is in the file, in bytes."""

    path: str
    function: str
    kind: str
    start: int
    end: int
    text: str
    changed: str

    @property
    def order(self) -> str:
        return hashlib.sha256(f"{self.path.split('/')[0]} {self.function} {self.kind} {self.text}".encode()).hexdigest()


def changes(code: Path) -> list[Change]:
    """The 60 changes of this code, none inside another."""
    found = [
        change
        for room in ROOMS
        for path in sorted(code.glob(f"{room}/**/*.py"))
        for change in _changes_of(path.relative_to(code).as_posix(), path.read_bytes())
    ]
    drawn: list[Change] = []
    for change in sorted(found, key=lambda each: each.order):
        apart = all(change.path != o.path or change.end <= o.start or o.end <= change.start for o in drawn)
        if apart and all(change.order != other.order for other in drawn):
            drawn.append(change)
        if len(drawn) == COUNT:
            break
    return drawn


def _changes_of(path: str, source: bytes) -> Iterator[Change]:
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def walk(node: ast.AST, function: str) -> Iterator[tuple[ast.expr, str, str, str]]:
        for child in ast.iter_child_nodes(node):
            inside = function
            if isinstance(child, ast.FunctionDef | ast.ClassDef):
                inside = f"{function}.{child.name}"
            if function and isinstance(child, ast.Compare) and len(child.ops) == 1:
                turned = ast.Compare(child.left, [TURNED[type(child.ops[0])]()], child.comparators)
                yield child, function, "comparison", ast.unparse(turned)
            elif function and isinstance(child, ast.Expr) and isinstance(child.value, ast.Call):
                yield child.value, function, "call", "None"
            elif function and isinstance(child, ast.If | ast.IfExp) and child.orelse:
                yield child.test, function, "branches", f"not ({ast.unparse(child.test)})"
            yield from walk(child, inside)

    for node, function, kind, changed in walk(ast.parse(source), ""):
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)
        yield Change(path, function, kind, start, end, source[start:end].decode(), changed)


@app.command("list")
def show() -> None:
    """The changes, a line each."""
    for number, change in enumerate(changes(HOUSE / "include" / "sluice")):
        print(number, change.path, change.function, change.kind, " ".join(change.text.split()), "->", change.changed)


@app.command()
def prepare(copy: Annotated[Path, typer.Argument()] = COPY) -> None:
    """Make the copy with all changes in it, none of them on."""
    shutil.rmtree(copy, ignore_errors=True)
    ignored = shutil.ignore_patterns("__pycache__", "var", ".git", ".venv", ".*_cache", ".hypothesis")
    shutil.copytree(HOUSE, copy, ignore=ignored)
    (copy / ".venv").symlink_to(Path(sys.prefix))
    code = copy / "include" / "sluice"
    drawn = changes(code)
    for path in {change.path for change in drawn}:
        source = (code / path).read_bytes()
        here = [(number, change) for number, change in enumerate(drawn) if change.path == path]
        for number, change in sorted(here, key=lambda each: -each[1].start):
            switched = f"(({change.changed}) if __import__('mutant_switch').is_on({number}) else ({change.text}))"
            source = source[: change.start] + switched.encode() + source[change.end :]
        (code / path).write_bytes(source)
    (copy / "include" / "mutant_switch.py").write_text(SWITCH, "utf-8")
    (copy / "include" / "on").write_text("-1")
    (copy / "include" / "reached").touch()
    (copy / "include" / "reached").chmod(0o666)
    (copy / "changes.json").write_text(json.dumps([[c.path, c.function, c.kind, c.text, c.changed] for c in drawn]))


def environment(copy: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(copy / "include")}


if __name__ == "__main__":
    app()
