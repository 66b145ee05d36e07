"""Whatever schemathesis makes of the OpenAPI document, every answer is one that the document foresees; never a 5xx."""

from collections import Counter
from dataclasses import asdict
from datetime import date
from typing import Any

import pytest
import schemathesis
from fastapi.responses import JSONResponse
from hypothesis import HealthCheck, assume, given, settings
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.python.asgi import get_client
from schemathesis.specs.openapi.checks import positive_data_acceptance
from starlette.types import ASGIApp, Receive, Scope, Send

from sluice.rights.case.clock import DueDates
from sluice.web.api import make_api
from sluice.web.read_model import DueShown
from support.effort import chosen, effort
from support.installation import Record
from web.house import Web, open_web

pytestmark = pytest.mark.slow
EXAMPLES = effort(10, 1_000)
EVERY = settings(
    max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
TOKEN = {"Authorization": "Bearer of-anna"}
REFUSALS = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 428, 429]
"""What refuses bad data: schemathesis's own list without 5xx, and 413, for a body too large to be read."""
CONFIG = schemathesis.Config.from_dict({"checks": {"negative_data_rejection": {"expected-statuses": REFUSALS}}})
UNSAID = frozenset({"no_cursor", "not_after_since", "marketing_without_objection", "another_right"})
"""Faults that no schema can say: a word we never gave, two fields that do not fit each other."""


class ByToken:
    """One token is Anna's, so that leaving the token out, or changing it, is what it is to Airflow."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            own = (b"authorization", TOKEN["Authorization"].encode())
            given = [(b"x-test-login", b"anna%3AUSER") if each == own else each for each in scope["headers"]]
            scope = {**scope, "headers": given}
        await self.app(scope, receive, send)


def misread(case: Any, answer: Any) -> list[str]:
    """Faults of form that an answer names in a request which the document calls good."""
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE or answer.status_code != 422:
        return []
    problem = answer.json()
    return [each["reason"] for each in problem.get("errors", []) if each["reason"] not in UNSAID]


def findings(web: Web) -> tuple[list[str], Counter[int]]:
    """What schemathesis finds at every operation, each once; and how many answers of which status there were."""
    app = ByToken(web.client.app)
    schema = schemathesis.openapi.from_asgi(f"{web.mount}/openapi.json", app, config=CONFIG, headers=TOKEN)
    found: list[str] = []
    answers: Counter[int] = Counter()
    with get_client(app) as session:
        for operation in chosen([each.ok() for each in schema.get_all_operations()], 6):
            strategy = operation.as_strategy() | operation.as_strategy(GenerationMode.NEGATIVE)

            @EVERY
            @given(case=strategy)
            def ask(case: Any) -> None:
                assume("%0A" not in case.formatted_path)  # no address of a mount, so Airflow's own app answers
                answer = case.call(session=session, headers=TOKEN)
                answers[answer.status_code] += 1
                case.validate_response(answer, headers=TOKEN, excluded_checks=[positive_data_acceptance])
                assert misread(case, answer) == [], case.as_curl_command()

            try:
                ask()
            except (FailureGroup, AssertionError) as error:
                each = error.exceptions if isinstance(error, FailureGroup) else [error]
                found += [f"{operation.label}: {failure}" for failure in each]
    return found, answers


@pytest.mark.evidence
@pytest.mark.timeout(7200)
def test_schemathesis_finds_nothing(town_api: Web, record_property: Record) -> None:
    found, answers = findings(town_api)
    assert not found, "\n".join(found)
    told = ", ".join(f"{status} x {count}" for status, count in sorted(answers.items()))
    record_property(
        "schemathesis: findings over every operation of the API", f"0 in {answers.total()} answers ({told})"
    )


def test_a_failure_that_only_some_requests_meet_is_found(town_api: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    api = make_api()

    @api.get("/broken", response_model=DueShown)
    def broken(number: int) -> dict[str, date]:
        day = date(2026, 1, 1)
        return asdict(DueDates(day, day, day, date(2026 + number, 1, 1)))

    with open_web(town_api.desk, monkeypatch, api) as web:
        web.get("/openapi.json")
        assert api.openapi_schema
        api.openapi_schema["paths"] = {"/broken": api.openapi_schema["paths"]["/broken"]}
        found, _ = findings(web)
    assert [each for each in found if "Server error" in each] != []


def test_a_document_that_promises_too_much_is_found(town_api: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    api = make_api()
    api.add_api_route("/unlike", lambda: JSONResponse({"received": "2026-01-01"}), response_model=DueShown)
    with open_web(town_api.desk, monkeypatch, api) as web:
        web.get("/openapi.json")
        assert api.openapi_schema
        paths = api.openapi_schema["paths"]
        api.openapi_schema["paths"] = {path: paths[path] for path in ("/clock/due", "/unlike")}
        paths["/clock/due"]["get"]["parameters"][0]["schema"] = {"type": "string"}
        found, _ = findings(web)
    assert [each for each in found if each.startswith("GET /clock/due") and "date_or_moment" in each] != []
    assert [each for each in found if each.startswith("GET /unlike") and "schema" in each] != []
