"""Registers, staff readiness and the breach slice as pages: what they show, to whom, and the files they give."""

import io
import json
import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from rights.town import Town
from sluice.documents.words import LANGUAGES, words
from sluice.registers.model import Article
from sluice.staff.refs import agent_ref
from sluice.web.pages.app import MOUNT
from support.night import CALLED_AT, STAFF
from web.desk_work import send, token_of
from web.house import Web
from web.test_pages import said

pytestmark = pytest.mark.stores
KEY = re.compile(r"\b(pages|group|held|register|breach|basis)\.[a-zA-Z_]+")


@pytest.fixture
def pages(town_pages: Web) -> Web:
    return town_pages


def clerk(pages: Web) -> Web:
    return pages.as_("otto:OP")


def named(pages: Web, direction: str) -> str:
    return next(line.id for line in pages.desk.lines() if line.direction == direction and line.principal == "energy01")


def test_every_word_of_the_pages_is_there(pages: Web) -> None:
    slice_ = f"/breach?exchange={named(pages, 'inbound')}&"
    for language in LANGUAGES:
        for path in ("/registers?", "/registers/30.1?", "/registers/30.2?", "/staff?", "/breach?", slice_):
            answer = clerk(pages).get(f"{path}lang={language}")
            assert answer.status_code == 200 and f'<html lang="{language}">' in answer.text
            assert not KEY.search(said(answer.text)), path
            assert not re.search(r"\son\w+=|style=", answer.text)


def test_findings_stand_above_the_rows_of_a_register(pages: Web) -> None:
    page = pages.get("/registers/30.2?lang=en").text
    assert page.index('id="findings"') < page.index('id="register"')
    assert "Declared, but" in said(page) and "DECLARED_NOT_SEEN" in page
    overview = pages.get("/registers?lang=en").text
    assert all(f"{MOUNT}/registers/{article}?" in overview for article in Article)


def test_a_register_is_that_of_its_day(pages: Web) -> None:
    assert "energy01" in pages.get("/registers/30.2?lang=en").text
    before = said(pages.get("/registers/30.2?lang=en&on=2020-01-01").text)
    assert "energy01" not in before and "nothing was known yet of 1 January 2020" in before
    assert "Papers and exchanges say the same" not in before, "nobody knew of any"
    unknown = pages.get("/registers/30.2?lang=en&known_at=2020-01-01T10:00").text
    assert "DPA-ENERGY01" not in unknown, "the papers were not known yet"


def test_which_knowledge_counts_is_told_and_an_empty_register_leads_to_what_is_known_now(pages: Web) -> None:
    """Without a moment of knowledge a register is that of the end of its day, roles and agreements are those of now."""
    for language in LANGUAGES:
        say = words(language)
        asked = f"on=2025-06-30&lang={language}"
        end = say.say("pages.known_at.empty.day", moment=say.moment("2025-06-30T21:59:59+00:00"))
        for path in ("/registers", "/registers/30.2"):
            text = pages.get(f"{path}?{asked}").text
            assert end in said(text) and 'aria-describedby="known-at"' in text, path
            then = say.say(
                "pages.registers.empty.then", moment=say.moment("2025-06-30T21:59:59+00:00"), day=say.day("2025-06-30")
            )
            assert then in said(text)
            [*links] = re.findall(rf'href="([^"]+)">{say.say("pages.registers.empty.now")}', text)
            known = pages.get(unescape(links[-1]).removeprefix(MOUNT)).text
            assert then not in said(known) and "DPA-ENERGY01" in known, "the papers of that day are known by now"
        for path in ("/roles", "/agreements"):
            text = said(pages.get(f"{path}?{asked}").text)
            assert say.say("pages.known_at.empty.now", moment="|").partition("|")[0] in text and end not in text, path
        assert say.say("pages.registers.empty") not in said(pages.get(f"/registers?lang={language}").text), (
            "the control"
        )


