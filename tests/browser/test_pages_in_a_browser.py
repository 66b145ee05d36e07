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
from web.permissions import PAGES, PARAMETER, QUERIES, filled, lines

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
NOT_PAGES = ("/assets/{name}", ".pdf", ".svg", "/find", "/file", "/draft")
"""Ends of addresses under the pages that are files, or lead to a page."""
LOOKS = effort((("light", WIDE), ("dark", NARROW)), tuple(product(("light", "dark"), (WIDE, NARROW))))
SERIOUS = frozenset({"serious", "critical"})


WAITING = {
    "returns": "select exchange_id::text as id from exchange where prepared_at is not null and released_at is null",
    "acknowledgements": "select exchange_id::text as id from acknowledgement",
    "reviews": "select exchange_id::text as id from exchange where rows_to_review > 0",
    "notices": "select notice_id::text as id from notice where state = 'OWED'",
}
"""What waits, by the address of its page."""


def pages(site: Site) -> dict[str, tuple[int, bool]]:
    """Every page there is: a line of the permission table is enough to be looked at here.

    With its status, and whether there is nothing to be seen on it.
    """
    kinds = {line.decision: line.id for line in list_exchanges(site.desk.house.conn)}
    cases = {case.right: case.case_id for case in list_cases(site.desk.house.conn)}
    usual = {"agreement_id": "DPA-ENERGY01", "article": "30.1", "exchange_id": kinds["accepted"]}
    found = {}
    for line in lines():
        if line.method != "GET" or not line.address.startswith(PAGES) or line.address.endswith(NOT_PAGES):
            continue
        [name] = PARAMETER.findall(line.address) or [""]
        if line.address.startswith(f"{PAGES}/waiting/") and name:
            [*values] = (str(row["id"]) for row in site.desk.sql(WAITING[line.address.split("/")[4]]))
        else:
            values = {"exchange_id": [*kinds.values()], "case_id": [*cases.values()]}.get(name, [usual.get(name, "")])
        assert values, line.address
        for value in values:
            whole = usual | {name: value}
            query = "&".join(f"{n}={filled(v, whole)}" for n, v in QUERIES.get(line.address, {}).items())
            is_empty = line.address.startswith(f"{PAGES}/lineage/") and value == kinds["open"]
            found[f"{filled(line.address, whole)}?{query}"] = 200, is_empty
    return found | {f"{PAGES}/exchanges?since=2199-01-01": (200, True), f"{PAGES}/nowhere": (404, False)}


def serious(page: Page) -> list[str]:
    """What axe finds that keeps somebody out."""
    found = Axe().run(page).response["violations"]
    return [f"{page.url} {each['id']} x {len(each['nodes'])}" for each in found if each["impact"] in SERIOUS]


@pytest.mark.evidence
def test_axe_finds_nothing_serious_on_any_page(site: Site, record_property: Record) -> None:
    found, looked, addresses = [], 0, pages(site)
    assert len(addresses) > 40
    for scheme, viewport in LOOKS:
        context = site.context(scheme, viewport)
        for address, (status, is_empty) in addresses.items():
            page = context.new_page()
            answer = page.goto(address)
            assert answer is not None and answer.status == status, address
            assert page.locator(".card.empty").count() == is_empty, address
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
    page.get_by_label("Principal").select_option("energy01")
    page.get_by_label("Verdict").select_option("accepted")
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
