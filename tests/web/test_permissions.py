"""The permission table against the running apps: every address, every role, every method, every way to write it."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from fastapi import FastAPI
from fastapi.dependencies.utils import get_flat_dependant
from fastapi.routing import APIRoute

from sluice.web.pages.forms import make_token
from support.effort import chosen
from support.installation import Record
from web.house import Web, open_apps, running_apps
from web.permissions import (
    BODIES,
    LINK,
    NOT_THERE,
    PAGES,
    QUERIES,
    ROLES,
    Line,
    filled,
    lines,
    not_as_said,
    values_of,
)

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
LOGINS = {"nobody": None, **{role: f"{role}01:{role.upper()}" for role in ROLES[1:]}, "no role": "eve:"}
ENDS = ("nobody", "no role", "viewer", "admin")
"""Of the logins: those that may least, and the one that may most."""
SOME = 5
CLOSED = frozenset({401, 403, 404, 405, 413, 415, 422})


def ways(address: str) -> Iterator[str]:
    """Other spellings of an address, that a guard which looks at text would miss."""
    head, _, last = address.rpartition("/")
    yield f"{address}/"
    yield f"{head}//{last}"
    yield f"{head}/./{last}"
    yield f"{head}/%2e/{last}"
    yield f"{head}/x/..%2f{last}"
    yield f"{head}%2f{last}"
    yield f"{head}/{last};x=1"
    yield f"{head}/{last}%00"
    yield f"{head}/{last}%20"
    yield f"{head}/{last.upper()}x"
    yield f"{head}/{''.join(f'%{ord(sign):02x}' for sign in last)}"
    yield f"/{address.lstrip('/')}?_method=GET&method=GET"


@dataclass(frozen=True)
class Trial:
    """Asks every line in every way, and tells what was not as the table says."""

    web: Web
    table: list[Line]
    values: Mapping[str, str]
    answers: Counter[int]

    def ask(self, login: str, method: str, line: Line, address: str) -> Any:
        body = BODIES.get(line.address, dict)() if method in ("POST", "PUT", "PATCH") else None
        query = {name: filled(value, self.values) for name, value in QUERIES.get(line.address, {}).items()}
        params = query if "?" not in address else None
        is_form = line.address.startswith(PAGES) and method in ("POST", "PUT", "PATCH")
        form = _form(login) if is_form else {"json": body}
        answer = self.web.as_(LOGINS[login]).ask(method, address, params=params, follow_redirects=False, **form)
        self.answers[answer.status_code] += 1
        return answer

    def as_written(self) -> Iterator[str]:
        """Each address with each role; in `make test` of a part: which rule a route asks for is looked at in all."""
        for line in chosen(self.table, 24):
            for login in LOGINS:
                answer = self.ask(login, line.method, line, filled(line.address, self.values))
                if not _is_right(answer, line, login):
                    yield f"{line.method} {line.address} as {login}: {answer.status_code}"

    def in_other_methods(self) -> Iterator[str]:
        """A method that no line names is no way in, for nobody and for no role; at some lines in `make test`."""
        named: dict[str, set[str]] = {}
        for line in self.table:
            named.setdefault(line.address, set()).add(line.method)
        for line in chosen(self.table, SOME):
            for method in METHODS:
                if method in named[line.address]:
                    continue
                for login in LOGINS:
                    answer = self.ask(login, method, line, filled(line.address, self.values))
                    if answer.status_code not in (404, 405):
                        yield f"{method} {line.address} as {login}: {answer.status_code}"

    def in_other_spellings(self) -> Iterator[str]:
        """Who may not, may not under another spelling; nothing breaks for who may."""
        for line in chosen(self.table, SOME):
            for address in ways(filled(line.address, self.values)):
                for login in ENDS:
                    answer = self.ask(login, line.method, line, address)
                    if answer.status_code >= 500 or (
                        not line.may.get(login, False) and answer.status_code not in CLOSED and line.view != "-"
                    ):
                        yield f"{line.method} {address} as {login}: {answer.status_code}"


def _form(login: str) -> dict[str, Any]:
    """A form of a page of ours for this login, with nothing in it but its token."""
    name, _, role = (LOGINS[login] or ":").partition(":")
    token = make_token(SimpleAuthManagerUser(username=name, role=role or None))
    return {"data": {"token": token}, "headers": {"Sec-Fetch-Site": "same-origin"}}


def _is_right(answer: Any, line: Line, login: str) -> bool:
    """Whether a role got what its line says: an answer, or nothing but why not."""
    if line.asks == LINK:
        return bool(answer.status_code == 401)
    if line.view == "-" and login != "nobody":
        return bool(answer.status_code == 200)
    if line.may.get(login, False) and line.address.startswith(NOT_THERE):
        return answer.status_code in (200, 303, 404, 409, 422)  # 303: to where it went
    if line.may.get(login, False):
        return answer.status_code < 400 if line.method == "GET" else answer.status_code not in (401, 403)
    status, code = (401, "SLU-601") if login == "nobody" else (403, "SLU-602")
    return answer.status_code == status and code in answer.text


def tried(
    web: Web, apps: Mapping[str, FastAPI], monkeypatch: pytest.MonkeyPatch, table: list[Line], in_all_ways: bool = False
) -> Trial:
    values = values_of(web)
    with open_apps(web.desk, monkeypatch, apps) as client:
        trial = Trial(replace(web, client=client, mount=""), table, values, Counter())
        others = (trial.in_other_methods, trial.in_other_spellings) if in_all_ways else ()
        wrong = [*trial.as_written(), *(each for tell in others for each in tell())]
    assert wrong == [], "\n".join(wrong)
    return trial


def test_every_route_of_the_plugin_has_its_line_and_asks_for_what_it_says() -> None:
    assert not_as_said(running_apps(), lines()) == []


def test_a_form_sent_empty_is_no_fault_of_ours(town_api: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    values, asked = values_of(town_api), 0
    with open_apps(town_api.desk, monkeypatch, running_apps()) as client:
        web = replace(town_api, client=client, mount="").as_(LOGINS["admin"])
        for mount, app in running_apps().items():
            for route in (each for each in app.routes if isinstance(each, APIRoute) and "GET" in each.methods):
                names = [each.alias for each in get_flat_dependant(route.dependant).query_params]
                for name in names:
                    answer = web.get(filled(f"{mount}{route.path}", values), params={name: ""})
                    assert answer.status_code < 500, (route.path, name)
                    asked += 1
    assert asked > 50


@pytest.mark.evidence
@pytest.mark.timeout(600)
def test_every_address_answers_every_role_as_the_table_says(
    town_api: Web, monkeypatch: pytest.MonkeyPatch, record_property: Record
) -> None:
    table = lines()
    trial = tried(town_api, running_apps(), monkeypatch, table, in_all_ways=True)
    record_property(
        "permission table: exceptions, over every address x role x method x spelling",
        f"0 of {trial.answers.total()} requests to {len(table)} lines as {len(LOGINS)} logins",
    )


def test_a_route_that_asks_nobody_is_found(town_api: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    apps = running_apps()
    mount = next(iter(apps))
    apps[mount].add_api_route("/left-open", lambda: {})
    apps[mount].mount("/files", FastAPI())
    claimed = Line("GET", f"{mount}/left-open", "GET", "sluice.cases", "case_clock", lines()[0].may)

    assert not_as_said(apps, lines()) == [f"no line: * {mount}/files", f"no line: GET {mount}/left-open"]
    assert f"not as its line says: GET {mount}/left-open" in not_as_said(apps, [*lines(), claimed])
    with pytest.raises(AssertionError, match="left-open as nobody: 200"):
        tried(town_api, apps, monkeypatch, [claimed])


def test_a_line_that_says_too_much_or_too_little_is_found(town_api: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    writing = next(line for line in lines() if line.method == "POST")
    for role, allowed in (("viewer", True), ("user", False)):
        changed = replace(writing, may={**writing.may, role: allowed})
        with pytest.raises(AssertionError, match=f"as {role}:"):
            tried(town_api, running_apps(), monkeypatch, [changed])
    gone = [line for line in lines() if line != writing]
    assert not_as_said(running_apps(), gone) == [f"no line: POST {writing.address}"]
    assert not_as_said(running_apps(), [*lines(), replace(writing, address="/gone")]) == ["no route: POST /gone"]
