"""Imports go down; the linter that says so can also say no."""

import subprocess
import sysconfig
import tomllib
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parents[2]
LINTER = Path(sysconfig.get_path("scripts")) / "lint-imports"


def lint(config: Path) -> subprocess.CompletedProcess[str]:
    command = [str(LINTER), "--config", str(config), "--no-cache"]
    return subprocess.run(command, cwd=HOUSE, capture_output=True, text=True, check=False)


def test_every_contract_is_kept() -> None:
    done = lint(HOUSE / "pyproject.toml")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "contract",
    [
        'type = "layers"\nlayers = ["sluice.errors", "sluice.settings", "sluice.db"]',
        'type = "forbidden"\nsource_modules = ["sluice.db"]\nforbidden_modules = ["psycopg"]',
        'type = "layers"\ncontainers = ["sluice.lake"]\nexhaustive = true\nlayers = ["erase"]',
    ],
)
def test_a_broken_contract_is_found(tmp_path: Path, contract: str) -> None:
    config = tmp_path / "broken.toml"
    start = '[tool.importlinter]\nroot_package = "sluice"\ninclude_external_packages = true\n'
    config.write_text(f'{start}\n[[tool.importlinter.contracts]]\nname = "upside down"\n{contract}\n')
    assert lint(config).returncode == 1


def test_every_room_has_its_place() -> None:
    contracts = tomllib.loads((HOUSE / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    placed = {name.strip("() ").removeprefix("sluice.") for layer in layers for name in layer.split("|")}
    there = {path.stem for path in (HOUSE / "include" / "sluice").iterdir() if path.name[0] not in "_p"}
    assert there <= placed
