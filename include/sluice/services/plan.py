"""The plan: which services this checkout runs itself, and which ones the environment gives."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from sluice.services.airflow import BROKER_VARIABLE, DSN_VARIABLE
from sluice.services.model import PostgresServer, SeaweedServer
from sluice.services.places import private_dir, text_of, write_private

S3_VARIABLES = ("SLUICE_S3_ENDPOINT", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
DATABASE_VARIABLE = "SLUICE_DATABASE_URL"
AIRFLOW_VARIABLE = "SLUICE_AIRFLOW_URL"


@dataclass(frozen=True, slots=True)
class Plan:
    """Which services we start, watch and stop. ``workers``: of Celery; with none, tasks run beside the scheduler."""

    postgres: bool
    s3: bool
    airflow: bool
    redis: bool = False
    workers: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether everything is given, so that there is nothing to start."""
        return not (self.postgres or self.s3 or self.airflow)

    def without_airflow(self) -> "Plan":
        return replace(self, airflow=False, redis=False, workers=0)


def make_plan(environ: Mapping[str, str], with_airflow: bool, workers: int = 0) -> Plan:
    """Plan to run what ``environ`` does not give, including Airflow's own database."""
    airflow = with_airflow and not environ.get(AIRFLOW_VARIABLE)
    needs_metadata = airflow and not environ.get(DSN_VARIABLE)
    return Plan(
        postgres=not environ.get(DATABASE_VARIABLE) or needs_metadata,
        s3=not any(environ.get(name) for name in S3_VARIABLES),
        airflow=airflow,
        redis=airflow and workers > 0 and not environ.get(BROKER_VARIABLE),
        workers=workers if airflow else 0,
    )


def write_plan(var: Path, plan: Plan) -> None:
    """Write the plan for the keeper, which looks twice a second."""
    write_private(private_dir(var / "run") / "plan.json", json.dumps(asdict(plan)))


def read_plan(var: Path) -> Plan | None:
    """The plan written last, or None."""
    told = text_of(var / "run" / "plan.json")
    return Plan(**json.loads(told)) if told else None


def write_asked(var: Path, plan: Plan) -> None:
    """Write what `sluice up` was asked for, before anything starts: if it is interrupted, what lacks is seen."""
    write_private(private_dir(var / "run") / "asked.json", json.dumps(asdict(plan)))


def read_asked(var: Path) -> Plan | None:
    """What `sluice up` was asked for last, or None."""
    told = text_of(var / "run" / "asked.json")
    return Plan(**json.loads(told)) if told else None


def write_broker(var: Path, url: str | None) -> None:
    """Tell the keeper about a queue from this command's environment, which a keeper started earlier does not have."""
    if url:
        write_private(_broker_path(var), url)
    else:
        _broker_path(var).unlink(missing_ok=True)


def read_broker(var: Path) -> str | None:
    """The given queue written last, or None."""
    return text_of(_broker_path(var))


def forget(var: Path) -> None:
    """Remove everything written here (`sluice down`)."""
    for path in (env_path(var), var / "run" / "plan.json", var / "run" / "asked.json", _broker_path(var)):
        path.unlink(missing_ok=True)


def env_path(var: Path) -> Path:
    """The file through which every other process finds the embedded stores (settings.py)."""
    return var / "run" / "services.env"


def write_env(var: Path, postgres: PostgresServer | None, s3: SeaweedServer | None) -> bool:
    """Write the addresses and credentials of the embedded stores (0600); True when they changed.

    With them, lineage is set to go to a file, until somebody names an OpenLineage API.
    """
    lines: dict[str, str] = {}
    if postgres:
        lines[DATABASE_VARIABLE] = postgres.app_url  # not the URL that may migrate: no other process needs it
    if s3:
        lines |= {
            "SLUICE_S3_ENDPOINT": s3.endpoint,
            "SLUICE_S3_ACCESS_KEY": s3.access_key,
            "SLUICE_S3_SECRET_KEY": s3.secret_key,
        }
    if lines:
        lines["SLUICE_LINEAGE_URL"] = f"file://{var}/lineage/events.ndjson"
    path, text = env_path(var), "".join(f"{name}={value}\n" for name, value in lines.items())
    if text_of(path) == text:
        return False
    write_private(path, text)
    return True


def _broker_path(var: Path) -> Path:
    return private_dir(var / "run") / "broker-url"