def test_a_register_is_a_file_in_the_language_of_its_reader(pages: Web) -> None:
    def file(form: str, language: str = "fr", tab: str = "register") -> bytes:
        answer = pages.get(f"/registers/30.1/file?form={form}&tab={tab}&lang={language}")
        assert answer.status_code == 200, (form, tab)
        assert answer.headers["content-disposition"].startswith("attachment")
        assert f".{language}.{form}" in answer.headers["content-disposition"]
        content: bytes = answer.content
        return content

    page = pages.get("/registers/30.1?lang=fr").text
    links = [unescape(each) for each in re.findall(r'href="([^"]+/file\?[^"]+)"', page)]
    assert {each for link in links for each in re.findall(r"tab=(\w+)", link)} == {"identification", "findings", "seen"}
    assert all(pages.get(link.removeprefix(MOUNT)).status_code == 200 for link in links) and len(links) == 7
    assert "tab=identification" not in pages.get("/registers/30.2?lang=fr").text, "it has no such tab"
    assert "Numéro du traitement" in file("csv", tab="findings").decode("utf-8-sig")
    assert file("csv") != file("csv", "nl") and b"DPA-ENERGY01" in file("csv")
    assert json.loads(file("json"))["language"] == "fr"
    assert len(load_workbook(io.BytesIO(file("xlsx"))).sheetnames) == 4
    assert "Registre" in PdfReader(io.BytesIO(file("pdf"))).pages[0].extract_text()
    assert pages.get("/registers/30.2/file?form=csv&tab=identification").status_code == 404
    assert pages.get("/registers/30.1/file?form=exe").status_code == 422


def test_staff_are_shown_by_pseudonym_with_why_they_are_not_ready(pages: Web) -> None:
    page = pages.get("/staff?lang=en").text
    key = pages.desk.house.keyring.staff_key()
    ready, failed = (agent_ref(key, name) for name in ("agent01", "agent02"))
    assert page.index(failed[:12]) < page.index(ready[:12]), "who has to act comes first"
    assert "agent01" not in page and "agent01" in STAFF
    assert "the agent had not passed the exam" in said(page) and "89.99" in page and "coc-4" in page

    only = pages.get("/staff?lang=en&state=ready").text
    assert ready[:12] in only and failed[:12] not in only
    until = pages.get("/staff?lang=en&state=soon&as_of=" + _days_before_the_end(page)).text
    assert ready[:12] in until and "expires within 30 days" in said(until)
    early = said(pages.get("/staff?lang=en&as_of=2020-01-01T10:00").text)
    assert "the agent had not taken the course: 2" in early
    assert "Nobody found" in said(pages.get("/staff?known_at=2020-01-01T10:00&lang=en").text)


def _days_before_the_end(page: str) -> str:
    """A moment at which the exam of agent01 is about to expire: it was taken 119 days before the due day."""
    return (CALLED_AT - timedelta(days=119) + timedelta(days=350)).isoformat()


def test_a_command_on_an_empty_page_is_marked_as_one(pages: Web) -> None:
    for language in LANGUAGES:
        text = pages.get(f"/staff?known_at=2020-01-01T10:00&lang={language}").text
        assert "<code>sluice staff import</code>" in text and "`" not in text
        assert "`" in words(language).say("pages.staff.nobody.cure"), "the control: the words have backticks"


