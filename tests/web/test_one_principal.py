"""What is narrowed to one principal, or is about one of its exchanges, has nothing of another in it."""

import base64
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from html import unescape
from typing import Any

import pypdf
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from rights.town import Town
from sluice.exchange.read import list_exchanges
from support.installation import Record
from web.house import Web, open_apps, running_apps
from web.permissions import NOT_THERE, QUERIES, filled
from web.town import NAMES

MENU = re.compile(r"<select.*?</select>", re.DOTALL)
"""What a page can be narrowed to: the names of all principals, and nothing else of them."""


def narrowed(apps: Mapping[str, FastAPI]) -> Iterator[str]:
    """Every address that is about one exchange, and every other one that takes a principal, found in the apps."""
    for mount, app in apps.items():
        for route in app.routes:
            if not isinstance(route, APIRoute):
                continue
            takes = any(each.alias == "principal" for each in route.dependant.query_params)
            if "GET" in route.methods and (takes or "{exchange_id}" in route.path):
                yield f"{mount}{route.path}"


def marks(place: Town, principal: str) -> set[str]:
    """What only this principal can have: its names, its exchanges, its numbers of customers; and phones of nobody."""
    ids = {line.id for line in list_exchanges(place.house.conn, principal=principal)}
    persons = {value for person in place.people for value in (person.record(principal), person.phone)}
    return {principal, f"DPA-{principal.upper()}", principal.title()} | ids | persons


def words_of(answer: Any) -> str:
    """Everything an answer says: of a PDF its text, of a signed receipt what was signed."""
    kind = answer.headers["content-type"].partition(";")[0]
    if kind == "application/pdf":
        return "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(answer.content)).pages)
    if kind == "application/jose+json":
        payload = answer.json()["payload"]
        return base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).decode()
    return MENU.sub("", unescape(answer.text))


def of_another(place: Town, web: Web, apps: Mapping[str, FastAPI]) -> tuple[list[str], int]:
    """Addresses whose answer holds a mark of the other principal; and how many answers were read."""
    found, read = [], 0
    for address in narrowed(apps):
        for own, other in (NAMES, NAMES[::-1]):
            lines = list_exchanges(place.house.conn, principal=own)
            is_one = "{exchange_id}" in address
            for exchange in [line.id for line in lines if line.decision == "accepted"] if is_one else [""]:
                values = {"exchange_id": exchange or lines[-1].id, "principal": own}
                query = {name: filled(value, values) for name, value in QUERIES.get(address, {}).items()}
                answer = web.get(filled(address, values), params=query | ({} if is_one else {"principal": own}))
                if answer.status_code == 404 and address.startswith(NOT_THERE):
                    continue
                assert answer.status_code == 200, (address, answer.status_code)
                said, read = words_of(answer), read + 1
                found += [f"{address} of {own}" for each in marks(place, other) if each in said][:1]
    return found, read


@pytest.mark.evidence
def test_what_is_of_one_principal_has_nothing_of_another(
    place: Town, town_api: Web, monkeypatch: pytest.MonkeyPatch, record_property: Record
) -> None:
    one = place.people[1]
    assert town_api.open(identifiers=[{"kind": "customer", "value": one.record("energy01")}]).status_code == 201
    apps = running_apps()
    with open_apps(place.desk, monkeypatch, apps) as client:
        found, read = of_another(place, replace(town_api, client=client, mount=""), apps)
    assert found == [] and read > 20
    record_property("answers about one principal with anything of another in them", f"0 of {read}")


def test_an_answer_that_is_not_narrowed_is_found(place: Town, town_api: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    app = FastAPI()

    @app.get("/every")
    def every(principal: str) -> list[str]:
        return [line.id for line in list_exchanges(place.house.conn)]

    with open_apps(place.desk, monkeypatch, {"/leaky": app}) as client:
        found, _ = of_another(place, replace(town_api, client=client, mount=""), {"/leaky": app})
    assert found == ["/leaky/every of energy01", "/leaky/every of gas01"]
