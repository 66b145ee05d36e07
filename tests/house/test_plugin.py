"""The one file Airflow runs in each of its processes: light, and asked for its apps by the API server only."""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

HOUSE = Path(__file__).resolve().parents[2]
MOST_MILLISECONDS = 100
LOAD = """
import json, sys, time
import airflow.plugins_manager as manager
import airflow._shared.module_loading.file_discovery
before, started = set(sys.modules), time.perf_counter()
plugins, errors = manager._get_plugins()
seconds = time.perf_counter() - started
loaded = sorted({name.partition(".")[0] for name in set(sys.modules) - before})
apps, _ = manager.get_fastapi_plugins() if "apps" in sys.argv else ([], [])
print(json.dumps([[str(plugin.name) for plugin in plugins], errors, loaded, seconds,
                  [each["url_prefix"] for each in apps],
                  sorted({name.partition(".")[0] for name in sys.modules})]))
"""
HEAVY = {"polars", "pandas", "great_expectations", "boto3", "pyarrow", "typst", "openlineage"}


def load(
    *words: str, plugins: Path = HOUSE / "plugins"
) -> tuple[list[str], dict[str, str], set[str], float, list[str], set[str]]:
    """Names, errors, what was imported, seconds; the apps when asked for, and all modules then."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW__CORE__UNIT")}
    env |= {"AIRFLOW__CORE__PLUGINS_FOLDER": str(plugins)}
    command = [sys.executable, "-c", LOAD, *words]
    done = subprocess.run(command, cwd=HOUSE, env=env, capture_output=True, text=True, check=True)
    names, errors, loaded, seconds, apps, modules = json.loads(done.stdout.splitlines()[-1])
    return names, errors, set(loaded), seconds, apps, set(modules)


@pytest.mark.evidence
def test_loading_the_plugin_imports_nothing_of_ours_and_takes_milliseconds(
    record_property: Callable[[str, object], None],
) -> None:
    names, errors, loaded, seconds, _, modules = load()
    assert (names, errors) == (["sluice"], {})
    assert "sluice" not in loaded and "fastapi" not in loaded and modules.isdisjoint(HEAVY)
    assert seconds * 1000 < MOST_MILLISECONDS
    record_property("plugin, in each Airflow process", f"{seconds * 1000:.0f} ms")


def test_the_api_server_gets_one_app_without_anything_heavy() -> None:
    _, errors, _, _, apps, modules = load("apps")
    assert (errors, apps) == ({}, ["/sluice/api/v1"])
    assert modules.isdisjoint(HEAVY)


def test_a_plugin_that_imports_the_house_is_found(tmp_path: Path) -> None:
    source = (HOUSE / "plugins" / "sluice_plugin.py").read_text()
    (tmp_path / "heavy_plugin.py").write_text(f"import polars\nimport sluice.web.api\n{source}")
    _, _, loaded, _, _, modules = load(plugins=tmp_path)
    assert "sluice" in loaded and not modules.isdisjoint(HEAVY)


def test_the_file_imports_airflows_plugin_and_nothing_else_at_its_top() -> None:
    tree = ast.parse((HOUSE / "plugins" / "sluice_plugin.py").read_text())
    top = [node.module for node in tree.body if isinstance(node, ast.ImportFrom)]
    assert top == ["functools", "typing", "airflow.plugins_manager"]
    assert not [node for node in tree.body if isinstance(node, ast.Import)]