def test_staff_come_page_by_page(pages: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sluice.web.pages.staff.ON_A_PAGE", 1)
    first, second = (pages.get(f"/staff?lang=en&page={page}").text for page in (1, 2))
    agents = [re.findall(r'title="([0-9a-f]{32})"', page) for page in (first, second)]
    assert [len(each) for each in agents] == [1, 1] and agents[0] != agents[1]
    assert 'rel="next"' in first and 'rel="next"' not in second and 'rel="prev"' in second


def test_a_breach_says_how_many_and_who_tells_whom_by_when(pages: Web, town: Town) -> None:
    aware = "2026-11-24T10:00"
    path = f"/breach?lang=en&exchange={named(pages, 'outbound_return')[:12]}&aware={aware}&risk=high"
    page = clerk(pages).get(path).text
    words = said(page)
    assert "1 person concerned" in words and "33(2)" in words and "27 November 2026, 10:00:00" in words
    assert "2 persons concerned" in said(clerk(pages).get(f"/breach?lang=en&exchange={named(pages, 'inbound')}").text)
    assert town.people[0].phone not in page

    links = [unescape(each) for each in re.findall(r'href="([^"]+/breach/draft[^"]+)"', page)]
    assert len(links) == 8, "four drafts, one of them for our own staff, as PDF and as text"
    for link in links:
        answer = clerk(pages).get(link.removeprefix(MOUNT))
        assert answer.status_code == 200 and answer.headers["content-disposition"].startswith("attachment")
        assert answer.content.startswith(b"%PDF") is ("form=pdf" in link)
        is_late = b"Reasons for the delay" in answer.content
        assert is_late is ("draft=authority" in link), "made after its 72 hours"
    form = f"/breach/draft?lang=en&exchange={named(pages, 'outbound_return')}&draft=authority&form=txt"
    assert b"Reasons for the delay" not in clerk(pages).get(form).content, "of what we know since now"
    assert clerk(pages).get(f"/breach/draft?exchange={named(pages, 'inbound')}&draft=persons").status_code == 404
    early = clerk(pages).get(path.replace(aware, (datetime.now(UTC) + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")))
    assert early.status_code == 422 and "SLU-531" in early.text, "the hours begin when we know"


def test_what_was_counted_stands_above_the_forms_that_asked(pages: Web) -> None:
    for language in LANGUAGES:
        page = clerk(pages).get(f"/breach?lang={language}&exchange={named(pages, 'inbound')}").text
        assert 0 < page.index('id="slice"') < page.index('name="exchange"')
        clock = {"nl": "(Brusselse tijd)", "fr": "(heure de Bruxelles)", "en": "(Brussels clock)"}[language]
        for field in ("aware", "since"):
            label = page.partition(f'name="{field}"')[0].rpartition("<label>")[2]
            assert clock in label, field


def test_an_agents_account_is_chosen_by_its_pseudonym(pages: Web) -> None:
    ref = agent_ref(pages.desk.house.keyring.staff_key(), "agent01")
    day = CALLED_AT.date().isoformat()
    page = clerk(pages).get(f"/breach?lang=en&agent={ref}&since={day}T00:00&until={day}T23:59").text
    assert "1 person concerned" in said(page)
    for wrong in (f"agent={ref}", f"agent={ref}&since={day}T10:00&until={day}T09:00", "agent=jan", "exchange=jan@x"):
        answer = clerk(pages).get(f"/breach?{wrong}")
        assert answer.status_code == 422 and "jan" not in answer.text
    assert clerk(pages).get("/breach?exchange=0470123456").status_code == 404


def test_a_file_is_named_by_its_address_in_a_form(pages: Web) -> None:
    desk, token = pages.desk, token_of(clerk(pages), "/breach")
    [kept] = desk.sql(
        "select c.bucket, c.key, c.version_id from copy c join exchange e using (exchange_id) "
        "where c.kind = 'lake' and e.principal = 'energy01' and e.direction = 'inbound'"
    )
    whole = f"s3://{kept['bucket']}/{kept['key']}"
    asked = {"risk": "high", "aware": "2026-11-24T10:00"}
    for address in (whole, f" {whole}?versionId={kept['version_id']} "):
        page = send(clerk(pages), "/breach?lang=en", token, object=address, **asked)
        assert page.status_code == 200 and "2 persons concerned" in said(page.text), address
        assert "33(2)" in said(page.text)
    form = {"object": whole, "draft": "controller", "principal": "energy01", **asked}
    for kind, begins in (("pdf", b"%PDF"), ("txt", b"")):
        answer = send(clerk(pages), "/breach/draft?lang=en", token, form=kind, **form)
        assert answer.status_code == 200 and answer.content.startswith(begins)
        assert str(kept["key"]) not in answer.headers["content-disposition"]
    for wrong, status in ((f"{whole}x", 409), ("https://elsewhere/x", 422), ("", 422)):
        answer = send(clerk(pages), "/breach", token, object=wrong)
        assert answer.status_code == status and (not wrong or wrong not in said(answer.text)), wrong
        kept = re.findall(r'value="(s3:[^"]+|https:[^"]+)"', answer.text)
        assert set(kept) == ({wrong} if status == 409 else set()), "an address comes back in its field, if it is one"
        assert not wrong or answer.text.count(wrong) == len(kept), "and nowhere else"
        assert f'href="{MOUNT}/breach"' in answer.text, "back to the form"
    assert send(clerk(pages), "/breach", "x", object=whole).status_code == 403, "no form of ours"
    assert send(pages, "/breach", token_of(pages.as_("vera:USER"), "/breach"), object=whole).status_code == 403
