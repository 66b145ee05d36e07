"""DAG files decide nothing: few imports, nothing heavy at parse, one entry in plugins/."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

HOUSE = Path(__file__).resolve().parents[2]
ALLOWED = ("airflow.sdk", "pendulum", "sluice.orchestration")
HEAVY = ("great_expectations", "polars", "pyarrow", "pandas", "boto3", "typst")
DAG_FILES = sorted((HOUSE / "dags").glob("*.py"))
PARSE = """
import json, runpy, sys
before = set(sys.modules)
import airflow.sdk
airflow_alone = {name.partition(".")[0] for name in set(sys.modules) - before}
for path in sys.argv[1:]:
    runpy.run_path(path)
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules} - airflow_alone)))
"""


def imports(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "."


def strangers(source: str) -> list[str]:
    return [name for name in imports(source) if not any(name == a or name.startswith(f"{a}.") for a in ALLOWED)]


def without_docstring(source: str) -> str:
    """The statements after the docstring of the module; comments go as well."""
    tree = ast.parse(source)
    assert ast.get_docstring(tree)
    return ast.unparse(ast.Module(tree.body[1:], []))


def loaded_by(*paths: Path) -> set[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW__CORE__UNIT")}
    command = [sys.executable, "-c", PARSE, *map(str, paths)]
    done = subprocess.run(command, cwd=HOUSE, env=env, capture_output=True, text=True, check=True)
    return set(ast.literal_eval(done.stdout.splitlines()[-1]))


def test_a_dag_file_imports_airflow_pendulum_and_orchestration_only() -> None:
    assert {path.name: found for path in DAG_FILES if (found := strangers(path.read_text()))} == {}
    source = "from airflow.sdk import DAG\nfrom airflow.models import Variable\nimport sluice.db\n"
    assert strangers(source) == ["airflow.models", "sluice.db"], "the control"


def test_airflow_takes_every_file_for_one_with_a_dag(tmp_path: Path) -> None:
    """Its safe mode skips, without a word, what does not hold ``airflow`` and ``dag``; no docstring has to."""
    from airflow.utils.file import might_contain_dag

    for path in DAG_FILES:
        bare = tmp_path / path.name
        bare.write_text(without_docstring(path.read_text()))
        assert might_contain_dag(str(path), safe_mode=True) and might_contain_dag(str(bare), safe_mode=True), path.name
    skipped = tmp_path / "skipped.py"
    skipped.write_text("from sluice.orchestration.follow import FollowAcknowledgements\n")
    assert not might_contain_dag(str(skipped), safe_mode=True), "the control"


def test_parsing_loads_nothing_heavy() -> None:
    assert DAG_FILES and loaded_by(*DAG_FILES).isdisjoint(HEAVY)


def test_something_heavy_is_found(tmp_path: Path) -> None:
    slow = tmp_path / "slow.py"
    slow.write_text("import polars\n")
    assert "polars" in loaded_by(slow)


def test_airflow_runs_one_file_of_plugins_at_most() -> None:
    patterns = (HOUSE / "plugins" / ".airflowignore").read_text().split()
    assert patterns == ["*.py", "!*_plugin.py"]
    assert [path.name for path in (HOUSE / "plugins").rglob("*.py") if not path.name.endswith("_plugin.py")] == []


def test_the_page_for_on_call_has_a_row_for_every_dag() -> None:
    page = (HOUSE / "docs" / "operations.md").read_text(encoding="utf-8")
    named = {row.split("`")[1].partition("__<")[0] for row in page.splitlines() if row.startswith("| `")}
    assert {path.stem for path in DAG_FILES} <= named
