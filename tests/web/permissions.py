"""The permission table of ``docs/reference/permissions.md``, and what it takes to try every line of it.

A new address needs a line there; one with a parameter in its address a value in ``values_of``; one that needs a
query or a body to be answered well, that too.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from airflow.api_fastapi.core_api.security import get_user
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from sluice.exchange.read import list_exchanges
from sluice.web.access import Rule
from sluice.web.dsr_model import EXAMPLE
from sluice.web.pages.assets import table as assets
from sluice.web.read_model import AGENT_EXAMPLE, OBJECT_EXAMPLE
from web.house import BODY, Web

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "permissions.md"
ROLES = ("nobody", "viewer", "user", "op", "admin")
ANY_LOGIN, LINK = "any login", "link"
API, PAGES = "/sluice/api/v1", "/sluice/pages"
PARAMETER = re.compile(r"\{(\w+)\}")

QUERIES: Mapping[str, Mapping[str, str]] = {
    f"{API}/clock/due": {"received": "2026-03-05"},
    f"{API}/agreements/{{agreement_id}}/roles": {"direction": "inbound"},
    f"{API}/agreements/{{agreement_id}}/comparison": {"left": "2.4.0", "right": "3.0.0"},
    f"{PAGES}/exchanges/find": {"number": "{exchange_id}"},
    f"{PAGES}/lineage/find": {"number": "{exchange_id}"},
    f"{PAGES}/breach": {"exchange": "{exchange_id}"},
    f"{PAGES}/breach/draft": {"exchange": "{exchange_id}", "draft": "controller", "principal": "{principal}"},
    f"{PAGES}/registers/{{article}}/file": {"form": "csv"},
}
"""What an address cannot be asked without."""
NOT_THERE = (
    *(f"{PAGES}/waiting/{each}/{{" for each in ("acknowledgements", "notices", "returns", "reviews")),
    f"{PAGES}/lineage/person/{{case_id}}/picture.svg",
    f"{PAGES}/cases/{{case_id}}/candidates",
)
"""Nothing waits in this installation, nor does a case, and who it is about is in no exchange: who may see that is told
so."""
BODIES: Mapping[str, Callable[[], Mapping[str, Any]]] = {
    f"{API}/cases": lambda: BODY,
    f"{API}/opendsr/requests": lambda: EXAMPLE | {"subject_request_id": str(uuid4())},
    f"{API}/breach/agents": lambda: AGENT_EXAMPLE,
    f"{API}/breach/objects": lambda: OBJECT_EXAMPLE,
}
"""A body that would be followed; without one an empty body is sent, which a role that may is told to mend."""


@dataclass(frozen=True)
class Line:
    """One line of the table."""

    method: str
    address: str
    asks: str
    view: str
    dag: str
    may: Mapping[str, bool]

    @property
    def rules(self) -> tuple[tuple[str, str, str], ...]:
        """What must hold, all of it: views and DAGs stand in one order."""
        if self.asks in (ANY_LOGIN, LINK):
            return ()
        pairs = zip(self.view.split(" + "), self.dag.split(" + "), strict=True)
        return tuple(sorted((self.asks, view, dag) for view, dag in pairs))


def lines() -> list[Line]:
    """The table as it stands in the page."""
    found = []
    for text in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in text.strip("|").split("|")]
        if text.startswith("| ") and cells[0].isupper():
            may = {role: {"yes": True, "no": False}[word] for role, word in zip(ROLES, cells[5:], strict=True)}
            found.append(Line(*cells[:5], may))
    return found


@dataclass(frozen=True)
class Found:
    """One route of a running app. ``rules``: what it asks for; None: it is no route of ours to look into."""

    method: str
    address: str
    has_login: bool
    rules: tuple[tuple[str, str, str], ...] | None


def routes(apps: Mapping[str, FastAPI]) -> Iterator[Found]:
    """Every route there is, a mount or one without a rule among them."""
    for mount, app in apps.items():
        for route in app.routes:
            if not isinstance(route, APIRoute):
                yield Found("*", f"{mount}{getattr(route, 'path', '?')}", False, None)
                continue
            asked = [each for each in dependencies(route.dependant) if each]
            rules = {(r.permission.on_view, r.view, r.dag) for r in asked if isinstance(r, Rule)}
            assert all(r.permission.on_view == r.permission.on_runs for r in asked if isinstance(r, Rule))
            for method in route.methods:
                yield Found(method, f"{mount}{route.path}", get_user in asked, tuple(sorted(rules)))


def dependencies(dependant: Dependant) -> list[Callable[..., Any] | None]:
    return [each for child in dependant.dependencies for each in (child.call, *dependencies(child))]


def not_as_said(apps: Mapping[str, FastAPI], table: list[Line]) -> list[str]:
    """Routes without a line, lines without a route, and routes that ask for something else than their line says."""
    said = {(line.method, line.address): line for line in table}
    found = {(route.method, route.address): route for route in routes(apps)}
    wrong = [f"no line: {' '.join(key)}" for key in sorted(found.keys() - said.keys())]
    wrong += [f"no route: {' '.join(key)}" for key in sorted(said.keys() - found.keys())]
    wrong += [f"twice: {line.address}" for line in table if said[line.method, line.address] is not line]
    for key in sorted(found.keys() & said.keys()):
        line, route = said[key], found[key]
        if (route.has_login, route.rules) != (line.asks != LINK, line.rules):
            wrong.append(f"not as its line says: {' '.join(key)}")
    return wrong


def values_of(web: Web) -> dict[str, str]:
    """A value for every parameter of an address, of a thing that is there."""
    case = web.open().json()["case"]
    request = EXAMPLE | {"subject_request_id": str(uuid4())}
    assert web.post("/opendsr/requests", request).status_code == 201
    closed = next(line for line in list_exchanges(web.desk.house.conn) if line.decision == "accepted")
    return {
        "case_id": case,
        "request_id": str(request["subject_request_id"]),
        "exchange_id": closed.id,
        "principal": closed.principal,
        "agreement_id": "DPA-ENERGY01",
        "article": "30.2",
        "name": assets()["sluice.css"].name,
        "token": "a-token-that-nobody-gave",
        "notice_id": str(uuid4()),
    }


def filled(text: str, values: Mapping[str, str]) -> str:
    """An address with values in the place of its parameters."""
    return PARAMETER.sub(lambda name: values[name[1]], text)
