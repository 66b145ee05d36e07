"""Every page in a real browser has no serious fault of accessibility, and fits on a telephone."""

import pytest

from browser.house import NARROW, Site
from browser.looking import LOOKS, in_looks, serious
from browser.pages import line_of, pages
from sluice.rights.case.store import list_cases
from support.installation import Record
from web.permissions import PAGES

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.mark.evidence
def test_axe_finds_nothing_serious_on_any_page(site: Site, record_property: Record) -> None:
    found, addresses = [], pages(site)
    assert len(addresses) > 40
    context = site.context()
    for address, (status, is_empty) in addresses.items():
        page = context.new_page()
        answer = page.goto(address)
        assert answer is not None and answer.status == status, address
        assert page.locator(".card.empty").count() == is_empty, address
        found += in_looks(page)
        page.close()
    context.close()
    assert found == []
    looked = len(addresses) * len(LOOKS)
    record_property("axe: serious faults over every page, light and dark, wide and narrow", f"0 in {looked}")


def test_a_page_with_a_field_without_a_label_is_found(site: Site) -> None:
    context = site.context()
    page = context.new_page()
    page.goto(f"{PAGES}/exchanges")
    page.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend', '<input name=unlabelled>')")
    assert [each for each in serious(page) if " label x 1" in each] != []
    context.close()


def test_on_a_phone_the_parts_of_a_case_and_what_was_counted_are_seen_at_once(site: Site) -> None:
    """Cells stand below one another, each with its head: nothing is beside the screen, and no row is mostly blank."""
    context = site.context(viewport=NARROW)
    page = context.new_page()
    for case in list_cases(site.desk.house.conn):
        page.goto(f"{PAGES}/cases/{case.case_id}?lang=nl")
        table = page.get_by_role("region", name="Delen van het verzoek")
        assert table.evaluate("each => each.scrollWidth <= each.clientWidth"), case.case_id
        assert (table.bounding_box() or {})["height"] < 60 + 420 * max(1, len(case.sub_cases)), case.case_id
    page.goto(f"{PAGES}/breach?lang=nl&exchange={line_of(site, 'inbound', 'accepted')}")
    assert (page.locator("#slice").bounding_box() or {})["y"] < NARROW["height"]
    context.close()
