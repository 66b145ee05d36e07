"""The one file Airflow runs in each of its processes: light, and asked for its apps by the API server only."""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

HOUSE = Path(__file__).resolve().parents[2]
MOST_MILLISECONDS = 50
"""Of CPU, beside an empty folder: to look for plugins costs Airflow about 100 ms by itself."""
TIMES = 3
"""At most: a busy machine takes longer, never shorter."""
LOAD = """
import json, sys, time
import airflow.plugins_manager as manager
import airflow._shared.module_loading.file_discovery
tops = lambda: {name.partition(".")[0] for name in sys.modules}
before, started = tops(), time.process_time()
plugins, errors = manager._get_plugins()
seconds, loaded = time.process_time() - started, tops() - before
apps, _ = manager.get_fastapi_plugins()
print(json.dumps({"names": [str(plugin.name) for plugin in plugins], "errors": errors, "loaded": sorted(loaded),
                  "seconds": seconds, "apps": [each["url_prefix"] for each in apps], "modules": sorted(tops())}))
"""
HEAVY = {"polars", "pandas", "great_expectations", "boto3", "pyarrow", "typst", "openlineage"}


@dataclass(frozen=True)
class Loaded:
    """What a fresh Airflow process has after it loaded the plugins, and when it then asked for their apps."""

    names: list[str]
    errors: dict[str, str]
    loaded: list[str]
    seconds: float
    apps: list[str]
    modules: list[str]


def load(plugins: Path) -> Loaded:
    """Load the plugin and measure CPU seconds, which a busy machine does not change."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW__CORE__UNIT")}
    env |= {"AIRFLOW__CORE__PLUGINS_FOLDER": str(plugins)}
    done = subprocess.run([sys.executable, "-c", LOAD], cwd=HOUSE, env=env, capture_output=True, text=True, check=True)
    return Loaded(**json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.evidence
def test_loading_imports_nothing_and_the_api_server_gets_one_app_without_anything_heavy(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    mine, none, more = list[Loaded](), list[Loaded](), float("inf")
    while more * 1000 >= MOST_MILLISECONDS and len(mine) < TIMES:
        mine.append(load(HOUSE / "plugins"))
        none.append(load(empty))
        more = min(each.seconds for each in mine) - min(each.seconds for each in none)
    found = mine[0]
    assert (found.names, found.errors, found.apps) == (["sluice"], {}, ["/sluice/api/v1", "/sluice/pages"])
    assert {"sluice", "fastapi"}.isdisjoint(found.loaded) and HEAVY.isdisjoint(found.modules)
    assert more * 1000 < MOST_MILLISECONDS
    record_property("plugin, CPU time in each Airflow process, beside no plugin", f"{more * 1000:.0f} ms")


def test_a_plugin_that_imports_the_house_is_found(tmp_path: Path) -> None:
    source = (HOUSE / "plugins" / "sluice_plugin.py").read_text()
    (tmp_path / "heavy_plugin.py").write_text(f"import polars\nimport sluice.web.api\n{source}")
    found = load(tmp_path)
    assert "sluice" in found.loaded and not HEAVY.isdisjoint(found.modules)


def test_the_file_imports_airflows_plugin_and_nothing_else_at_its_top() -> None:
    tree = ast.parse((HOUSE / "plugins" / "sluice_plugin.py").read_text())
    top = [node.module for node in tree.body if isinstance(node, ast.ImportFrom)]
    assert top == ["functools", "typing", "airflow.plugins_manager"]
    assert not [node for node in tree.body if isinstance(node, ast.Import)]


def absolute(source: str) -> list[str]:
    """Addresses of a plugin that lose the path prefix of a proxy: Airflow's page puts it before relative ones only."""
    found = [
        str(value.value)
        for each in ast.walk(ast.parse(source))
        if isinstance(each, ast.Dict)
        for key, value in zip(each.keys, each.values, strict=True)
        if isinstance(key, ast.Constant) and key.value == "href" and isinstance(value, ast.Constant)
    ]
    assert found
    return [each for each in found if not each.startswith("sluice/pages/")]


def test_the_menu_leads_below_the_prefix_of_airflows_page() -> None:
    source = (HOUSE / "plugins" / "sluice_plugin.py").read_text()
    assert absolute(source) == []
    assert absolute(source.replace("sluice/pages/cases", "/sluice/pages/cases")) == ["/sluice/pages/cases"]
