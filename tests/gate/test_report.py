"""The page of a dry run: it explains, needs nothing, looks as the pages do, and holds no value of a person."""

import csv
import json
import re
from hashlib import sha256
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, sync_playwright
from typer.testing import CliRunner

from sluice.cli.whole import app
from sluice.errors import FileMissing, UsageError
from sluice.exchange.dry_run import DryRun, Tried
from sluice.exchange.judging.progress import Say
from sluice.sample.faults import FaultPlan
from sluice.sample.files import write_campaign
from sluice.settings import get_settings

pytestmark = pytest.mark.usefixtures("fresh_settings")

RUN = ("gate", "run", "--agreement", "DPA-ENERGY01", "--flow", "renewal_campaign", "--dry-run")
PERSONAL = ("customer_number", "first_name", "last_name", "phone", "email", "street", "birth_date", "note")
SHORTEST = 4
"""Shorter cells may be words of the page by chance."""


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("files") / "faulty.csv"
    write_campaign(path, 60, 1, faults=FaultPlan(2, 2, 2, 2, 2, 2))
    return path


@pytest.fixture(scope="module")
def page(faulty: Path) -> Path:
    get_settings.cache_clear()
    path = faulty.with_name("page.html")
    CliRunner().invoke(app, [*RUN, str(faulty), "--report", str(path)])
    return path


def values_in(text: str, file: Path) -> set[str]:
    """Cells of persons that stand in a text."""
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter=";"))
    cells = {row[name] for row in rows for name in PERSONAL if row[name] and len(row[name]) >= SHORTEST}
    return {cell for cell in cells if re.search(rf"(?<!\w){re.escape(cell)}(?!\w)", text)}


def test_every_finding_is_explained_at_the_terminal_and_on_the_page(faulty: Path, page: Path) -> None:
    shown, text = CliRunner().invoke(app, [*RUN, str(faulty)]).stdout, page.read_text(encoding="utf-8")
    for told in (" ".join(shown.replace("│", " ").split()), text):
        for code in ("VALUE_NULL", "VALUE_DATE", "VALUE_NOT_IN_SET", "DUPLICATE_VALUE", "SHAPE_TOO_MANY_CELLS"):
            assert code in told
        assert "A required cell is empty." in told
    assert "Fill the cell in the source system and send those rows again." in text
    assert "expect_column_values_to_be_in_set value_set" in text  # what the contract asks there
    assert "energy01.inbound.renewal_campaign 1.0.0" in text


def test_no_value_of_a_person_is_on_the_page(faulty: Path, page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    one = next(line for line in faulty.read_text().splitlines()[1:] if line.count(";") == 19).split(";")
    assert values_in(text, faulty) == set()
    assert values_in(text.replace("</main>", f"{one[2]}</main>"), faulty) == {one[2]}  # the control: a last name


@pytest.mark.parametrize(
    ("lang", "cure"), [("nl", "Vul de cel in het bronsysteem in"), ("fr", "Remplissez la cellule")]
)
def test_it_speaks_the_language_that_was_asked_for(faulty: Path, tmp_path: Path, lang: str, cure: str) -> None:
    path = tmp_path / "page.html"
    shown = CliRunner().invoke(app, [*RUN, str(faulty), "--report", str(path), "--lang", lang]).stdout
    assert f'<html lang="{lang}">' in path.read_text(encoding="utf-8")
    assert cure in path.read_text(encoding="utf-8")
    assert cure.split()[0] in shown


def test_what_a_rule_asks_of_the_header_is_said_once_for_all_columns_that_are_too_many(tmp_path: Path) -> None:
    file, path = tmp_path / "leads.csv", tmp_path / "page.html"
    write_campaign(file, 12, 1)
    header, *rows = file.read_text().splitlines()
    file.write_text("\n".join([f"{header};one;two;three", *(f"{row};;;" for row in rows)]) + "\n")
    CliRunner().invoke(app, [*RUN, str(file), "--report", str(path)])
    text, width = path.read_text(encoding="utf-8"), header.count(";") + 1
    assert [f"#{width + place}<" in text for place in range(5)] == [False, True, True, True, False]
    assert text.count("columns.declared") == 3 and text.count("sluice_columns_to_be_declared") == 1


def test_a_file_s_name_that_may_be_a_person_s_is_not_told(tmp_path: Path, faulty: Path) -> None:
    file, path = tmp_path / "jan.peeters@example.org.csv", tmp_path / "page.html"
    file.write_bytes(faulty.read_bytes())
    CliRunner().invoke(app, [*RUN, str(file), "--report", str(path)])
    assert "NAME_UNSAFE" in path.read_text(encoding="utf-8")
    assert "peeters" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "words",
    [
        ("--report", "{file}"),
        ("--report", "{folder}"),
        ("--report", "{folder}/no/x"),
        ("--report", f"{{folder}}/{'x' * 300}"),
        ("--lang", "de"),
    ],
)
def test_the_page_never_replaces_the_file_and_has_a_place(faulty: Path, tmp_path: Path, words: tuple[str, str]) -> None:
    before = faulty.read_bytes()
    option, value = words
    refused = CliRunner().invoke(app, [*RUN, str(faulty), option, value.format(file=faulty, folder=tmp_path)])
    assert isinstance(refused.exception, UsageError)
    assert faulty.read_bytes() == before


