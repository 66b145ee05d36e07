"""Every page in a real browser: no serious fault of accessibility, and what people do on them works."""

import json
from itertools import product
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from browser.house import NARROW, WIDE, Site
from effort import effort
from installation import Record
from returns.commands import sluice
from sluice.exchange.read import list_exchanges
from sluice.rights.store import list_cases
from web.permissions import PAGES, QUERIES, filled, lines

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
NOT_PAGES = ("/assets/{name}", ".pdf", ".svg", "/find", "/file", "/draft", "/{notice_id}")
"""Ends of addresses under the pages that are files, or lead to a page."""
LOOKS = effort((("light", WIDE), ("dark", NARROW)), tuple(product(("light", "dark"), (WIDE, NARROW))))
SERIOUS = frozenset({"serious", "critical"})


def pages(site: Site) -> list[str]:
    """Every page there is: a line of the permission table is enough to be looked at here."""
    every = list_exchanges(site.desk.house.conn)
    [case] = list_cases(site.desk.house.conn)
    values = {"agreement_id": "DPA-ENERGY01", "article": "30.1", "case_id": case.case_id}
    found = []
    for line in lines():
        if line.method != "GET" or not line.address.startswith(PAGES) or line.address.endswith(NOT_PAGES):
            continue
        for exchange in (
            {each.decision: each.id for each in every}.values() if "{exchange_id}" in line.address else [""]
        ):
            whole = {**values, "exchange_id": exchange}
            query = "&".join(f"{n}={filled(v, whole)}" for n, v in QUERIES.get(line.address, {}).items())
            found.append(f"{filled(line.address, whole)}?{query}")
    return [*found, f"{PAGES}/nowhere", f"{PAGES}/exchanges?since=2999-01-01"]


def serious(page: Page) -> list[str]:
    """What axe finds that keeps somebody out."""
    found = Axe().run(page).response["violations"]
    return [f"{page.url} {each['id']} x {len(each['nodes'])}" for each in found if each["impact"] in SERIOUS]


@pytest.mark.evidence
def test_axe_finds_nothing_serious_on_any_page(site: Site, record_property: Record) -> None:
    found, looked = [], 0
    for scheme, viewport in LOOKS:
        context = site.context(scheme, viewport)
        for address in pages(site):
            page = context.new_page()
            page.goto(address)
            found += [f"{scheme} {viewport['width']}: {each}" for each in serious(page)]
            looked += 1
            page.close()
        context.close()
    assert found == []
    record_property("axe: serious faults over every page, light and dark, wide and narrow", f"0 in {looked}")


def test_a_page_with_a_field_without_a_label_is_found(site: Site) -> None:
    context = site.context()
    page = context.new_page()
    page.goto(f"{PAGES}/exchanges")
    page.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend', '<input name=unlabelled>')")
    assert [each for each in serious(page) if " label x 1" in each] != []
    context.close()


def test_an_exchange_is_found_and_its_receipt_verified(site: Site, tmp_path: Path) -> None:
    context = site.context()
    page = context.new_page()
    page.goto(f"{PAGES}/exchanges")
    page.get_by_label("Principal").select_option("gas01")
    page.get_by_role("button", name="Filter").click()
    page.locator("main table a").first.click()
    number = page.url.rpartition("/")[2].partition("?")[0]
    pdf, signed = tmp_path / f"{number}.pdf", tmp_path / f"{number}.json"
    link = page.get_by_role("link", name="PDF").get_attribute("href")
    pdf.write_bytes(context.request.get(str(link)).body())
    signed.write_bytes(context.request.get(f"/sluice/api/v1/exchanges/{number}/receipt.json").body())
    key = tmp_path / "receipt-key.pem"
    key.write_bytes(context.request.get("/sluice/api/v1/exchanges/receipt-key.pem").body())
    context.close()

    checked = sluice("receipt", "verify", str(signed), "--key", str(key), "--pdf", str(pdf)).document
    assert (checked["valid"], checked["pdf_checked"], checked["exchange"]) == (True, True, number)
    assert json.loads(signed.read_bytes())["payload"]
