"""The documentation site: built strictly, whole without a network, read in a real browser from its folder."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, sync_playwright

from support.effort import chosen

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

HOUSE = Path(__file__).resolve().parents[2]
FETCHED = re.compile(r"<(?:script|link|img|iframe|source)\b[^>]*?(?:src|href)=[\"']?(https?:[^\"' >]+)")
STYLED = re.compile(r"(?:url\(|@import )[\"']?(https?:[^\"')]+)")
LOOKED_AT = ("index", "tutorial/first-exchange", "explanation/cases", "reference/expectations", "how-to/breach")


def build(home: Path, site: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(site)],
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = build(HOUSE, folder)
    assert done.returncode == 0, done.stderr
    return folder


def fetched(files: Iterable[Path]) -> list[str]:
    """What a reader without a network would miss; a canonical address and links to read are no part of a page."""
    texts = ((path, path.read_text(encoding="utf-8", errors="replace")) for path in files)
    return [found for path, text in texts for found in (FETCHED if path.suffix == ".html" else STYLED).findall(text)]


def assets(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.suffix in (".html", ".css")]


def test_the_site_is_built_whole_and_fetches_nothing(site: Path) -> None:
    made = {str(path.relative_to(site)) for path in site.rglob("*.html")}
    written = {str(path.relative_to(HOUSE / "docs").with_suffix(".html")) for path in (HOUSE / "docs").rglob("*.md")}

    assert {each.replace("README", "index") for each in written} <= made
    assert {"index.html", "reference/commands.html", "reference/papers.html", "reference/http.html"} <= made
    assert "sluice gate run" in (site / "reference" / "commands.html").read_text()
    assert "duties.e_rights.forwardHours" in (site / "reference" / "papers.html").read_text()
    assert "POST /cases" in (site / "reference" / "http.html").read_text()
    assert fetched(assets(site)) == []


def test_what_would_be_fetched_is_found(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text('<script async src="https://cdn.example/x.js"></script><a href="https://x.y">')
    (tmp_path / "look.css").write_text("@import url(https://fonts.example/f.css);")

    assert sorted(fetched(assets(tmp_path))) == ["https://cdn.example/x.js", "https://fonts.example/f.css"]


@pytest.mark.long  # mkdocs itself does it, and every build is as strict
def test_a_page_that_nobody_finds_and_a_dead_link_stop_the_build(tmp_path: Path) -> None:
    for name in ("mkdocs.yml", "README.md", "airflow.cfg"):
        shutil.copy(HOUSE / name, tmp_path)
    shutil.copytree(HOUSE / "docs", tmp_path / "docs")
    (tmp_path / "include").symlink_to(HOUSE / "include")
    (tmp_path / "docs" / "lost.md").write_text("[nowhere](gone.md)\n")

    done = build(tmp_path, tmp_path / "site")

    assert done.returncode != 0
    assert "lost.md" in done.stderr and "gone.md" in done.stderr


@pytest.mark.evidence
def test_it_is_read_and_searched_from_its_folder(site: Path, chromium: str) -> None:
    asked: list[str] = []
    faults: dict[str, list[str]] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for scheme in ("light", "dark"):
            page = browser.new_page(color_scheme=scheme)
            page.on("request", lambda request: asked.append(request.url))
            faults |= {f"{name}, {scheme}": serious(page, site / f"{name}.html") for name in chosen(LOOKED_AT, 2)}
        page.goto((site / "index.html").as_uri())
        page.fill("input[name=query]", "quarantine")
        page.wait_for_selector(".md-search-result__link", state="attached", timeout=30_000)
        browser.close()

    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert {name: found for name, found in faults.items() if found} == {}


def serious(page: Page, path: Path) -> list[str]:
    """What axe finds that keeps somebody out."""
    page.goto(path.as_uri())
    found = Axe().run(page).response["violations"]
    return [each["id"] for each in found if each["impact"] in ("serious", "critical")]
