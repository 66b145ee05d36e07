"""Start page, lists of work and cases: what they show, to whom, in three languages, and no person on any of them."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from itertools import pairwise
from typing import Any

import pytest
from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager

from sluice.documents.returned import held_sentence
from sluice.documents.words import LANGUAGES, words
from sluice.rights.case.clock import received_on
from sluice.rights.case.clock_store import find_clocks
from sluice.rights.case.desk_store import count_ours
from sluice.rights.case.due import is_answered
from sluice.rights.case.model import Right, State, Track
from sluice.rights.case.next_step import NextStep
from sluice.rights.case.reasons import iri
from sluice.rights.case.steps import desk_order, pause, settle_identity, withdraw
from sluice.rights.case.store import CaseFilter, list_cases, list_steps
from sluice.rights.desk_steps import extend_and_tell
from sluice.rights.notices.model import WITHDRAWN, NoticeState
from sluice.web.pages.app import MOUNT
from sluice.web.pages.view import Deed
from support.night import Night
from web.desk_work import ASKED_DAYS_AGO, BELIEF, OWN, PREPARER, READS, ask, case_of, said
from web.house import Web

NOTHING, NARROW = "\N{EN DASH}", "\N{NARROW NO-BREAK SPACE}"
SCRIPT = "<script>alert(1)</script>"
DELAY = iri("A12Complexity")
LISTS = ("returns", "reviews", "acknowledgements", "notices", "plans")
ROW = re.compile(r'<a href="/sluice/pages/cases/([0-9a-f-]{36})[^"]*"><code>')


@pytest.fixture
def pages(at_work: Web) -> Web:
    """A viewer at the pages."""
    return at_work.as_("vera:VIEWER")


def every_page(pages: Web, night: Night) -> dict[str, str]:
    """Every page of this part by its path: lists, and one of each thing that they link to."""
    cases = [f"/cases/{case.case_id}" for case in list_cases(night.desk.house.conn)]
    found = {path: pages.get(path).text for path in ("/start", "/cases?open=false", *cases)}
    for name in LISTS:
        found[f"/waiting/{name}"] = text = pages.get(f"/waiting/{name}").text
        for path in re.findall(rf'href="{MOUNT}(/waiting/{name}/[0-9a-f-]{{36}})', text):
            found[path] = pages.get(path).text
    return found


@READS
def test_the_start_page_counts_what_waits_and_leads_there(pages: Web, night: Night) -> None:
    text = pages.get("/start?lang=en").text
    shown = dict(re.findall(r'<h2>(.*?) <span class="count">(\d+)</span>', text))
    say = words("en").say
    refused = [line for line in night.desk.lines() if line.decision in ("refused", "undecided")]
    notices = night.desk.sql("select 1 from notice where state = 'OWED' and channel = 'desk'")
    assert shown == {
        say("pages.matter.clocks"): "1",
        say("pages.matter.cases"): str(count_ours(night.desk.house.conn)),
        say("pages.matter.notices"): str(len(notices)),
        say("pages.matter.plans"): "1",
        say("pages.matter.returns"): "1",
        say("pages.matter.reviews"): "1",
        say("pages.matter.unwell"): str(len(refused)),
        say("pages.matter.roles"): "2",
    }
    quiet = ", ".join(say(f"pages.matter.{each}") for each in ("stops", "acknowledgements"))
    assert f"Nothing to do for: {quiet}." in said(text)
    for path in dict.fromkeys(re.findall(rf'href="{MOUNT}(/(?:waiting|cases|exchanges)[^"]*)"', text)):
        assert pages.get(unescape(path)).status_code == 200, path


@OWN
def test_overdue_acknowledgements_are_there_once_they_are(pages: Web, night: Night) -> None:
    [line] = night.returns()
    night.release(line, by="bert")
    assert "Acknowledgements overdue" not in re.findall(r"<h2>(.*?) <span", pages.get("/start?lang=en").text)
    night.desk.house.conn.execute("update acknowledgement set due_at = now() - interval '1 hour'")
    text = pages.get("/start?lang=en").text
    assert "Acknowledgements overdue" in re.findall(r"<h2>(.*?) <span", text)
    assert f"{MOUNT}/waiting/acknowledgements/{line.id}?lang=en" in text


@READS
def test_clocks_are_told_in_words_and_the_late_one_first(pages: Web, night: Night) -> None:
    late = case_of(night, Right.RESTRICTION)
    for path in ("/start?lang=en", "/cases?lang=en"):
        chips = re.findall(r'<a class="clock (\w+)" href="[^"]*/cases/([0-9a-f-]{36})', pages.get(path).text)
        assert chips[0] == ("late", late) and len(chips) == len(ASKED_DAYS_AGO) + 2, path
    assert re.search(r"Restriction \w{8} \d+ days late · \d+ \w{3}", said(pages.get("/start?lang=en").text))
    assert '<tr><th scope="row">late</th><td class="number">1</td>' in pages.get("/start?lang=en").text


def test_clocks_that_run_are_those_of_the_rules(pages: Web, night: Night) -> None:
    conn, now = night.desk.house.conn, datetime.now(UTC)
    settle_identity(conn, case_of(night, Right.ACCESS), True, desk_order("anna", now, "IDENTITY_SHOWN"))
    extend_and_tell(night.desk.house, case_of(night, Right.ACCESS, "SCOPED"), desk_order("anna", now, DELAY))
    withdraw(conn, case_of(night, Right.OBJECTION), desk_order("anna", now, "SUBJECT_ASKED"))
    answered = case_of(night, Right.PORTABILITY)
    conn.execute("update sub_case set state = 'CLOSED' where case_id = %s", (answered,))
    today = received_on(now)
    assert find_clocks(conn, 100, (today, today + timedelta(days=40))).counts[2] == 0, "the principal's part is not"
    theirs = (case_of(night, Right.ACCESS, "SCOPED"), Track.PROCESSOR)
    conn.execute("update sub_case set state = 'CLOSED' where case_id = %s and track = %s", theirs)
    found = find_clocks(conn, 100, (today, today + timedelta(days=40)))
    due = {case.case_id: case.last_day for case in list_cases(conn) if not case.state.is_over and not is_answered(case)}
    assert {each.case_id: each.last_day for each in found.nearest} == due and answered not in due
    assert [each.last_day for each in found.nearest] == sorted(due.values())
    late, soon, far = found.counts
    assert (late, far) == (1, 1) and late + soon + far == len(due), "the extended one is far"
    assert find_clocks(conn, 1, (today,)).nearest == found.nearest[:1]


@READS
def test_the_plot_is_there_as_a_table_too(pages: Web, night: Night) -> None:
    text = pages.get("/start?lang=en").text
    rows = re.findall(
        r'<tr><th scope="row">\d+ \w+ \d{4}</th><td class="number">(\d+)</td>\s*<td class="number">(\d+)', text
    )
    lines = night.desk.lines()
    assert len(rows) == 28 and sum(int(every) for every, _ in rows) == len(lines)
    assert sum(int(refused) for _, refused in rows) == sum(line.decision == "refused" for line in lines) > 0


@READS
def test_the_list_of_cases_narrows_and_pages(pages: Web, night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = list_cases(night.desk.house.conn)

    def listed(query: str) -> set[str]:
        return set(ROW.findall(pages.get(f"/cases?{query}").text.partition('<table class="list stacked">')[2]))

    assert listed("open=false") == {case.case_id for case in cases}
    assert listed("right=access") == {case_of(night, Right.ACCESS)} != listed("")
    assert listed("state=AWAITING_INSTRUCTION&principal=energy01") == {
        case.case_id for case in cases if any(part.state is State.AWAITING_INSTRUCTION for part in case.sub_cases)
    }
    assert listed("principal=telecom01") == set()
    monkeypatch.setattr("sluice.web.pages.cases.ON_A_PAGE", 1)
    assert through(pages, "/cases?open=false") == [case.case_id for case in cases]


def through(pages: Web, address: str) -> list[str]:
    """Numbers of cases, page after page, as the link to the next one says."""
    seen = []
    while address:
        text = pages.get(address).text
        seen += ROW.findall(text.partition('<table class="list stacked">')[2])
        more = re.search(r'rel="next" href="([^"]+)"', text)
        address = unescape(more[1]).removeprefix(MOUNT) if more else ""
    return seen


def test_late_clocks_are_a_list_that_today_leads_to(pages: Web, night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """The late one was opened third: newest first it is not the first; several have one last day."""
    conn, now = night.desk.house.conn, datetime.now(UTC)
    for days in (40, 41, 41, 40):
        ask(night, Right.ACCESS, days)
    settle_identity(conn, case_of(night, Right.OBJECTION), True, desk_order("anna", now, "IDENTITY_SHOWN"))
    extend_and_tell(night.desk.house, case_of(night, Right.OBJECTION, "SCOPED"), desk_order("anna", now, DELAY))
    answered = case_of(night, Right.PORTABILITY)
    conn.execute("update sub_case set state = 'CLOSED' where case_id = %s", (answered,))
    withdraw(conn, case_of(night, Right.RESTRICTION), desk_order("anna", now, "SUBJECT_ASKED"))
    running = [each.case_id for each in find_clocks(conn, 100, (received_on(now),)).nearest]
    every = {case.case_id for case in list_cases(conn)}
    is_open = {case.case_id for case in list_cases(conn, CaseFilter(only_open=True))}
    [linked] = set(re.findall(rf'href="{MOUNT}(/cases\?sort[^"]+)"', pages.get("/start?lang=en").text))
    assert linked == "/cases?sort=due&amp;lang=en"
    for most in (1, 3, 25):
        monkeypatch.setattr("sluice.web.pages.cases.ON_A_PAGE", most)
        assert through(pages, unescape(linked)) == [*running, answered], most
        shown = through(pages, "/cases?sort=due&open=false")
        assert shown[: len(running)] == running and set(shown) == every and len(shown) == len(every), most
        newest = through(pages, "/cases")
        assert set(newest) == is_open and newest != [*running, answered], "the control"
    assert through(pages, "/cases?sort=due&right=access") == [
        number
        for number in running
        if number in {case.case_id for case in list_cases(conn, CaseFilter(right=Right.ACCESS))}
    ]
    assert 'value="due" selected' in pages.get("/cases?sort=due").text
    assert 'value="due" selected' not in pages.get("/cases?sort=").text


@READS
def test_a_page_begins_where_one_of_the_same_order_ended(
    pages: Web, night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sluice.web.pages.cases.ON_A_PAGE", 1)
    further = {}
    for order in ("", "due"):
        [cursor] = re.findall(r'rel="next" href="[^"]*cursor=([^"&]+)', pages.get(f"/cases?sort={order}").text)
        further[order] = cursor
    for order, cursor in further.items():
        other = "due" if order == "" else ""
        assert pages.get(f"/cases?sort={order}&cursor={cursor}").status_code == 200
        assert pages.get(f"/cases?sort={other}&cursor={cursor}").status_code == 422
    for wrong in ("x", "\N{GRINNING FACE}", "MjAyNi0wMS0wMS8="):
        assert pages.get("/cases", params={"sort": "due", "cursor": wrong}).status_code == 422
    assert pages.get("/cases?sort=oldest").status_code == 422


@READS
def test_a_page_says_whose_clock_it_has_and_an_error_of_a_page_names_nothing_of_the_api(
    pages: Web, night: Night
) -> None:
    for language in LANGUAGES:
        say = words(language).say
        for path, status in (("/start", 200), ("/cases", 200), ("/nowhere", 404), ("/cases?sort=x", 422)):
            answer = pages.get(f"{path}{'&' if '?' in path else '?'}lang={language}")
            assert answer.status_code == status and answer.text.count("<footer") == 1, path
            assert say("pages.brussels") in said(answer.text) and "openapi.json" not in answer.text, path
            if status != 200:
                assert say(f"pages.cure.SLU-{'604' if status == 404 else '607'}") in said(answer.text), path
        other = pages.as_(None).get(f"/start?lang={language}")
        assert other.status_code == 401 and say("pages.cure.SLU-601") in said(other.text), "its English names the API"
        assert "Authorization: Bearer" not in other.text


@READS
def test_a_case_is_told_whole(pages: Web, night: Night) -> None:
    for language in LANGUAGES:
        conn, say = night.desk.house.conn, words(language).say
        for case in list_cases(conn):
            text = said(pages.get(f"/cases/{case.case_id}?lang={language}").text)
            assert say(f"pages.right.{case.right}") in text and say(f"state.{case.state}") in text
            for step in list_steps(conn, case.case_id):
                assert step.actor in text and step.evidence_sha256[:12] in text
                assert say(f"state.{step.to_state}") in text
            assert all(say(f"pages.letter.{letter.kind}") in text and letter.sha256 in text for letter in case.letters)
            assert all(say(f"group.{group}") in text for part in case.sub_cases for group in part.field_groups)
            assert words(language).day(case.due.legal_due.isoformat()) in text


def test_a_pause_moves_the_paused_clock_and_not_the_strict_one(pages: Web, night: Night) -> None:
    case = case_of(night, Right.ACCESS)
    before = said(pages.get(f"/cases/{case}?lang=en").text)
    assert "stands still" not in before
    pause(night.desk.house.conn, case, desk_order("anna", datetime.now(UTC), iri("A12IdentityRequired")))
    after = said(pages.get(f"/cases/{case}?lang=en").text)
    strict = re.search(r"Last day \(strict, the one that counts\) (\d+ \w+ \d+)", before)
    assert strict and strict[0] in after and "stands still" in after
    assert words("en").say("pages.next.await_identity") in after


@READS
def test_notices_say_who_was_told_and_how_far_they_are(pages: Web, night: Night) -> None:
    [row] = night.desk.sql("select case_id::text as id, count(*) as n from notice group by 1")
    text = said(pages.get(f"/cases/{row['id']}?lang=en").text)
    assert text.count("Grid NV") == len(night.desk.sql("select 1 from notice where name = 'Grid NV'")) > 0
    assert "still to be sent" in text


def test_a_hostile_name_is_text(pages: Web, night: Night) -> None:
    """No rule of ours lets one in; the page would show it as text all the same."""
    night.desk.house.conn.execute("update exchange set prepared_by = %s where prepared_at is not null", (SCRIPT,))
    found = every_page(pages, night)
    assert sum(SCRIPT in unescape(text) for text in found.values()) >= 2, "it is there, as text"
    assert not [path for path, text in found.items() if SCRIPT in text]


@READS
def test_who_may_not_read_cases_sees_none_of_them(pages: Web, night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    with_cases = pages.get("/start?lang=en").text
    monkeypatch.setattr("airflow.api_fastapi.app._AuthManagerState.instance", WithoutCases())
    text = pages.get("/start?lang=en").text
    cases = [case.case_id[:8] for case in list_cases(night.desk.house.conn)]
    assert [number for number in cases if number in with_cases] and not [number for number in cases if number in text]
    assert "Returns that wait" in text and "Open cases by time left" not in text
    assert pages.get("/cases").status_code == 403


class WithoutCases(SimpleAuthManager):
    """Airflow's simple auth manager, for people who are not to see cases."""

    def is_authorized_custom_view(self, *, method: Any, resource_name: str, user: Any) -> bool:
        allowed = super().is_authorized_custom_view(method=method, resource_name=resource_name, user=user)
        return allowed and resource_name != "sluice.cases"


