"""Every page has no serious fault of accessibility, fits on a telephone, is whole on paper, and is left by keyboard."""

import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page
from pypdf import PdfReader

from browser.house import NARROW, Site
from browser.looking import LOOKS, in_looks, serious, table
from browser.pages import line_of, pages
from sluice.documents.words import LANGUAGES
from sluice.exchange.read import list_exchanges
from sluice.rights.case.store import list_cases
from support.effort import chosen, effort
from support.installation import Record
from web.permissions import PAGES

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.mark.evidence
def test_axe_finds_nothing_serious_on_any_page(site: Site, record_property: Record) -> None:
    found, every = [], pages(site)
    assert len(every) > 40
    addresses = dict(chosen([*every.items()], 5))
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
    for case in chosen(list_cases(site.desk.house.conn), 3):
        page.goto(f"{PAGES}/cases/{case.case_id}?lang=nl")
        table = page.get_by_role("region", name="Delen van het verzoek")
        assert table.evaluate("each => each.scrollWidth <= each.clientWidth"), case.case_id
        assert (table.bounding_box() or {})["height"] < 60 + 420 * max(1, len(case.sub_cases)), case.case_id
    page.goto(f"{PAGES}/breach?lang=nl&exchange={line_of(site, 'inbound', 'accepted')}")
    assert (page.locator("#slice").bounding_box() or {})["y"] < NARROW["height"]
    context.close()


CUT = ".tall, .picture { max-height: 20rem !important; overflow: auto !important; }"
"""As it was before: what is long or wide is cut."""
BROKEN = """cards => cards.flatMap(card => [...card.querySelectorAll('code.name')])
    .flatMap(code => [...code.childNodes]).filter(part => part.nodeType === 3 && part.length)
    .filter(part => { const range = document.createRange(); range.selectNodeContents(part);
                      return range.getClientRects().length > 1; }).map(part => part.data)"""
"""Pieces of names that stand on two lines."""


