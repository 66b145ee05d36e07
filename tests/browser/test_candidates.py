"""Who may be meant, in a real browser: looked at, chosen by keyboard, and no serious fault of accessibility."""

from collections.abc import Iterator

import pytest

from browser.house import Site, open_site
from browser.looking import in_looks
from browser.test_pages_in_a_browser import tabbed_to
from rights.copies.test_candidates import namesakes, waiting
from support.copies import Copies
from support.night import copied_night
from web.permissions import PAGES

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(600)]  # tests/web has it without a browser


@pytest.fixture(scope="module")
def waits(copies: Copies, chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, str, str]]:
    """A case with two candidates, and one with none."""
    with copied_night(copies, tmp_path_factory.mktemp("waits"), fill=namesakes) as night:
        cases = waiting(night), waiting(night, "Nemo Niemand", "1980-04-03")
        with open_site(night.desk, chromium) as site:
            yield site, *cases


def test_somebody_is_chosen_by_keyboard(waits: tuple[Site, str, str]) -> None:
    site, two, none = waits
    context = site.context()
    page = context.new_page()
    page.goto(f"{PAGES}/cases/{none}/candidates")
    assert in_looks(page) == []
    page.goto(f"{PAGES}/cases/{two}")
    tabbed_to(page, "main a[href$='/candidates']").press("Enter")
    page.wait_for_url("**/candidates")
    assert in_looks(page) == []
    tabbed_to(page, "form.choose button").press("Enter")
    page.get_by_role("alert").get_by_text("SLU-607").wait_for()
    assert in_looks(page) == []
    tabbed_to(page, "[name=candidate]").press("Space")
    tabbed_to(page, "form.choose button").press("Enter")
    page.get_by_role("status").get_by_text("It is confirmed who the person is").wait_for()
    assert page.get_by_role("link", name="Show who may be meant").count() == 0
    context.close()
