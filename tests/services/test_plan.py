"""What the environment gives is used, the rest is ours."""

from pathlib import Path

import pytest

from sluice.services.model import PostgresServer
from sluice.services.plan import Plan, make_plan, read_plan, write_env, write_plan


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, Plan(postgres=True, s3=True, airflow=True)),
        ({"SLUICE_DATABASE_URL": "x"}, Plan(postgres=True, s3=True, airflow=True)),
        (
            {"SLUICE_DATABASE_URL": "x", "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "y"},
            Plan(postgres=False, s3=True, airflow=True),
        ),
        ({"SLUICE_DATABASE_URL": "x", "SLUICE_AIRFLOW_URL": "y"}, Plan(postgres=False, s3=True, airflow=False)),
        ({"SLUICE_S3_ENDPOINT": "aws"}, Plan(postgres=True, s3=False, airflow=True)),
        ({"AWS_ENDPOINT_URL_S3": "x"}, Plan(postgres=True, s3=False, airflow=True)),
        ({"AWS_ENDPOINT_URL": "x"}, Plan(postgres=True, s3=False, airflow=True)),
    ],
)
def test_a_given_service_is_not_started(given: dict[str, str], expected: Plan) -> None:
    assert make_plan(given, with_airflow=True) == expected


def test_without_airflow_its_database_is_not_needed() -> None:
    assert make_plan({"SLUICE_DATABASE_URL": "x"}, with_airflow=False) == Plan(postgres=False, s3=True, airflow=False)


@pytest.mark.parametrize(
    ("given", "workers", "redis"),
    [
        ({}, 2, True),
        ({}, 0, False),
        ({"AIRFLOW__CELERY__BROKER_URL": "x"}, 2, False),
        ({"SLUICE_AIRFLOW_URL": "x"}, 2, False),
    ],
)
def test_workers_bring_a_redis_unless_the_queue_or_airflow_is_given(
    given: dict[str, str], workers: int, redis: bool
) -> None:
    plan = make_plan(given, with_airflow=True, workers=workers)
    assert plan.redis is redis
    assert plan.workers == (0 if "SLUICE_AIRFLOW_URL" in given else workers)
    assert plan.without_airflow() == Plan(plan.postgres, plan.s3, airflow=False)


def test_the_keeper_reads_what_up_wrote(tmp_path: Path) -> None:
    assert read_plan(tmp_path) is None
    write_plan(tmp_path, Plan(postgres=True, s3=False, airflow=False))
    assert read_plan(tmp_path) == Plan(postgres=True, s3=False, airflow=False)


def test_the_addresses_are_private_and_say_when_they_changed(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    server = PostgresServer("admin", "app", "airflow", 1, 2)
    assert write_env(tmp_path, server, None)
    assert not write_env(tmp_path, server, None)
    env = tmp_path / "run" / "services.env"
    lineage = f"SLUICE_LINEAGE_URL=file://{tmp_path}/lineage/events.ndjson\n"
    assert env.read_text() == f"SLUICE_DATABASE_URL=app\n{lineage}", "and nothing that may migrate"
    assert env.stat().st_mode & 0o777 == 0o600
