"""The bar on top: what a login may open stands there, and nothing else does."""

import re

import pytest
from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager

from sluice.web.pages.app import MOUNT
from sluice.web.pages.bar import PLACES
from web.house import Web
from web.permissions import PAGES, lines

ENTRY = re.compile(rf'<a href="{MOUNT}/(\w+)[^"]*"')
VIEWS = ("sluice.exchanges", "sluice.cases", "sluice.registers", "sluice.staff", "sluice.breach")


@pytest.fixture
def pages(town_pages: Web) -> Web:
    return town_pages


def bar(text: str) -> set[str]:
    return set(ENTRY.findall(text.partition("<nav")[2].partition("</nav>")[0]))


def test_every_entry_asks_for_what_its_page_asks_for() -> None:
    table = {line.address: line.rules for line in lines() if line.method == "GET"}
    for place, rule in PLACES.items():
        assert table[f"{PAGES}/{place}"] == ((rule.permission.on_view, rule.view, rule.dag),), place


@pytest.mark.stores
def test_nobody_sees_an_entry_that_does_not_open_or_misses_one_that_does(
    pages: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "breach" not in bar(pages.get("/start").text), "a viewer handles nothing"
    pages = pages.as_("anna:USER")
    for area in VIEWS:
        monkeypatch.setattr(
            SimpleAuthManager,
            "is_authorized_custom_view",
            lambda self, *, resource_name, area=area, **_: resource_name == area,
        )
        answers = {place: pages.get(f"/{place}") for place in PLACES}
        opened = {place for place, answer in answers.items() if answer.status_code == 200}
        assert 0 < len(opened) < len(PLACES), area
        for place, answer in answers.items():
            assert bar(answer.text) == opened, (area, place)
        assert bar(pages.get("/nowhere").text) == opened


@pytest.mark.stores
def test_an_auth_manager_that_breaks_is_told_by_a_page_without_entries(
    pages: Web, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(*_: object, **__: object) -> bool:
        raise RuntimeError("0475 12 34 56")

    healthy = pages.get("/start")
    monkeypatch.setattr(SimpleAuthManager, "is_authorized_custom_view", breaks)
    for path, status in (("/start", 500), ("/nowhere", 404)):
        answer = pages.get(path)
        assert answer.status_code == status and "SLU-" in answer.text and bar(answer.text) == set(), path
        assert answer.headers["content-security-policy"] == healthy.headers["content-security-policy"]
        assert "0475" not in answer.text
    assert "SLU-000" in caplog.text and "0475" not in caplog.text


@pytest.mark.stores
def test_who_is_not_logged_in_sees_no_entry(pages: Web) -> None:
    for path in ("/start", "/nowhere"):
        assert bar(pages.as_(None).get(path).text) == set()
    assert bar(pages.get("/nowhere").text) >= {"start", "agreements"}
