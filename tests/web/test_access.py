"""Who may do what: every route there is, asked by nobody and by each role of Airflow's simple auth manager."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from airflow.api_fastapi.auth.managers.base_auth_manager import COOKIE_NAME_JWT_TOKEN
from airflow.api_fastapi.core_api.security import get_user
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from sluice.web.access import HANDLE, READ, may
from sluice.web.api import make_api
from sluice.web.dsr_model import EXAMPLE
from web.house import BODY, Web

READING = ["/cases", "/cases/{case_id}", "/opendsr/requests/{request_id}", "/openapi.json"]
WRITING = ["/cases", "/cases/{case_id}/withdraw", "/opendsr/requests"]
OPEN_TO_EVERY_LOGIN = {"/openapi.json"}
WITH_TOKEN = {"/answers/{token}"}
"""Opened by a secret in the address and a second word, not by a login (test_answers_http.py)."""
ROLES = {"viewer": (True, False), "user": (True, True), "op": (True, True), "admin": (True, True)}
"""Who may read, and who may write."""


def dependencies(dependant: Dependant) -> list[Callable[..., Any] | None]:
    return [each for child in dependant.dependencies for each in (child.call, *dependencies(child))]


def without_rule(api: FastAPI) -> list[str]:
    """Routes that nobody asks who it is, or what they may."""
    rule = may(READ).__qualname__
    found = []
    for route in api.routes:
        assert isinstance(route, APIRoute), "a mount would bypass the login"
        asked = dependencies(route.dependant)
        is_ruled = route.path in OPEN_TO_EVERY_LOGIN or rule in [getattr(each, "__qualname__", "") for each in asked]
        if route.path not in WITH_TOKEN and (get_user not in asked or not is_ruled):
            found.append(route.path)
    return found


def requests(case: str) -> list[tuple[str, str, object, bool]]:
    """Method, path, body and whether it changes something, for every route of the app."""
    bodies = {"/cases": BODY, "/opendsr/requests": EXAMPLE | {"subject_request_id": str(uuid4())}}
    found: list[tuple[str, str, object, bool]] = []
    for path in READING:
        found.append(("GET", path.format(case_id=case, request_id=uuid4()), None, False))
    for path in WRITING:
        found.append(("POST", path.format(case_id=case), bodies.get(path, {}), True))
    return found


@pytest.mark.slow
def test_every_route_has_a_login_and_a_rule() -> None:
    api = make_api()
    assert without_rule(api) == []
    there = {(method, route.path) for route in api.routes if isinstance(route, APIRoute) for method in route.methods}
    assert there == {("GET", path) for path in {*READING, *WITH_TOKEN}} | {("POST", path) for path in WRITING}


@pytest.mark.slow
def test_a_route_without_a_rule_is_found() -> None:
    api = make_api()
    api.add_api_route("/open", lambda: {})
    assert without_rule(api) == ["/open"]


def test_nobody_gets_anything(web: Web) -> None:
    case = web.open().json()["case"]
    for method, path, body, _ in requests(case):
        for asked in (method, "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"):
            answer = web.as_(None).ask(asked, path, json=body)
            assert answer.status_code == (401 if asked == method else 405), (asked, path)
            assert asked == "HEAD" or answer.json()["code"] == ("SLU-601" if asked == method else "SLU-604")
            assert case not in answer.text
    assert web.as_(None).get("/cases").headers["www-authenticate"] == "Bearer"
    assert len(web.desk.sql("select 1 from subject_case")) == 1


@pytest.mark.parametrize("headers", [{"Authorization": "Bearer x.y.z"}, {"Cookie": f"{COOKIE_NAME_JWT_TOKEN}=x.y.z"}])
def test_what_is_no_token_gets_nothing(web: Web, headers: dict[str, str]) -> None:
    answer = web.as_(None).get("/cases", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "SLU-602"), "as Airflow's own API answers"


@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_what_the_table_says(web: Web, role: str) -> None:
    case = web.open().json()["case"]
    may_read, may_write = ROLES[role]
    for method, path, body, changes in requests(case):
        answer = web.as_(f"{role}01:{role.upper()}").ask(method, path, json=body)
        allowed = may_write if changes else may_read
        assert (answer.status_code != 403) is allowed, path
        assert allowed or answer.json()["code"] == "SLU-602"
    assert HANDLE.on_view == HANDLE.on_runs == "POST"


def test_a_login_without_a_role_may_nothing_but_read_the_document(web: Web) -> None:
    case = web.open().json()["case"]
    answers = {path: web.as_("eve:").ask(method, path, json=body) for method, path, body, _ in requests(case)}
    assert {answer.status_code for path, answer in answers.items() if path != "/openapi.json"} == {403}


@pytest.mark.parametrize("name", ["émile", "-", "a" * 101])
def test_a_name_no_record_can_hold_opens_nothing_and_seals_nothing(web: Web, name: str) -> None:
    answer = web.as_(f"{name}:USER").open()
    assert (answer.status_code, answer.json()["code"]) == (403, "SLU-603")
    assert web.desk.objects(web.desk.settings.bucket_vault) == []
