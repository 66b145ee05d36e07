"""A case is opened by keyboard alone: what is wrong is read first, and leads to its field."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page

from browser.house import Site
from browser.looking import Album, in_looks
from browser.test_pages_in_a_browser import tabbed_to
from sluice.rights.case.clock import received_on
from sluice.rights.case.model import Right
from sluice.rights.case.store import CaseFilter, list_cases
from support.installation import Record
from web.permissions import PAGES

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
PHONE = "0471 98 76 54"


def typed(page: Page, field: str, text: str) -> None:
    """Write into a field that the Tab key leads to; in a list, the choice that begins so."""
    tabbed_to(page, f"#{field}")
    page.keyboard.type(text)


def active(page: Page, selector: str) -> bool:
    """Whether this element has the keyboard focus."""
    return bool(page.evaluate("found => document.activeElement.matches(found)", selector))


def cases(site: Site) -> set[str]:
    return {case.case_id for case in list_cases(site.desk.house.conn, CaseFilter(right=Right.RECTIFICATION))}


@pytest.mark.evidence
@pytest.mark.parametrize("has_scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_case_is_opened_by_keyboard_alone(
    site: Site, tmp_path: Path, has_scripts: bool, record_property: Record
) -> None:
    before, album = cases(site), Album(tmp_path, has_scripts)
    context = site.context(java_script_enabled=has_scripts)
    page = context.new_page()
    page.goto(f"{PAGES}/start")
    tabbed_to(page, "main a.button").press("Enter")
    page.wait_for_url("**/cases/new")
    album.keep(page, "new")
    typed(page, "right", "Rect")
    typed(page, "phone", "12")
    typed(page, "received", received_on(datetime.now(UTC)).strftime("%m%d%Y"))
    typed(page, "channel", "tele")
    typed(page, "language", "Fr")
    tabbed_to(page, "form.deed button").press("Enter")

    page.get_by_role("alert").get_by_text("SLU-522").wait_for()
    album.keep(page, "wrong")
    assert active(page, "[role=alert]"), "what is wrong is read first"
    assert page.get_by_label("Telephone").input_value() == "12" and page.get_by_label("Right").input_value()
    tabbed_to(page, "[role=alert] a[href='#phone']").press("Enter")
    assert active(page, "#phone"), "and leads to its field"
    said = page.locator("#phone").get_attribute("aria-describedby") or ""
    assert "names nobody" in " ".join(page.locator(f"#{each}").inner_text() for each in said.split())
    page.keyboard.press("Control+a")
    page.keyboard.type(PHONE)
    tabbed_to(page, "form.deed button").press("Enter")

    page.get_by_role("status").get_by_text("The case is open").wait_for()
    album.keep(page, "opened")
    assert "9876" not in page.url and PHONE not in page.content()
    [number] = cases(site) - before
    assert f"/cases/{number}?done=open" in page.url
    page.reload()
    context.close()
    assert album.faults == [] and cases(site) - before == {number}
    record_property(f"a case opened by keyboard, {'with' if has_scripts else 'without'} scripts", "0 serious faults")


def test_the_form_with_everything_wrong_has_no_serious_fault(site: Site) -> None:
    context = site.context()
    page = context.new_page()
    page.goto(f"{PAGES}/cases/new")
    page.locator("details summary").click()
    page.locator("form.deed").evaluate("form => form.noValidate = true")
    for field in ("email", "customer", "national_number", "iban", "full_name"):
        page.locator(f"#{field}").fill("x")
    page.locator("form.deed button").click()
    page.get_by_role("alert").get_by_text("SLU-607").wait_for()
    assert page.locator("[aria-invalid=true]").count() == 4, "what is needed"
    assert in_looks(page) == []
    context.close()