def test_every_word_of_a_state_is_there_in_every_language() -> None:
    names = [
        *(f"state.{state}" for state in State),
        *(f"notice.state.{state}" for state in (*NoticeState, WITHDRAWN)),
        "pages.letter.overtaken",
        *(f"pages.right.{right}" for right in Right),
        *(f"pages.next.{step}" for step in NextStep),
        *(f"pages.done.{deed}" for deed in Deed),
    ]
    for language in LANGUAGES:
        assert [name for name in names if words(language).find(name) is None] == []
    assert words("en").find("state.NO_SUCH") is None


@READS
def test_a_place_that_waits_for_nobody_is_not_found(pages: Web, night: Night) -> None:
    nobody = "00000000-0000-4000-8000-000000000000"
    for path in ("/cases", *(f"/waiting/{name}" for name in LISTS if name != "plans")):
        answer = pages.get(f"{path}/{nobody}")
        assert answer.status_code == 404 and "SLU-" in answer.text, path
        assert pages.get(f"{path}/0470123456").status_code == 404


@READS
def test_a_moment_that_no_clock_can_say_is_refused(pages: Web, night: Night) -> None:
    for moment in ("0001-01-01T00:00", "9999-12-31T23:59:59-10:00", "2015-12-31T12:00", "3000-01-01T00:00"):
        answer = pages.get("/lineage", params={"as_of": moment})
        assert answer.status_code == 422 and "SLU-607" in answer.text, moment
    assert pages.get("/lineage", params={"as_of": "2999-12-31T12:00"}).status_code == 200, "the control"


