"""What people do on the pages works in a real browser, with scripts and without."""

import csv
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from openpyxl import load_workbook
from playwright.sync_api import Locator, Page
from pypdf import PdfReader

from browser.house import Site
from browser.looking import Album, in_looks, table, taken
from browser.pages import line_of
from returns.commands import sluice
from sluice.rights.case.clock import received_on
from sluice.rights.case.model import Right, State
from sluice.rights.case.store import CaseFilter, list_cases
from sluice.staff.refs import agent_ref
from sluice.times import BRUSSELS
from support.installation import Record
from support.night import CALLED_AT
from web.permissions import PAGES

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
NOTHING = "\N{EN DASH}"
"""What a page writes where nothing is."""
SVG = "{http://www.w3.org/2000/svg}"
FORMS = ("PDF", "XLSX", "CSV", "JSON")
SCRIPTS = pytest.mark.parametrize("has_scripts", [True, False], ids=["with scripts", "without scripts"])
WITH_SCRIPTS = pytest.mark.parametrize(
    "has_scripts", [True, pytest.param(False, marks=pytest.mark.long)], ids=["with scripts", "without scripts"]
)
"""In `make test` one journey is walked without them too."""
Walk = Callable[..., AbstractContextManager[tuple[Page, Album]]]
"""Opens a browser for one person; ``has_scripts``: whether scripts run in it."""


@pytest.fixture
def walk(site: Site, tmp_path: Path, request: pytest.FixtureRequest, record_property: Record) -> Walk:
    """One person at the pages; at the end nothing serious was found on any page where they stood."""

    @contextmanager
    def opened(has_scripts: bool = True) -> Iterator[tuple[Page, Album]]:
        context = site.context(java_script_enabled=has_scripts)
        album = Album(tmp_path, has_scripts)
        yield context.new_page(), album
        context.close()
        assert album.faults == [] and album.pages > 0
        seen = "0 serious faults on" if has_scripts else "pictures of"
        record_property(f"journey: {request.node.name}", f"walked to its end; {seen} {album.pages} pages passed")

    return opened


@pytest.mark.evidence
@WITH_SCRIPTS
def test_an_exchange_is_found_and_its_receipt_verified(
    walk: Walk, site: Site, tmp_path: Path, has_scripts: bool
) -> None:
    with walk(has_scripts) as (page, album):
        page.goto(f"{PAGES}/exchanges")
        page.get_by_label("Principal").select_option("energy01")
        page.get_by_label("Verdict").select_option("accepted")
        page.get_by_role("button", name="Filter").click()
        album.keep(page, "exchanges")
        page.locator("main table a").first.click()
        album.keep(page, "exchange")
        number = page.url.rpartition("/")[2].partition("?")[0]
        links = ("Receipt (PDF)", "Signed receipt (JSON)", "Public key (PEM)")
        pdf, signed, key = (taken(page, page.get_by_role("link", name=name), tmp_path) for name in links)
        told = page.get_by_text("sluice receipt verify").inner_text()

    assert told == f"sluice receipt verify {signed.name} --key {key.name}", "the page says how"
    checked = sluice("receipt", "verify", str(signed), "--key", str(key), "--pdf", str(pdf)).document
    assert (checked["valid"], checked["pdf_checked"], checked["exchange"]) == (True, True, number)
    forged = tmp_path / "forged.json"
    forged.write_bytes(signed.read_bytes().replace(b'"payload":"e', b'"payload":"f', 1))
    assert sluice("receipt", "verify", str(forged), "--key", str(key)).exit == 1, "the control"


