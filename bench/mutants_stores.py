"""``python -m bench.mutants_stores``: 60 small changes to rooms that write to stores, and which of them tests notice.

A change is a comparison turned round, a call left out or two branches swapped. The 60 are those with the smallest
SHA-256 of room, function and text, so that a set stays the same while the code around it moves. All of them are in a
copy of the house with an environment of its own, each behind a switch that also notes which tests reach it: the tests
of `make test` run once with no change on, then for each change those that reach it, until the first one fails.
"""

import ast
import hashlib
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Annotated
from xml.etree import ElementTree  # nosec B405  # what our own tests wrote

import typer

HOUSE = Path(__file__).resolve().parents[1]
COPY = HOUSE / "var" / "mutants-stores"
ROOMS = ("exchange", "rights", "returns", "ledger")
COUNT = 60
LEFT_OUT = ("--ignore=tests/house", "--ignore=tests/handbook", "--ignore=tests/journeys", "--ignore=tests/browser")
"""Tests that read the source, which has switches in the copy, and those that are too long to be tried 60 times."""
TIMES = "times.xml"
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
def run(
    copy: Annotated[Path, typer.Argument(help="Where the copies are made; a second one lies beside it.")] = COPY,
    only: Annotated[list[int] | None, typer.Option(help="Only these changes, by number.")] = None,
) -> None:
    """Which changes the tests notice; exits 1 if there is one that they do not.

    Example: python -m bench.mutants_stores run
    """
    copies = [copy, copy.with_name(f"{copy.name}-2")]
    for each in copies:
        prepare(each)
    reach(copies[0])
    raise typer.Exit(1 if list(tried(copies, copies[0] / "include" / "reached", only)) else 0)


def prepare(copy: Path) -> None:
    """Make the copy with all changes in it, none of them on."""
    shutil.rmtree(copy, ignore_errors=True)
    ignored = shutil.ignore_patterns("__pycache__", "var", ".venv", ".*_cache", ".hypothesis")
    shutil.copytree(HOUSE, copy, ignore=ignored)
    subprocess.run(["make", "--silent", "setup"], cwd=copy, check=True)
    code, drawn = copy / "include" / "sluice", changes(HOUSE / "include" / "sluice")
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


def reach(copy: Path) -> None:
    """Run the tests with no change on: which of them reach which change, and how long each takes."""
    words = ["-m", "not journey and not long", *LEFT_OUT, f"--junitxml={TIMES}", "-n", "3", "--dist", "loadfile"]
    subprocess.run([_python(copy), "-m", "pytest", *words, "--no-loadscope-reorder"], cwd=copy, check=False)


def tried(copies: list[Path], reached: Path, only: list[int] | None = None) -> Iterator[int]:
    """Try the changes, one in each copy at a time; those that no test noticed."""
    tests = defaultdict[int, set[str]](set)
    for line in reached.read_text("utf-8").splitlines():
        reached_at, _, test = line.partition("\t")
        if test and not test.startswith(tuple(each.removeprefix("--ignore=") for each in LEFT_OUT)):
            tests[int(reached_at)].add(test)
    seconds, drawn, free = times(reached.parents[1] / TIMES), changes(HOUSE / "include" / "sluice"), SimpleQueue[Path]()
    for copy in copies:
        free.put(copy)

    numbers: list[int] = only or list(range(len(drawn)))

    def attempt(number: int) -> tuple[int, bool]:
        copy = free.get()
        try:
            room = f"tests/{drawn[number].path.split('/')[0]}/"
            ordered = sorted(tests[number], key=lambda each: seconds.get(each, 3) * (1 if each.startswith(room) else 2))
            return number, is_noticed(copy, number, ordered)
        finally:
            free.put(copy)

    with ThreadPoolExecutor(len(copies)) as threads:
        for number, noticed in threads.map(attempt, numbers):
            change = drawn[number]
            word = "noticed" if noticed else "NOT NOTICED"
            print(
                f"{number} {word}, {len(tests[number])} tests: {change.path} {change.function} {change.kind}",
                flush=True,
            )
            if not noticed:
                yield number


def is_noticed(copy: Path, number: int, tests: list[str]) -> bool:
    """Whether one of these tests fails with the change on."""
    if not tests:
        return False
    (copy / "include" / "on").write_text(str(number))
    command = [_python(copy), "-m", "pytest", "-x", "-p", "no:cacheprovider", *tests]
    try:
        ended = subprocess.run(command, cwd=copy, capture_output=True, timeout=1800, check=False).returncode
    except subprocess.TimeoutExpired:
        return True
    finally:
        (copy / "include" / "on").write_text("-1")
    assert ended in (0, 1), f"change {number}: pytest ended with {ended}"
    return ended == 1


def times(path: Path) -> dict[str, float]:
    """Seconds of each test, by its id."""
    if not path.exists():
        return {}
    cases = ElementTree.parse(path).iter("testcase")
    return {f"{c.attrib['classname'].replace('.', '/')}.py::{c.attrib['name']}": float(c.attrib["time"]) for c in cases}


def _python(copy: Path) -> str:
    return str(copy / ".venv" / "bin" / "python")


if __name__ == "__main__":
    app()
