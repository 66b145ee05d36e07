"""The API server of an installation, asked as any client asks it, and Airflow's own API as its administrator."""

import http.client
import json
import time
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sluice.services import airflow
from support.installation import Stack


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> dict[str, Any]:
        return dict(json.loads(self.text))


@dataclass(frozen=True)
class Server:
    """One Airflow API server."""

    base: str

    def ask(self, method: str, path: str, body: object = None, token: str | None = None, **headers: str) -> Answer:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        said = {"Content-Type": "application/json"} if content is not None else {}
        said |= {"Authorization": f"Bearer {token}"} if token else {}
        with closing(http.client.HTTPConnection(urlsplit(self.base).netloc, timeout=60)) as line:
            line.request(method, path, content, said | given)
            answer = line.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read().decode())

    def login(self, name: str, password: str) -> str:
        answer = self.ask("POST", "/auth/token", {"username": name, "password": password})
        assert answer.status == 201, answer.text
        return str(answer.json["access_token"])


class Api:
    """Airflow's own API, logged in; ``server`` and ``token`` for what is not its own."""

    def __init__(self, stack: Stack) -> None:
        self.server = Server(airflow.address(stack.var))
        self.token = self.server.login("admin", airflow.admin_password(stack.var))

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = self.server.ask(method, f"/api/v2{path}", body, self.token)
        assert answer.status < 300, (path, answer.text)
        return answer.json

    def run(self, dag: str, conf: dict[str, str] | None = None) -> str:
        """Trigger a DAG with what its form asks for; the id of the run."""
        said = {"logical_date": None, "conf": conf or {}}
        return str(self.call("POST", f"/dags/{dag}/dagRuns", said)["dag_run_id"])

    def state(self, dag: str, run: str) -> str | None:
        """How a run ended; None while it has not."""
        found = str(self.call("GET", f"/dags/{dag}/dagRuns/{run}")["state"])
        return found if found in ("success", "failed") else None

    def ended(self, dag: str, *runs: str) -> None:
        """Wait until runs have ended, all of them well."""
        deadline = time.monotonic() + 300
        while None in (states := [self.state(dag, run) for run in runs]):
            assert time.monotonic() < deadline, states
            time.sleep(0.5)
        assert set(states) == {"success"}, states
