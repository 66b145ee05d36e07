"""The API as Airflow mounts it, on real stores: logged in the way Airflow's own middleware says who it is."""

import functools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
from airflow.api_fastapi.app import create_auth_manager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.api_fastapi.core_api.security import USER_INJECTED_BY_TRUSTED_MIDDLEWARE
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import HTTPConnection
from starlette.routing import Mount
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from returns.commands import at_terminal
from sluice.web.api import MOUNT, make_api
from sluice.web.pages.app import MOUNT as PAGES_MOUNT
from sluice.web.pages.app import make_pages
from support.desk import Desk

PHONE = "0470123456"
BODY: dict[str, Any] = {
    "right": "erasure",
    "identifiers": [{"kind": "phone", "value": PHONE}],
    "principal": "energy01",
    "received": "2026-11-20",
    "channel": "form",
    "language": "nl",
}


LOGIN = "x-test-login"


class LoggedIn:
    """Sets who is logged in exactly as Airflow's ``JWTRefreshMiddleware`` does; nobody: nothing is set.

    A browser says it with a cookie, as to Airflow: what it downloads has no header of ours.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = HTTPConnection(scope) if scope["type"] == "http" else None
        if asked and (name := asked.headers.get(LOGIN) or asked.cookies.get(LOGIN)):
            username, _, role = unquote(name).partition(":")
            scope.setdefault("state", {}).update(
                user=SimpleAuthManagerUser(username=username, role=role or None),
                user_authenticated_via=USER_INJECTED_BY_TRUSTED_MIDDLEWARE,
            )
        await self.app(scope, receive, send)


@dataclass(frozen=True)
class Web:
    """A client of the API in the installation of a desk. An exception that gets out fails the test."""

    desk: Desk
    client: TestClient
    api: FastAPI
    headers: Mapping[str, str] = field(default_factory=dict)
    mount: str = MOUNT

    def as_(self, login: str | None) -> "Web":
        """Somebody else, ``name:ROLE``; None: nobody."""
        return replace(self, headers={LOGIN: quote(login)} if login else {})

    def ask(self, method: str, path: str, **more: Any) -> Any:
        headers = {**self.headers, **more.pop("headers", {})}
        return self.client.request(method, f"{self.mount}{path}", headers=headers, **more)

    def get(self, path: str, **more: Any) -> Any:
        return self.ask("GET", path, **more)

    def post(self, path: str, json: object = None, **more: Any) -> Any:
        return self.ask("POST", path, json=json, **more)

    def open(self, key: str | None = None, **changes: Any) -> Any:
        headers = {"Idempotency-Key": key} if key else {}
        return self.post("/cases", {**BODY, **changes}, headers=headers)


@contextmanager
def open_web(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, api: FastAPI | None = None, mount: str = MOUNT
) -> Iterator[Web]:
    """The API, or another app, mounted where Airflow mounts it, with Airflow's simple auth manager."""
    app = api or usual_api()
    with open_apps(desk, monkeypatch, {mount: app}) as client:
        yield Web(desk, client, app, mount=mount).as_("anna:USER")


usual_api, usual_pages = functools.cache(make_api), functools.cache(make_pages)
"""Made once: no test changes these."""


@contextmanager
def open_pages(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """Anna at the pages."""
    with open_web(desk, monkeypatch, usual_pages(), PAGES_MOUNT) as opened:
        yield opened


@contextmanager
def open_apps(desk: Desk, monkeypatch: pytest.MonkeyPatch, apps: Mapping[str, FastAPI]) -> Iterator[TestClient]:
    """Apps by where they are mounted, behind Airflow's simple auth manager, in the installation of a desk."""
    create_auth_manager()
    whole = LoggedIn(Starlette(routes=[Mount(mount, app) for mount, app in apps.items()]))
    with at_terminal(desk, monkeypatch), TestClient(whole) as client:
        yield client


def running_apps() -> dict[str, FastAPI]:
    """Every app that the plugin gives to Airflow, by where it is mounted."""
    path = Path(__file__).resolve().parents[2] / "plugins" / "sluice_plugin.py"
    spec = spec_from_file_location("sluice_plugin", path)
    assert spec and spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return {each["url_prefix"]: each["app"] for each in module.SluicePlugin().fastapi_apps}