def squeezed(text: str) -> str:
    """Without spaces, and without the signs for two letters that a typeface has."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text))


def printed(page: Page, folder: Path) -> str:
    """The text of a page on A4, without its spaces."""
    path = folder / "page.pdf"
    page.pdf(path=path, format="A4", prefer_css_page_size=True)
    return squeezed("".join(each.extract_text() for each in PdfReader(path).pages))


def missing(page: Page, folder: Path, *words: str) -> list[str]:
    """Of what a page shows: what is not on paper."""
    paper = printed(page, folder)
    return [word for word in words if squeezed(word) not in paper]


def a_return(site: Site) -> str:
    [line] = [each for each in list_exchanges(site.desk.house.conn) if each.direction == "outbound_return"][-1:]
    return line.id


@pytest.mark.parametrize("article", ["30.1", pytest.param("30.2", marks=pytest.mark.long)])
def test_every_row_and_column_of_a_register_is_printed(site: Site, tmp_path: Path, article: str) -> None:
    context = site.context(bypass_csp=True)
    page = context.new_page()
    page.goto(f"{PAGES}/registers/{article}")
    head, *rows = table(page, "register")
    assert len(head) > 10 and len(rows) > 3
    cells = [
        *head,
        *(cell for name in ("register", "seen", "findings") for row in table(page, name)[1:] for cell in row),
    ]
    assert missing(page, tmp_path, *cells) == []
    page.add_style_tag(content=CUT)
    assert missing(page, tmp_path, *cells) != [], "the control"
    context.close()


def test_every_box_of_a_picture_is_printed(site: Site, tmp_path: Path) -> None:
    context = site.context(bypass_csp=True)
    page = context.new_page()
    for address in (f"/lineage/{a_return(site)}?zoom=200", f"/exchanges/{a_return(site)}"):
        page.goto(f"{PAGES}{address}")
        names = page.locator(".picture text").all_text_contents()
        assert len(names) > 20, address
        assert missing(page, tmp_path, *names) == [], address
        page.emulate_media(media="print")
        assert inside(page), f"{address}: nothing is beyond the edge of the paper"
        page.emulate_media(media="null")
    page.goto(f"{PAGES}/lineage/{a_return(site)}?zoom=200")
    page.emulate_media(media="print")
    page.add_style_tag(content=".picture svg { max-width: none !important; width: 160rem !important; }")
    assert not inside(page), "the control"
    context.close()


def inside(page: Page) -> bool:
    """Whether a picture ends where its frame does."""
    right = page.locator(".picture").evaluate("each => each.getBoundingClientRect().right")
    ends = page.locator(".picture rect").evaluate_all("every => every.map(each => each.getBoundingClientRect().right)")
    return bool(max(ends) <= right)


def test_paper_is_light_and_a_large_card_goes_on_over_the_page(site: Site) -> None:
    context = site.context("dark")
    page = context.new_page()
    page.goto(f"{PAGES}/exchanges/{a_return(site)}")
    page.evaluate("document.documentElement.className = 'dark'")

    def looks() -> Any:
        card = "getComputedStyle(document.querySelector('.answers .card')).breakInside"
        return page.evaluate(f"[getComputedStyle(document.body).color, {card}]")

    assert looks() == ["rgb(236, 238, 242)", "avoid"], "the control: on a screen"
    page.emulate_media(media="print", color_scheme="dark")
    assert looks() == ["rgb(26, 29, 36)", "auto"]
    context.close()


def test_whose_each_column_is_stands_there_at_every_width(site: Site) -> None:
    """Controller, processor and owner are the answer: none of them is beside the screen, no name is torn apart."""
    context = site.context()
    page = context.new_page()
    for language in effort(("fr",), LANGUAGES):
        page.goto(f"{PAGES}/exchanges/{a_return(site)}?lang={language}")
        whose = page.locator(".answers .whole .wide")
        for width in (1440, 1024, 970, 950, NARROW["width"]):
            page.set_viewport_size({"width": width, "height": 900})
            assert (
                whose.evaluate_all("every => every.filter(each => each.scrollWidth > each.clientWidth).length") == 0
            ), width
            assert page.evaluate("document.documentElement.scrollWidth") == width
            assert page.locator(".answers .whole").evaluate_all(BROKEN) == [], width
        assert "customer_number" in whose.first.inner_text()
        page.set_viewport_size({"width": 1024, "height": 900})
        halved = "each => { each.style.columnSpan = 'none'; each.style.width = '20rem'; }"
        page.locator(".answers .whole").first.evaluate(halved)
        assert whose.first.evaluate("each => each.scrollWidth > each.clientWidth"), "the control: in half of the width"
    context.close()


def test_on_a_phone_no_list_is_beside_the_screen(site: Site) -> None:
    context = site.context(viewport=NARROW)
    page = context.new_page()
    cases = [f"/cases/{each.case_id}" for each in list_cases(site.desk.house.conn)]
    lists = ("/exchanges", "/cases", "/roles", "/agreements", "/staff", "/registers", "/registers/30.1")
    papers = ("/roles/DPA-ENERGY01", "/agreements/DPA-ENERGY01")
    for address in chosen([*lists, *papers, *cases, f"/exchanges/{a_return(site)}"], 6):
        page.goto(f"{PAGES}{address}?lang=fr")
        tables = page.locator(".wide:not(.picture)")
        assert tables.count() > 0, address
        assert tables.evaluate_all("every => every.filter(each => each.scrollWidth > each.clientWidth).length") == 0, (
            address
        )
        heads = page.locator(".stacked [data-head]").evaluate_all("every => every.map(each => each.dataset.head)")
        assert heads and all(heads), f"{address}: each cell has its head"
    context.close()


def test_keys_lead_through_the_list_and_back(site: Site) -> None:
    order = [line.id for line in list_exchanges(site.desk.house.conn, principal="energy01")]
    assert len(order) > 2
    context = site.context()
    page = context.new_page()
    page.goto(f"{PAGES}/exchanges?principal=energy01")
    page.locator("tbody th a").first.click()
    page.wait_for_url(f"**/exchanges/{order[0]}?*")
    assert page.get_by_text("Alt+J").is_visible(), "the page says which"
    for key, number in (("Alt+j", order[1]), ("Alt+j", order[2]), ("Alt+k", order[1])):
        page.keyboard.press(key)
        page.wait_for_url(f"**/exchanges/{number}?listed=true&principal=energy01")
    for key in ("j", "k", "Control+Alt+j", "Shift+Alt+j", "Alt+x"):
        page.keyboard.press(key)
    page.wait_for_timeout(300)
    assert f"/exchanges/{order[1]}?" in page.url, "the control: only these two keys lead anywhere"
    assert page.locator("a[rel=next]").get_attribute("aria-keyshortcuts") == "Alt+J"
    page.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend', '<input id=typed>')")
    page.locator("#typed").press("Alt+j")
    page.wait_for_timeout(300)
    assert f"/exchanges/{order[1]}?" in page.url, "whoever types stays"
    context.close()


def test_without_scripts_the_links_are_there_and_no_key_is_promised(site: Site) -> None:
    order = [line.id for line in list_exchanges(site.desk.house.conn)]
    context = site.context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{PAGES}/exchanges/{order[1]}?listed=true")
    assert not page.get_by_text("Alt+J").is_visible()
    page.get_by_role("navigation", name="Beside it in the list").get_by_role("link", name="Older").click()
    page.wait_for_url(f"**/exchanges/{order[2]}?*")
    context.close()
