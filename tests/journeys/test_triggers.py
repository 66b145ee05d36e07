"""One file, many Airflow runs: triggered at once, cleared, backfilled (S-04)."""

import json
import time
import urllib.request
from typing import Any

import pytest

from sluice.db import connect
from sluice.services.airflow import address, admin_password
from support.installation import Record, Stack

pytestmark = [pytest.mark.journey, pytest.mark.evidence, pytest.mark.timeout(600)]
DAG = "inbound__energy01__renewal_campaign"


class Api:
    """Airflow's own API, logged in."""

    def __init__(self, stack: Stack) -> None:
        self._base = address(stack.var)
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        login = {"username": "admin", "password": admin_password(stack.var)}
        self._token = self._send("POST", "/auth/token", login)["access_token"]

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        return self._send(method, f"/api/v2{path}", body, {"Authorization": f"Bearer {self._token}"})

    def _send(
        self, method: str, path: str, body: dict[str, Any] | None, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        request = urllib.request.Request(
            f"{self._base}{path}",
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Content-Type": "application/json", **(headers or {})},
        )
        with self._opener.open(request, timeout=30) as answer:
            return dict(json.load(answer))


def test_sixteen_runs_a_retry_and_a_backfill_of_one_file_accept_it_once(stack: Stack, record_property: Record) -> None:
    api = Api(stack)
    put = stack.put(stack.campaigns(1)[0])
    runs = [api.call("POST", f"/dags/{DAG}/dagRuns", {"logical_date": None})["dag_run_id"] for _ in range(16)]
    (line,) = stack.wait([put]).values()
    finished = _await(api, runs)
    api.call("POST", f"/dags/{DAG}/clearTaskInstances", {"dry_run": False, "dag_run_id": runs[0], "only_failed": False})
    backfill = {
        "dag_id": DAG,
        "from_date": "2026-10-01T00:00:00Z",
        "to_date": "2026-11-01T00:00:00Z",
        "reprocess_behavior": "completed",
        "run_on_latest_version": True,
    }
    api.call("POST", "/backfills", backfill)
    _await(api, [runs[0]])
    _await_backfill(api)
    with connect(stack.settings) as conn:
        opened = conn.execute("select 1 from exchange where version_id = %s", (put.object.version_id,)).fetchall()
        entries = conn.execute("select 1 from ledger.entry where exchange_id = %s", (line.id,)).fetchall()
    lake = [o for o in stack.objects.list_versions(stack.settings.bucket_lake, "energy01/") if line.id in o.key]
    receipts = [o for o in stack.objects.list_versions(stack.settings.bucket_exchange, "energy01/") if line.id in o.key]
    assert line.decision == "accepted"
    assert (len(opened), len(entries)) == (1, 2)
    assert sorted(o.key.rsplit("/", 1)[-1] for o in lake) == ["_receipt.json", "part-0.parquet"]
    assert sorted(o.key.rsplit(".", 1)[-1] for o in receipts if not o.key.endswith("findings.csv")) == ["json", "pdf"]
    record_property("S-04 one file, 16 runs + retry + backfill", f"{finished} runs succeeded, accepted once")


def _await(api: Api, runs: list[str]) -> int:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        states = [api.call("GET", f"/dags/{DAG}/dagRuns/{run}")["state"] for run in runs]
        if all(state in ("success", "failed") for state in states):
            assert states == ["success"] * len(runs)
            return len(runs)
        time.sleep(1)
    raise AssertionError(f"runs did not finish: {states}")


def _await_backfill(api: Api) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        found = api.call("GET", f"/dags/{DAG}/dagRuns?run_type=backfill")["dag_runs"]
        if found and all(run["state"] == "success" for run in found):
            return
        time.sleep(1)
    raise AssertionError("the backfill did not finish")
