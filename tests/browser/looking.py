"""How a page is looked at: by axe and by eye, in light and dark, wide and narrow; and what it gives to take along."""

from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page

from browser.house import NARROW, WIDE
from support.effort import effort

LOOKS: Any = effort((("light", WIDE), ("dark", NARROW)), tuple(product(("light", "dark"), (WIDE, NARROW))))
SERIOUS = frozenset({"serious", "critical"})
RUN = "async () => (await axe.run({resultTypes: ['violations']})).violations"


def serious(page: Page) -> list[str]:
    """What axe finds on a page as it is that keeps somebody out."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    found = page.evaluate(RUN)
    return [f"{page.url} {each['id']} x {len(each['nodes'])}" for each in found if each["impact"] in SERIOUS]


def in_looks(page: Page, looks: Any = LOOKS) -> list[str]:
    """Show the page in every look (light and dark, wide and narrow) without loading it again."""
    found = []
    for scheme, viewport in looks:
        dress(page, scheme, viewport)
        found += [f"{scheme} {viewport['width']}: {each}" for each in serious(page)]
    return found


def dress(page: Page, scheme: Any, viewport: Any) -> None:
    """Set a look of the page: light or dark, wide or narrow."""
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size(viewport)


@dataclass
class Album:
    """Pictures of the pages that a journey passed, for people to look at. ``faults``: what axe found on the way."""

    folder: Path
    has_scripts: bool = True
    """Axe is one itself: without scripts there are pictures only."""
    faults: list[str] = field(default_factory=list)
    pages: int = 0

    def keep(self, page: Page, name: str) -> None:
        """Look at the page where a journey is: a picture in each look, axe; in `make test` axe at each third page."""
        self.pages += 1
        if self.has_scripts and effort(self.pages % 3 == 1, True):
            self.faults += effort(serious, in_looks)(page)
        for scheme, viewport in effort((), LOOKS):
            dress(page, scheme, viewport)
            picture = self.folder / f"{self.pages:02}-{name}-{scheme}-{viewport['width']}.png"
            page.screenshot(path=picture, full_page=True)
            assert picture.stat().st_size > 5_000, "there is something to be seen"
        dress(page, *LOOKS[0])


def taken(page: Page, link: Locator, folder: Path) -> Path:
    """The file that a link or a button gives, under the name it comes with."""
    with page.expect_download() as waiting:
        link.click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def table(page: Page, label: str) -> list[list[str]]:
    """The cells of the table that the heading with this id names, as a reader sees them; the head is its first row."""
    rows = page.locator(f'[aria-labelledby="{label}"] tr')
    cells = rows.evaluate_all("rows => rows.map(row => [...row.cells].map(cell => cell.innerText))")
    return [[" ".join(cell.split()) for cell in row] for row in cells]