def test_a_file_that_is_not_there_is_missing_whatever_lies_at_the_page_s_place(tmp_path: Path) -> None:
    page = tmp_path / "old.html"
    page.write_text("old")
    for file in (tmp_path / "absent.csv", tmp_path / ("x" * 300), tmp_path):
        assert isinstance(CliRunner().invoke(app, [*RUN, str(file), "--report", str(page)]).exception, FileMissing)
    assert page.read_text() == "old"


def test_a_file_that_goes_while_it_is_judged_has_its_verdict_and_its_page(tmp_path, faulty, monkeypatch):
    file, path = tmp_path / "faulty.csv", tmp_path / "page.html"
    file.write_bytes(faulty.read_bytes())
    stayed = CliRunner().invoke(app, [*RUN, str(faulty), "--format", "json"])
    judge = DryRun.run

    def judge_and_remove(self: DryRun, judged: Path, say: Say) -> Tried:
        tried = judge(self, judged, say)
        judged.unlink()
        return tried

    monkeypatch.setattr(DryRun, "run", judge_and_remove)
    went = CliRunner().invoke(app, [*RUN, str(file), "--report", str(path), "--format", "json"])
    assert not file.exists()
    assert (went.exit_code, json.loads(went.stdout)) == (stayed.exit_code, json.loads(stayed.stdout))
    assert sha256(faulty.read_bytes()).hexdigest() in path.read_text(encoding="utf-8")


def test_a_list_of_files_has_no_page(tmp_path: Path) -> None:
    refused = CliRunner().invoke(app, [*RUN, "-", "--report", str(tmp_path / "x.html")], input="")
    assert isinstance(refused.exception, UsageError)


@pytest.mark.slow
def test_everybody_can_read_it_and_nothing_is_fetched(chromium: str, page: Path) -> None:
    """The control: the same look at a broken page finds a fault and a request."""
    broken = page.with_name("broken.html")
    text = page.read_text(encoding="utf-8")
    text = re.sub(r"<meta http-equiv[^>]*>", "", text).replace("--quiet: #545b69", "--quiet: #c5c9d1")
    broken.write_text(text.replace("</main>", '<img src="other.png"></main>'), encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        assert [faults_in(browser, page, scheme) for scheme in ("light", "dark")] == [(set(), set())] * 2
        requests = {page.with_name("other.png").as_uri()}
        assert faults_in(browser, broken, "light") == ({"color-contrast", "image-alt"}, requests)
        browser.close()


def faults_in(browser: Browser, page: Path, scheme: str) -> tuple[set[str], set[str]]:
    """What axe finds, and what else was asked for."""
    tab = browser.new_page(color_scheme=scheme, bypass_csp=True)  # type: ignore[arg-type]
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(page.as_uri())
    found = {fault["id"] for fault in Axe().run(tab).response["violations"]}
    return found, set(asked) - {page.as_uri()}


def test_there_is_no_script_in_it(page: Path) -> None:
    text = page.read_text(encoding="utf-8").lower()
    assert not any(sign in text for sign in ("<script", "javascript:", "src=", "url(", "@import", "<link"))
    assert "default-src 'none'" in text
