"""What documents and the chart's values name is a setting of Sluice or of Airflow, and says what airflow.cfg says."""

import re
import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from sluice.settings import Settings

HOUSE = Path(__file__).resolve().parents[2]
VALUES = HOUSE / "deploy" / "helm" / "values.yaml"
PAGES = [HOUSE / "docs" / "operations.md", HOUSE / "docs" / "how-to" / "more-than-one-machine.md", VALUES]
VARIABLE = re.compile(r"\b(?:SLUICE|AIRFLOW_)_[A-Z0-9_]*[A-Z0-9]\b")
OWN = {"SLUICE_" + name.upper() for name in Settings.model_fields} | {"SLUICE_AIRFLOW_URL"}

SAID_BY_ENVIRONMENT = {
    "core": {"dags_folder", "plugins_folder", "executor", "simple_auth_manager_users"},
    "database": {"sql_alchemy_conn", "sql_alchemy_conn_async"},
    "logging": {"base_log_folder", "dag_processor_child_process_log_directory"},
    "api": {"host", "workers"},
    "scheduler": {"enable_health_check"},
}
"""Of airflow.cfg, what belongs to one machine: the chart has its own."""


@pytest.fixture(scope="module")
def options() -> set[tuple[str, str]]:
    """Every option of Airflow and its providers."""
    from airflow.configuration import retrieve_configuration_description

    described = retrieve_configuration_description(include_providers=True)
    return {(section, option) for section, found in described.items() for option in found["options"]}


def unknown(text: str, options: set[tuple[str, str]]) -> set[str]:
    """Variables that nobody reads."""
    found = set(VARIABLE.findall(text))
    airflows = {f"AIRFLOW__{section}__{option}".upper() for section, option in options}
    return {name for name in found if name not in OWN | airflows}


def config(values: Any) -> dict[tuple[str, str], str]:
    return {(section, name): str(value) for section, found in values["config"].items() for name, value in found.items()}


def own_config() -> dict[tuple[str, str], str]:
    parser = ConfigParser(interpolation=None)
    parser.read(HOUSE / "airflow.cfg")
    return {(section, name): value for section in parser.sections() for name, value in parser[section].items()}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_variable_that_is_named_exists(page: Path, options: set[tuple[str, str]]) -> None:
    assert unknown(page.read_text(), options) == set()
    assert len(VARIABLE.findall(page.read_text())) > 10


def test_a_variable_that_does_not_exist_is_found(options: set[tuple[str, str]]) -> None:
    text = "SLUICE_SLOTS SLUICE_SLOTZ AIRFLOW__CORE__EXECUTOR AIRFLOW__CORE__EXECUTORS"
    assert unknown(text, options) == {"SLUICE_SLOTZ", "AIRFLOW__CORE__EXECUTORS"}


def test_the_chart_is_told_only_what_airflow_knows(options: set[tuple[str, str]]) -> None:
    values = yaml.safe_load(VALUES.read_text())
    names = [each["name"] for each in values["env"]] + [each["envName"] for each in values["secret"]]
    assert len(names) == len(set(names))
    assert set(config(values)) - options == {("openlineage", "disabled")}, "of a provider that may be in the image"


def test_the_chart_says_what_airflow_cfg_says() -> None:
    told, own = config(yaml.safe_load(VALUES.read_text())), own_config()
    mine = {
        (section, name): value
        for (section, name), value in own.items()
        if name not in SAID_BY_ENVIRONMENT.get(section, set())
    }
    assert told == mine | {("celery", "worker_concurrency"): "2"}
    values = yaml.safe_load(VALUES.read_text())
    assert int(told["core", "parallelism"]) == values["workers"]["celery"]["replicas"] * 2


def test_every_place_the_chart_mounts_is_one_that_a_setting_names() -> None:
    values = yaml.safe_load(VALUES.read_text())
    env = {each["name"]: each["value"] for each in values["env"]}
    assert {each["mountPath"] for each in values["volumeMounts"]} == {env["SLUICE_KEYS_DIR"], env["SLUICE_VAR"]}
    assert {each["name"] for each in values["volumes"]} == {each["name"] for each in values["volumeMounts"]}


@pytest.mark.skipif(not shutil.which("make"), reason="only where make is")
def test_what_runs_is_stopped_before_a_newer_lock_is_installed() -> None:
    """After `git pull`, `make down` would exchange the packages of running processes, and fail without a network."""

    def done(target: str) -> str:
        command = ["make", "--dry-run", "--what-if=requirements.txt", target]
        return subprocess.run(command, cwd=HOUSE, stdout=subprocess.PIPE, text=True, check=True).stdout

    assert "pip sync" in done("cluster"), "the control"
    assert "pip" not in done("down") and ".venv/bin/sluice down" in done("down")
