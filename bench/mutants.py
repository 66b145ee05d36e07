"""``make mutants``: how many small changes to the gate and the identifiers the tests notice (mutmut, 85 % or more).

mutmut wants the code in a folder ``src``, so it works on a copy of the house in ``var/mutants``; what was judged stays
there, and a run goes on where another stopped. All takes hours on two cores: a share takes one mutant of ten.
Changes that strict mypy refuses are apart, since `make check` would not let them in.
"""

import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
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
SEEN = ("killed", "timeout", "segfault", "suspicious")
UNSEEN = ("survived", "no tests")
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
  "env", "MYPYPATH=src", "{sys.executable}", "-m", "mypy", "--no-warn-unused-ignores", "--output", "json", "src/sluice/gate", "src/sluice/subject",
]
process_isolation = "forkserver"
use_git_change_detection = false
"""


def run(
    share: Annotated[int | None, typer.Option(min=0, max=9, help="Only mutants whose number ends so: one of ten.")] = 3,
    everything: Annotated[bool, typer.Option("--all", help="All of them: hours.")] = False,
    workers: Annotated[int, typer.Option(min=1, help="How many are tried at once.")] = 2,
) -> None:
    """Try mutants, and print which share of them the tests notice, by module, with the names of those they do not.

    Example: python -m bench.mutants --share 7
    """
    prepare()
    named = [] if everything else [f"*__mutmut_*{share}", f"*__mutmut_{share}"]
    subprocess.run([*mutmut("run"), "--max-children", str(workers), *named], cwd=COPY, check=True)
    found = dict(results())
    show_table("Mutants", ("module", "noticed", "not noticed", "refused by mypy", "share"), rows(found))
    for name in sorted(name for name, status in found.items() if status in UNSEEN):
        out.print(f"{found[name]}: {name}", markup=False)
    raise typer.Exit(0 if share_of(Counter(found.values())) >= GOAL else 1)


def prepare() -> None:
    """The house as mutmut wants it. Files that did not change keep their time, by which it knows them."""
    for name in ("tests", *BESIDE):
        source = HOUSE / name
        if source.is_dir():
            shutil.copytree(source, COPY / name, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            COPY.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, COPY / name)
    shutil.copytree(HOUSE / "include", COPY / "include", dirs_exist_ok=True, ignore=shutil.ignore_patterns("sluice"))
    shutil.copytree(HOUSE / "include/sluice", COPY / "src/sluice", dirs_exist_ok=True)
    (COPY / "pyproject.toml").write_text((HOUSE / "pyproject.toml").read_text("utf-8") + CONFIG, "utf-8")


def mutmut(verb: str) -> list[str]:
    """Its command, as the library wants to be started."""
    return [str(Path(sys.executable).with_name("mutmut")), verb]


def results() -> Iterator[tuple[str, str]]:
    """Name and status of every mutant that was judged."""
    told = subprocess.run([*mutmut("results"), "--all", "true"], cwd=COPY, check=True, capture_output=True, text=True)
    for name, status in re.findall(r"^\s*(\S+): (.+)$", told.stdout, re.MULTILINE):
        if status != "not checked":
            yield name, status


def rows(found: dict[str, str]) -> Iterator[tuple[str, ...]]:
    """One row for each module, and the sum."""
    modules = {name: name.rpartition(".")[0] for name in found}
    for module in sorted(set(modules.values())):
        yield row(module, Counter(status for name, status in found.items() if modules[name] == module))
    yield row("all", Counter(found.values()))


def row(module: str, counts: Counter[str]) -> tuple[str, ...]:
    """Counts of one module."""
    seen, unseen = sum(counts[each] for each in SEEN), sum(counts[each] for each in UNSEEN)
    return module, str(seen), str(unseen), str(counts.total() - seen - unseen), f"{share_of(counts):.1f} %"


def share_of(counts: Counter[str]) -> float:
    """Percent of the mutants that types let through and a test noticed."""
    seen, unseen = sum(counts[each] for each in SEEN), sum(counts[each] for each in UNSEEN)
    return 100 * seen / (seen + unseen) if seen + unseen else 0.0


if __name__ == "__main__":
    typer.run(run)