def tabbed_to(page: Page, found: str, most: int = 60) -> Locator:
    """What a selector names, reached with the Tab key alone."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("found => document.activeElement.matches(found)", found):
            return page.locator(found).first
    raise AssertionError(found)


@pytest.mark.evidence
def test_a_person_is_followed_by_keyboard_as_of_a_moment_and_the_picture_taken_along(
    walk: Walk, site: Site, tmp_path: Path
) -> None:
    """The first person of the file: in the file that came, in one log of calls, in one return."""
    person = contacts(site).row(0, named=True)
    known = [f"phone:{person['phone']}", f"customer:{person['customer_number']}"]
    case = sluice("case", "open", "--right", "objection", *(w for each in known for w in ("--identifier", each)))
    number = str(case.document["case"])
    with walk() as (page, album):
        page.goto(f"{PAGES}/cases")
        tabbed_to(page, "a.skip").press("Enter")
        tabbed_to(page, f"tbody a[href$='{number}']").press("Enter")
        tabbed_to(page, f"main a[href$='/lineage/person/{number}']").press("Enter")
        page.wait_for_url(f"**/lineage/person/{number}")
        album.keep(page, "person")
        assert "In 3 exchanges" in page.locator("main").inner_text()
        assert not [each for each in person.values() if each and len(each) > 6 and each in page.content()]
        for key, size in (("+", "150"), ("+", "200"), ("-", "150")):
            tabbed_to(page, ".picture").press(key)
            assert page.locator(".zoom a[aria-current]").inner_text().startswith(size)
        album.keep(page, "person-larger")
        whole = taken(page, page.get_by_role("link", name="Export SVG"), tmp_path)
        page.get_by_label("As it was on").fill(before_the_return(site))
        page.get_by_role("button", name="Show").press("Enter")
        assert "In 2 exchanges" in page.locator("main").inner_text(), "the return was not made yet"
        album.keep(page, "person-before")
        early = taken(page, page.get_by_role("link", name="Export SVG"), tmp_path / "early")
        tabbed_to(page, ".picture a").press("Enter")
        page.wait_for_url("**/exchanges**")
    assert boxes(whole) > boxes(early) > 4


def contacts(site: Site) -> pl.DataFrame:
    """The file that energy01 sent, as it was sent."""
    return pl.read_csv(site.desk.folder / "campaign-1-40.csv", separator=";", infer_schema=False)


def before_the_return(site: Site) -> str:
    """A second after the first case was opened, on the clock of Brussels: the return was released much later."""
    [row] = site.desk.sql("select date_trunc('second', min(opened_at)) + interval '1 second' as at from subject_case")
    assert isinstance(row["at"], datetime)
    return row["at"].astimezone(BRUSSELS).strftime("%Y-%m-%dT%H:%M:%S")


def boxes(picture: Path) -> int:
    """How many boxes an exported picture has, read as what it is: a file of its own."""
    root = ET.fromstring(picture.read_text(encoding="utf-8"))
    assert root.tag == f"{SVG}svg" and root.find(f"{SVG}style") is not None
    return len([each for each in root.iter(f"{SVG}rect") if "box" in str(each.get("class"))])


@pytest.mark.evidence
@SCRIPTS
def test_a_case_is_decided_and_the_reason_is_in_the_ledger(
    walk: Walk, site: Site, tmp_path: Path, has_scripts: bool
) -> None:
    right, action = (Right.ACCESS, "give") if has_scripts else (Right.PORTABILITY, "export")
    [case] = [
        each for each in list_cases(site.desk.house.conn, CaseFilter(right=right)) if each.state is State.RECEIVED
    ]
    reason = f"CHECKED_{'WITH' if has_scripts else 'WITHOUT'}_SCRIPTS"
    with walk(has_scripts) as (page, album):
        page.goto(f"{PAGES}/start")
        album.keep(page, "start")
        page.get_by_role("navigation").get_by_role("link", name="Cases").first.click()
        page.get_by_role("link", name=case.case_id[:8], exact=True).click()
        page.get_by_text("Settle the identity").first.click()
        page.get_by_label("The person is who they say").check()
        album.keep(page, "identity")
        page.locator("details[open] button").click()
        page.locator("summary", has_text="Decide").click()
        page.get_by_label("What is done").select_option(action)
        why = page.locator("details[open]").get_by_label("Reason")
        album.keep(page, "decide")
        why.fill("Jan said so")
        page.locator("details[open] button").click()
        assert "done=decide" not in page.url, "a sentence is no reason"
        why.fill(reason)
        page.locator("details[open]").get_by_label("abuse").check()
        page.locator("details[open] button").click()
        told_on_top(page, "SLU-607")
        album.keep(page, "not-decided")
        assert page.get_by_label("What is done").input_value() == action and why.input_value() == reason
        page.locator("details[open]").get_by_label("abuse").uncheck()
        page.locator("details[open] button").click()
        page.get_by_role("status").get_by_text("The decision was taken and recorded").wait_for()
        album.keep(page, "decided")
    assert [(each["actor"], each["to_state"]) for each in entries(site, "case.transitioned", reason_code=reason)] == [
        ("anna", "ACCEPTED")
    ]


def entries(site: Site, kind: str, **said: str) -> list[dict[str, Any]]:
    """Bodies of the ledger entries of this kind."""
    rows = site.desk.sql(f"select body from ledger.entry where kind = '{kind}' order by appended_at, seq")
    bodies = [json.loads(bytes(row["body"])) for row in rows]  # type: ignore[call-overload]
    return [body for body in bodies if all(body[name] == value for name, value in said.items())]


@pytest.mark.evidence
@pytest.mark.parametrize(
    ("article", "has_scripts"), [("30.1", True), pytest.param("30.2", False, marks=pytest.mark.long)]
)
def test_a_register_is_exported_and_every_file_says_what_the_page_says(
    walk: Walk, site: Site, tmp_path: Path, article: str, has_scripts: bool
) -> None:
    with walk(has_scripts) as (page, album):
        page.goto(f"{PAGES}/start")
        page.get_by_role("navigation").get_by_role("link", name="Registers").click()
        album.keep(page, "registers")
        page.locator(f"h2 a[href*='{article}']").click()
        album.keep(page, f"register-{article}")
        shown = table(page, "register")
        links = page.locator(".downloads").get_by_role("link")
        files = {name: taken(page, links.get_by_text(name, exact=True), tmp_path) for name in FORMS}
    head, *rows = shown
    assert len(rows) > 3 and len(head) > 10 and "energy01" in str(rows)
    assert of_csv(files["CSV"]) == shown
    assert of_workbook(files["XLSX"]) == shown
    said = json.loads(files["JSON"].read_text(encoding="utf-8"))
    assert [written(each.values()) for each in said["rows"]] == rows
    printed = re.sub(r"\s", "", "".join(each.extract_text() for each in PdfReader(files["PDF"]).pages))
    assert [cell for row in rows for cell in row if re.sub(r"\s", "", cell) not in printed] == []


def written(cells: Iterable[Any]) -> list[str]:
    """Cells of a file as the page writes them."""
    return [" ".join(str(each or "").split()) or NOTHING for each in cells]


def of_csv(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as source:
        return [written(row) for row in csv.reader(source)]


def of_workbook(path: Path) -> list[list[str]]:
    return [written(cell.value for cell in row) for row in load_workbook(path)["Register"].iter_rows()]


@pytest.mark.evidence
@WITH_SCRIPTS
def test_a_breach_is_sliced_and_counts_whom_a_person_counts(
    walk: Walk, site: Site, tmp_path: Path, has_scripts: bool
) -> None:
    """By exchange, by what an agent wrote in an hour, by file: 40 rows came, one person was erased since."""
    file = f"s3://{site.desk.settings.bucket_exchange}/energy01/inbound/renewal_campaign/file.csv"
    assert len(set(contacts(site)["customer_number"])) == 40
    with walk(has_scripts) as (page, album):
        page.goto(f"{PAGES}/breach")
        album.keep(page, "breach")
        page.get_by_label("Number").fill(line_of(site, "inbound", "accepted")[:8])
        send_with(page, "Number")
        assert slice_of(page) == "At least 39 persons concerned"
        album.keep(page, "by-exchange")
        page.get_by_label("Agent").select_option(agent_ref(site.desk.house.keyring.staff_key(), "agent01"))
        for label, moment in (("From", CALLED_AT), ("Until", CALLED_AT + timedelta(hours=1))):
            page.get_by_label(label).fill(moment.strftime("%Y-%m-%dT%H:%M"))
        send_with(page, "Until")
        assert slice_of(page) == "4 persons concerned", (
            "called by them: two in one log, one in another; and whom the note is about that is held"
        )
        album.keep(page, "by-agent")
        assert file not in page.url
        page.get_by_label("Address of the object").fill(file)
        send_with(page, "Address of the object")
        assert slice_of(page) == "At least 39 persons concerned"
        assert page.url.endswith("/breach"), "an address of an object stands in no address of ours"
        album.keep(page, "by-object")
        draft = taken(page, page.get_by_role("button", name="PDF").first, tmp_path)
        assert "39" in "".join(each.extract_text() for each in PdfReader(draft).pages)
        [held] = site.desk.sql("select bucket, key, version_id from copy where kind = 'quarantine.held'")
        page.get_by_label("Address of the object").fill(
            f"s3://{held['bucket']}/{held['key']}?versionId={held['version_id']}"
        )
        send_with(page, "Address of the object")
        assert slice_of(page) == "1 person concerned", "the note that is held"
        page.get_by_label("Address of the object").fill(f"{file}x")
        send_with(page, "Address of the object")
        told_on_top(page, "SLU-641")
        album.keep(page, "by-no-object")
        field = page.get_by_label("Address of the object")
        assert field.input_value() == f"{file}x", "to be mended, not typed again"
        field.fill(file)
        send_with(page, "Address of the object")
        page.get_by_role("button", name="FR", exact=True).click()
        assert slice_of(page) == "Au moins 39 personnes concernées", "it stays in another language"
        assert page.url.endswith("/breach?lang=fr")
        album.keep(page, "by-object-fr")


def told_on_top(page: Page, code: str) -> None:
    """An error is told above the form, and the focus is on it."""
    alert = page.locator("main > [role=alert]:focus")
    alert.wait_for()
    assert code in alert.inner_text()
    assert page.locator("[role=alert]").count() == 1


def send_with(page: Page, label: str) -> None:
    """Send the form that has this field."""
    page.locator("form", has=page.get_by_label(label)).get_by_role("button").click()


def slice_of(page: Page) -> str:
    """The number of persons that a breach slice shows."""
    return page.locator("#slice").inner_text()


@pytest.mark.evidence
def test_a_role_profile_is_signed_off_on_the_page_of_its_agreement(walk: Walk, site: Site, tmp_path: Path) -> None:
    with walk() as (page, album):
        page.goto(f"{PAGES}/start")
        album.keep(page, "start")
        page.get_by_role("navigation").get_by_role("link", name="Roles").click()
        page.get_by_role("link", name="DPA-ENERGY01").click()
        album.keep(page, "roles")
        page.get_by_role("link", name="Sign off").click()
        album.keep(page, "agreement")
        page.get_by_label("Reason").fill("BOARD_2026_11")
        page.get_by_role("button", name="Sign off").click()
        page.get_by_role("status").get_by_text("The profile is signed off").wait_for()
        album.keep(page, "signed")
        page.get_by_role("main").get_by_role("link", name="Roles").click()
        assert "nobody has signed it off" not in page.locator("main").inner_text()
    [entry] = entries(site, "role.signed_off")
    assert (entry["signed_by"], entry["reason"], entry["role_profile"]) == ("anna", "BOARD_2026_11", "SEED_OWNER")


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
@WITH_SCRIPTS
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
