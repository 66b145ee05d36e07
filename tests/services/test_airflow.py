"""What Airflow's parts are started with."""

import json
from pathlib import Path

import pytest

from sluice.services import airflow
from sluice.services.places import make_var


@pytest.fixture
def var(tmp_path: Path) -> Path:
    make_var(tmp_path / "var")
    airflow.settle_port(tmp_path / "var")
    return tmp_path / "var"


def test_nothing_of_the_callers_airflow_is_inherited(var: Path) -> None:
    inherited = {"AIRFLOW__CORE__EXECUTOR": "CeleryExecutor", "AIRFLOW_CONN_X": "secret", "LANG": "C"}
    env = airflow.environment(Path("/home"), var, "dsn", inherited)
    assert "AIRFLOW__CORE__EXECUTOR" not in env and "AIRFLOW_CONN_X" not in env
    assert env["LANG"] == "C"


def test_every_part_is_told_the_port_that_was_chosen(var: Path) -> None:
    env = airflow.environment(Path("/home"), var, "dsn", {})
    port = env["AIRFLOW__API__PORT"]
    assert env["AIRFLOW__API__BASE_URL"].endswith(f":{port}")
    assert env["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == f"http://127.0.0.1:{port}/execution/"


def test_who_may_log_in_and_the_address_people_use_are_the_callers(var: Path) -> None:
    inherited = {
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin,bert:user",
        "AIRFLOW__API__BASE_URL": "https://desk.example/airflow/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
    }
    env = airflow.environment(Path("/home"), var, "dsn", inherited)
    assert {name: env.get(name) for name in inherited} == {
        **inherited,
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": None,
    }
    # Below a prefix Airflow answers to nothing else: tasks would not reach it without (tried on 3.3.2).
    assert env["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == f"{airflow.address(var)}/airflow/execution/"


def test_a_name_that_is_set_to_nothing_is_not_given(var: Path) -> None:
    empty = dict.fromkeys(airflow.INHERITED, "")
    assert airflow.environment(Path("/home"), var, "dsn", empty) == airflow.environment(Path("/home"), var, "dsn", {})


def test_secrets_stay_the_same_between_starts(var: Path) -> None:
    first, again = (airflow.environment(Path("/home"), var, "dsn", {}) for _ in range(2))
    assert first == again


def test_a_proxy_is_not_asked_for_this_machine(var: Path) -> None:
    env = airflow.environment(Path("/home"), var, "dsn", {"NO_PROXY": "intranet", "HTTP_PROXY": "http://proxy:1"})
    assert env["NO_PROXY"] == env["no_proxy"] == "intranet,127.0.0.1,localhost"


def test_the_login_file_is_private_and_holds_one_user(var: Path) -> None:
    path = airflow.passwords_path(var)
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text()) == {"admin": airflow.admin_password(var)}


def test_no_part_serves_its_logs() -> None:
    assert all("--skip-serve-logs" in airflow.command(name) for name in ("scheduler", "triggerer", "worker-1"))


def test_only_settings_differ_between_executors(var: Path) -> None:
    alone = airflow.environment(Path("/home"), var, "dsn", {})
    together = airflow.environment(Path("/home"), var, "dsn", {}, airflow.Celery("redis://queue", 3))
    assert together.items() - alone.items() == {
        ("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor"),
        ("AIRFLOW__CORE__PARALLELISM", "6"),
        ("AIRFLOW__CELERY__WORKER_CONCURRENCY", "2"),
        ("AIRFLOW__CELERY__BROKER_URL", "redis://queue"),
    }
    assert alone.items() <= together.items()


def test_every_worker_has_a_name_of_its_own() -> None:
    assert airflow.components(0) == tuple(airflow.COMPONENTS)
    assert airflow.components(2)[-2:] == ("worker-1", "worker-2")
    assert airflow.command("worker-2")[-2:] == ["worker-2", "--skip-serve-logs"]


@pytest.mark.slow
def test_nobody_answers_through_a_queue_that_is_away() -> None:
    assert airflow.answering(airflow.Celery("redis://127.0.0.1:1/0", 1)) == set()


def test_what_does_not_answer_is_unhealthy(var: Path) -> None:
    assert airflow.unhealthy(airflow.address(var)) == set(airflow.COMPONENTS)


def test_health_is_told_of_every_part() -> None:
    assert set(airflow.HEALTH.values()) == set(airflow.COMPONENTS)
