"""What a page shows is all there on paper, and seen at once on a narrow screen: nothing has to be scrolled to."""

import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page
from pypdf import PdfReader

from browser.house import NARROW, Site
from browser.looking import table
from sluice.documents.words import LANGUAGES
from sluice.exchange.read import list_exchanges
from sluice.rights.case.store import list_cases
from web.permissions import PAGES

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
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


@pytest.mark.parametrize("article", ["30.1", "30.2"])
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


@pytest.mark.parametrize("language", LANGUAGES)
def test_whose_each_column_is_stands_there_at_every_width(site: Site, language: str) -> None:
    """Controller, processor and owner are the answer: none of them is beside the screen, no name is torn apart."""
    context = site.context()
    page = context.new_page()
    page.goto(f"{PAGES}/exchanges/{a_return(site)}?lang={language}")
    whose = page.locator(".answers .whole .wide")
    for width in (1440, 1024, 970, 950, NARROW["width"]):
        page.set_viewport_size({"width": width, "height": 900})
        assert whose.evaluate_all("every => every.filter(each => each.scrollWidth > each.clientWidth).length") == 0, (
            width
        )
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
    for address in (*lists, *papers, *cases, f"/exchanges/{a_return(site)}"):
        page.goto(f"{PAGES}{address}?lang=fr")
        tables = page.locator(".wide:not(.picture)")
        assert tables.count() > 0, address
        assert tables.evaluate_all("every => every.filter(each => each.scrollWidth > each.clientWidth).length") == 0, (
            address
        )
        heads = page.locator(".stacked [data-head]").evaluate_all("every => every.map(each => each.dataset.head)")
        assert heads and all(heads), f"{address}: each cell has its head"
    context.close()
