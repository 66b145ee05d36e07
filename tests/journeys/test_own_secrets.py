"""S-13: the secrets that an installation makes for itself are in none of its logs, outputs, pages and errors."""

import json
import subprocess
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, build_opener

import pytest
from psycopg.conninfo import make_conninfo

from sluice.services import airflow
from sluice.services.postgres import find as find_postgres
from support.installation import Record, Stack, environment
from support.own_secrets import secrets_of, told

pytestmark = [pytest.mark.journey, pytest.mark.evidence, pytest.mark.timeout(600)]
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
    address, opener, said = airflow.address(stack.var), build_opener(), {}
    login = json.dumps({"username": "admin", "password": airflow.admin_password(stack.var)}).encode()
    with opener.open(Request(f"{address}/auth/token", login, {"Content-Type": "application/json"})) as answer:
        opener.addheaders = [("Authorization", f"Bearer {json.load(answer)['access_token']}")]
    for path in PAGES:
        try:
            with opener.open(f"{address}{path}") as answer:
                said[path] = answer.read().decode()
        except HTTPError as refused:
            with refused:
                said[path] = f"{refused.code} {refused.read().decode()}"
    assert said["/api/v2/config"].startswith("403"), "its settings are shown to nobody"
    return said


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