@READS
def test_a_review_shows_the_first_rows_that_wait(pages: Web, night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    [path] = set(re.findall(rf'href="{MOUNT}(/waiting/reviews/[0-9a-f-]{{36}})', pages.get("/waiting/reviews").text))
    clerk = pages.as_("bert:USER")
    assert 'name="rows"' in clerk.get(path).text and "more come" not in said(clerk.get(f"{path}?lang=en").text)
    monkeypatch.setattr("sluice.web.pages.waiting.ROWS", 0)
    assert 'name="rows"' not in clerk.get(path).text
    assert "1 more come once these are decided" in said(clerk.get(f"{path}?lang=en").text)


@READS
def test_no_page_names_a_person_or_runs_anything_and_a_viewer_has_no_form(pages: Web, night: Night) -> None:
    cells = {cell for record in night.people(5) for cell in record} | {BELIEF}
    numbers = {cell[-9:] for cell in cells}
    content = night.contacts.read_text("utf-8-sig")
    assert sum(number in content for number in numbers) >= len(cells) - 1, "the file has them"
    found, clerk = every_page(pages, night), pages.as_("bert:USER")
    assert {path.rpartition("/")[0] for path in found} >= {f"/waiting/{name}" for name in LISTS[:2]}
    for path, text in found.items():
        assert not [number for number in numbers if number in said(text)], path
        assert not re.search(r"\son\w+=|style=|<script>", text) and 'method="post"' not in text, path
        assert text.count("<h1>") == 1, path
        levels = [int(level) for level in re.findall(r"<h([1-6])", text)]
        assert all(after - before <= 1 for before, after in pairwise(levels)), path
        ids = re.findall(r'\sid="([^"]+)"', text)
        assert len(ids) == len(set(ids)), path
        if path.startswith(("/waiting/returns/", "/waiting/reviews/")):
            assert 'method="post"' in clerk.get(path).text, path
    assert PREPARER in found["/waiting/returns"]


def test_rows_of_a_file_that_was_not_read_are_not_counted(pages: Web, night: Night) -> None:
    def cells(number: str) -> list[str]:
        text = pages.get("/exchanges?lang=en").text.partition(f"/exchanges/{number}")[2].partition("</tr>")[0]
        return re.findall(r'class="number"[^>]*>([^<]*)<', text)

    refused = next(line for line in night.desk.lines() if line.decision == "refused")
    night.desk.house.conn.execute(
        "update exchange set rows_in = 0, rows_refused = 0 where exchange_id = %s", (refused.id,)
    )
    [accepted] = [line for line in night.desk.lines() if (line.direction, line.decision) == ("inbound", "accepted")]
    assert cells(refused.id) == [NOTHING, NOTHING] and cells(accepted.id) == ["40", "40"]
    night.desk.house.conn.execute(
        "update exchange set rows_in = 1, rows_refused = 1 where exchange_id = %s", (refused.id,)
    )
    assert cells(refused.id) == ["1", "0"], "the control"


@READS
def test_the_exchanges_of_a_breach_are_links(pages: Web, night: Night) -> None:
    [line] = [each for each in night.desk.lines() if (each.direction, each.decision) == ("inbound", "accepted")]
    text = pages.as_("bert:USER").get(f"/breach?exchange={line.id}&lang=en").text
    fact = text.partition("<dt>Exchanges</dt>")[2].partition("</dd>")[0]
    assert f'href="/sluice/pages/exchanges/{line.id}?lang=en"' in fact and f"<code>{line.id}</code>" in fact


def test_what_waits_is_told_in_words_with_its_code(pages: Web, night: Night) -> None:
    for language in LANGUAGES:
        say = words(language)
        today = said(pages.get(f"/start?lang={language}").text)
        [row] = night.desk.sql("select exchange_id::text as id from exchange where rows_to_review > 0")
        review = pages.get(f"/waiting/reviews/{row['id']}?lang={language}").text
        [code] = set(re.findall(r"<code>(TEXT_\w+)</code>", review))
        assert f"{held_sentence(say, code)} {code}" in said(review) and f"{held_sentence(say, code)} {code}" in today
        assert f"{say.say('warning.SEED_OWNER_NO_SIGN_OFF')} SEED_OWNER_NO_SIGN_OFF" in today

        night.desk.house.conn.execute("update sub_case set forwarded_at = now() where track = 'processor'")
        forwarded = night.desk.sql("select case_id::text as id from sub_case where forwarded_at is not null")
        case = said(pages.get(f"/cases/{forwarded[0]['id']}?lang={language}").text)
        begin = say.say("pages.forwarded", moment="|").partition("|")[0]
        assert f"✓ {begin}" in case


@READS
def test_a_colon_is_written_as_each_language_does(pages: Web, night: Night) -> None:
    for language, colon in (("fr", f"{NARROW}:"), ("nl", ":"), ("en", ":")):
        say = words(language)
        today = pages.get(f"/start?lang={language}").text
        assert f"{say.say('pages.matter.all')}{colon} " in today, language
    assert "Tout:" not in pages.get("/start?lang=fr").text
    assert not re.search("klok (van|in) Brussel", pages.get("/staff?lang=nl").text)
