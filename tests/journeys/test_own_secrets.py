"""What an installation tells: none of its own secrets (S-13), and of lineage what the official schemas allow."""

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from psycopg.conninfo import make_conninfo

from journeys.door import Api
from sluice.services.postgres import find as find_postgres
from support.installation import Record, Stack, environment, secrets_of, told
from support.official import validator

pytestmark = [pytest.mark.journey, pytest.mark.evidence, pytest.mark.timeout(600)]
PERSONAL = ("last_name", "email", "phone", "customer_number", "street")
PAGES = ("/api/v2/config", "/api/v2/connections", "/api/v2/variables", "/api/v2/plugins", "/api/v2/version")


def in_logs(var: Path, names: dict[str, str]) -> dict[str, set[str]]:
    """Log -> the secrets that it tells. ``names``: of each secret."""
    logs = [path for path in (var / "logs").rglob("*") if path.is_file()]
    assert len(logs) > 10
    found = {path.relative_to(var).as_posix(): told(path.read_bytes(), names) for path in logs}
    return {path: {names[value] for value in values} for path, values in found.items() if values}


def outputs(stack: Stack) -> dict[str, str]:
    """What commands say: of their settings, and of a database that is not there, by an address with its password."""
    postgres = find_postgres(stack.var)
    assert postgres is not None
    wrong = [make_conninfo(postgres.app_url, port=1), make_conninfo(postgres.app_url, dbname="none"), "host=x ="]
    said = {words: stack.sluice(*words.split()) for words in ("doctor", "doctor --format json", "status", "keys list")}
    for number, address in enumerate(wrong):
        command = [sys.executable, "-m", "sluice.cli.main", "ledger", "verify"]
        env = environment(stack.var) | {"SLUICE_DATABASE_URL": address}
        said[f"verify {number}"] = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        assert said[f"verify {number}"].returncode > 1
    return {words: done.stdout + done.stderr for words, done in said.items()}


def pages(stack: Stack) -> dict[str, str]:
    """What Airflow's API says of itself to its administrator."""
    api = Api(stack)
    answers = {path: api.server.ask("GET", path, token=api.token) for path in PAGES}
    assert answers["/api/v2/config"].status == 403, "its settings are shown to nobody"
    return {path: answer.text for path, answer in answers.items()}


def test_no_secret_of_the_installation_is_told(stack: Stack, record_property: Record) -> None:
    stack.wait([stack.put(path) for path in stack.campaigns(1)])
    names = {value: name for name, value in secrets_of(stack.var).items()}
    said = outputs(stack) | pages(stack)

    assert len(names) > 12 and {"master.key", "postgres-sluice", "signing.pem"} <= set(names.values())
    assert {place: {names[value] for value in told(text.encode(), names)} for place, text in said.items()} == {
        place: set() for place in said
    }
    assert in_logs(stack.var, names) == {}
    planted = stack.var / "logs" / "planted.log"
    planted.write_text("".join(f"connected with {value}\n" for value in names))
    assert in_logs(stack.var, names) == {"logs/planted.log": set(names.values())}, "the control: each is found"
    planted.unlink()
    logs = sum(path.is_file() for path in (stack.var / "logs").rglob("*"))
    record_property(
        "secrets of an installation (S-13)",
        f"{len(names)} of its own: 0 in {logs} logs, {len(PAGES)} pages of Airflow, {len(said) - len(PAGES)} outputs",
    )


def test_every_event_is_valid_and_none_holds_a_value(stack: Stack, schemas: Path, record_property: Record) -> None:
    path = stack.campaigns(1, rows=500)[0]
    (line,) = stack.wait([stack.put(path)]).values()
    events = (stack.var / "lineage" / "events.ndjson").read_text().splitlines()
    validate = validator(schemas)
    facets = sum(map(validate, events))
    mine = [event for event in events if json.loads(event)["run"]["runId"] == line.id]
    sent = pl.read_csv(path, separator=";", infer_schema=False)
    values = {value for name in PERSONAL for value in sent[name].drop_nulls() if len(value) > 4}
    assert [json.loads(event)["eventType"] for event in mine] == ["START", "COMPLETE"]
    assert [value for value in values if any(value in event for event in events)] == []
    assert any(value in path.read_text() for value in values)  # the control: they can be found
    record_property(
        "OpenLineage events valid by the official schemas", f"{len(events)} of {len(events)}, {facets} facets"
    )
