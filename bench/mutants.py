"""``make mutants``: how many small changes to the gate and the identifiers the tests notice (mutmut, 85 % or more).

mutmut wants the code in a folder ``src``, so it works on a copy of the house in ``var/mutants``, made anew each time.
All of them take hours on two cores; a share is about one of ten. Changes that strict mypy refuses are counted apart,
since `make check` would not let them in.
"""

import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated

import typer

from sluice.cli.output import out, show_table

HOUSE = Path(__file__).resolve().parents[1]
COPY = HOUSE / "var" / "mutants"
BESIDE = ("airflow.cfg", "README.md", "requirements.txt", "bench", "config", "dags", "docs", "expectations", "plugins")
MUTATED = ("gate/*", "subject/cells", "subject/columns", "subject/normalise", "subject/phone_plan", "subject/refs")
NOT_TRIED = ("broken_on_purpose", "would_be_caught", "test_imports", "test_report", "test_command")
"""Tests of the tests, and those that start processes of their own, which would not see the mutant."""
GOAL = 85
NOTICED, REFUSED = ("killed", "timeout"), "caught by type check"
CONFIG = f"""
[tool.mutmut]
source_paths = ["src"]
only_mutate = {[f"src/sluice/{name}.py" for name in MUTATED]}
also_copy = {[*BESIDE, "include"]}
pytest_add_cli_args_test_selection = ["tests/gate", "tests/subject"]
pytest_add_cli_args = [
  "-p", "bench.mutants_plugin", "-p", "no:cacheprovider", "-m", "not stores",
  "-k", "{" and ".join(f"not {name}" for name in NOT_TRIED)}",
]
type_check_command = [
  "env", "MYPYPATH=src", "{sys.executable}", "-m", "mypy", "--no-warn-unused-ignores", "--output", "json",
  "src/sluice/gate", "src/sluice/subject",
]
process_isolation = "forkserver"
use_git_change_detection = false
"""


def run(
    share: Annotated[int, typer.Option(min=0, max=9, help="Only mutants whose number ends so, about one of ten.")] = 3,
    everything: Annotated[bool, typer.Option("--all", help="All of them: hours.")] = False,
    workers: Annotated[int, typer.Option(min=1, help="How many are tried at once.")] = 2,
) -> None:
    """Try mutants, and print which share of them the tests notice, by module, with the names of those they do not.

    Example: python -m bench.mutants --share 7
    """
    prepare()
    wanted = "*" if everything else f"*__mutmut_*{share}"
    subprocess.run([*mutmut("run"), "--max-children", str(workers), wanted], cwd=COPY, check=True)
    found = dict(results())
    show_table("Mutants", ("module", "noticed", "not noticed", "refused by mypy", "share"), by_module(found))
    for name, status in sorted(found.items()):
        if status not in (*NOTICED, REFUSED):
            out.print(f"{status}: {name}", markup=False)
    raise typer.Exit(0 if counted(found.values())[-1] >= GOAL else 1)


def prepare() -> None:
    """The house as mutmut wants it."""
    ignored = shutil.ignore_patterns("__pycache__", "sluice")
    shutil.rmtree(COPY, ignore_errors=True)
    for name in ("tests", "include", *BESIDE):
        source, target = HOUSE / name, COPY / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target, ignore=ignored) if source.is_dir() else shutil.copy2(source, target)
    shutil.copytree(HOUSE / "include" / "sluice", COPY / "src" / "sluice")
    (COPY / "pyproject.toml").write_text((HOUSE / "pyproject.toml").read_text("utf-8") + CONFIG, "utf-8")


def mutmut(verb: str) -> list[str]:
    """Its command, as the library wants to be started."""
    return [str(Path(sys.executable).with_name("mutmut")), verb]


def results() -> Iterator[tuple[str, str]]:
    """Name and status of every mutant that was tried, or that mypy refuses."""
    told = subprocess.run([*mutmut("results"), "--all", "true"], cwd=COPY, check=True, capture_output=True, text=True)
    for name, status in re.findall(r"^\s*(\S+): (.+)$", told.stdout, re.MULTILINE):
        if status != "not checked":
            yield name, status


def by_module(found: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    """Counts of each module, and of all."""
    modules = {name: name.rpartition(".")[0] for name in found}
    for module in sorted(set(modules.values())):
        counts = counted(status for name, status in found.items() if modules[name] == module)
        yield module, *map(str, counts[:-1]), f"{counts[-1]:.1f} %"
    counts = counted(found.values())
    yield "all", *map(str, counts[:-1]), f"{counts[-1]:.1f} %"


def counted(statuses: Iterable[str]) -> tuple[int, int, int, float]:
    """Noticed, not noticed (whatever is not known among them), refused by mypy; percent noticed of the first two."""
    counts = Counter(statuses)
    noticed, refused = sum(counts[each] for each in NOTICED), counts[REFUSED]
    tried = counts.total() - refused
    return noticed, tried - noticed, refused, 100 * noticed / tried if tried else 0.0


if __name__ == "__main__":
    typer.run(run)
