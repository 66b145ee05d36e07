"""How large each room may be: ``budget.toml`` beside this file, whose figures only fall. Run by `make check`.

``python -m house.budget`` compares; ``--lower`` writes down what is less by now. Who must raise a figure does it by
hand, and says why in ``reason`` beside it.
"""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

HOUSE = Path(__file__).resolve().parents[2]
PAGE = Path(__file__).with_name("budget.toml")
HEAD = "# Statements (ast.stmt) and files of each room, lines of the tests. Figures only fall: tests/house/budget.py\n"
Sizes = Mapping[str, Mapping[str, int | str]]


def sizes(house: Path) -> dict[str, dict[str, int | str]]:
    """What there is, by room: folders of include/sluice, the files beside them, and the tests."""
    code, found = house / "include" / "sluice", dict[str, dict[str, int | str]]()
    for room in sorted(path for path in code.iterdir() if path.is_dir() and any(path.rglob("*.py"))):
        found[room.name] = _of(sorted(room.rglob("*.py")))
    found["files beside the rooms"] = _of(sorted(code.glob("*.py")))
    tests = sorted((house / "tests").rglob("*.py"))
    found["tests"] = _of(tests) | {"lines": sum(len(path.read_bytes().splitlines()) for path in tests)}
    return found


def _of(paths: list[Path]) -> dict[str, int | str]:
    return {"statements": sum(map(statements, paths)), "files": len(paths)}


def statements(path: Path) -> int:
    return sum(isinstance(node, ast.stmt) for node in ast.walk(ast.parse(path.read_bytes())))


def beyond(found: Sizes, budget: Sizes) -> Iterator[str]:
    """What is larger than it may be; a room that has no budget may not be."""
    for room, figures in found.items():
        for name, figure in figures.items():
            most = budget.get(room, {}).get(name, 0)
            if int(figure) > int(most):
                yield f"{room}: {figure} {name}, at most {most}"


def raised(before: Sizes, after: Sizes) -> Iterator[str]:
    """Figures that were raised without a reason. A room that is new takes its figures from others."""
    for room, figures in after.items():
        for name, figure in figures.items():
            most = before.get(room, {}).get(name)
            if isinstance(figure, int) and isinstance(most, int) and figure > most and not figures.get("reason"):
                yield f"{room}: {name} from {most} to {figure}"


def versions(house: Path) -> Iterator[Sizes]:
    """The budgets of all commits, the newest first."""
    name = PAGE.relative_to(HOUSE).as_posix()
    commits = _git(house, "log", "--format=%H", "--", name).split()
    yield from (tomllib.loads(_git(house, "show", f"{commit}:{name}")) for commit in commits)


def _git(house: Path, *words: str) -> str:
    return subprocess.run(["git", "-C", str(house), *words], capture_output=True, text=True, check=True).stdout


def lowered(found: Sizes, budget: Sizes) -> str:
    """The budget with the smaller figure of each; rooms that are gone are left out."""
    lines = [HEAD]
    for room, figures in found.items():
        had = budget.get(room, {})
        lines.append(f'["{room}"]' if " " in room else f"[{room}]")
        lines += [f"{name} = {min(int(figure), int(had.get(name, figure)))}" for name, figure in figures.items()]
        lines += [f'reason = "{had["reason"]}"'] if "reason" in had else []
        lines.append("")
    return "\n".join(lines)


def main(words: list[str]) -> int:
    found, budget = sizes(HOUSE), tomllib.loads(PAGE.read_text("utf-8")) if PAGE.exists() else {}
    if "--lower" in words:
        PAGE.write_text(lowered(found, budget), "utf-8")
        return 0
    all_of_it = sum(int(figures["statements"]) for room, figures in found.items() if room != "tests")
    print(f"size: {all_of_it} statements in include/sluice, {found['tests']['lines']} lines of tests")
    over = list(beyond(found, budget))
    print(*over, sep="\n", end="\n" if over else "")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
