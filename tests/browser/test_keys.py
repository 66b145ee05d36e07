"""An exchange is left by keyboard for the next one in its list, and no letter that a screen reader uses is taken."""

import pytest

from browser.house import Site
from sluice.exchange.read import list_exchanges
from web.permissions import PAGES

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


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
