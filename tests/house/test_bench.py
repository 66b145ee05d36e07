"""A bench that nobody ran for a while still measures what it names."""

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import bench
import pytest
from bench import mutants, parse

from sluice.terms import ARRIVING


def test_every_bench_can_be_imported_and_says_what_it_measures() -> None:
    found = [importlib.import_module(f"bench.{each.name}") for each in pkgutil.iter_modules(bench.__path__)]
    measuring = [module for module in found if hasattr(module, "rows")]

    assert len(measuring) > 15
    assert [module.__name__ for module in measuring if not (module.__doc__ or "").strip()] == []


def test_importing_a_bench_silences_nobody() -> None:
    """One did, and a test of the same process then missed in the logs what it looked for there."""
    names = ", ".join(f"bench.{each.name}" for each in pkgutil.iter_modules(bench.__path__))
    told = f"import logging, {names}; print(logging.getLogger('httpx2').level)"
    asked = [sys.executable, "-W", "ignore", "-c", told]
    folder = Path(__file__).resolve().parents[2]
    assert subprocess.run(asked, check=True, capture_output=True, text=True, cwd=folder).stdout.split() == ["0"]


def test_of_mutants_only_what_a_test_stopped_at_counts_as_noticed() -> None:
    others = ["survived", "no tests", "suspicious", "a status of tomorrow"]

    assert mutants.counted(["killed", "timeout", *others, "caught by type check"]) == (2, 4, 1, 100 * 2 / 6)
    assert mutants.counted([]) == (0, 0, 0, 0.0)


def test_every_module_that_is_to_be_mutated_is_there() -> None:
    assert [name for name in mutants.MUTATED if not list(mutants.HOUSE.glob(f"include/sluice/{name}.py"))] == []


@pytest.mark.long
def test_parsing_is_measured_over_a_dag_bag_that_has_every_agreement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parse, "AGREEMENTS", 3)
    monkeypatch.setattr(parse, "ROUNDS", 1)
    [row] = parse.rows(0)
    assert (row.what, row.goal, row.unit) == ("3 agreements", 2.0, "s")  # how long, is for the bench to say

    monkeypatch.setattr(parse, "write_principals", lambda model, target: target.mkdir())
    with pytest.raises(AssertionError, match="every agreement gives a DAG"):
        list(parse.rows(0))


@pytest.mark.slow
def test_a_return_looks_for_its_sources_in_the_folder_of_its_own_principal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh_settings: None
) -> None:
    """Once each looked through every principal's folder, so that 200 of them took 3 s."""
    from sluice.agreement.folder import load
    from sluice.orchestration import flows, schedules

    model = Path(__file__).resolve().parents[2] / "include" / "principals" / parse.MODEL
    monkeypatch.setattr(parse, "AGREEMENTS", 3)
    parse.write_principals(model, tmp_path)
    monkeypatch.setenv("SLUICE_PRINCIPALS_DIR", str(tmp_path))
    every, read = flows._flows(tmp_path, 0), list[Path]()
    skim = load.skim_folder
    monkeypatch.setattr(load, "skim_folder", lambda folder, papers: read.append(folder) or skim(folder, papers))

    for folder in sorted(tmp_path.iterdir()):
        read.clear()
        wanted = {f"accepted.{each.direction}.{each.principal}.{each.flow}" for each in every
                  if each.principal == folder.name and each.direction in ARRIVING}  # fmt: skip
        assert {asset.name for asset in schedules.accepted_of(folder.name)} == wanted and len(wanted) > 1
        assert read == [folder], "and no other"
