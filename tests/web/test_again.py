"""A form that was not followed comes back with what was typed, to whom typed it, and only what its fields take."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
import time_machine

from sluice.documents.words import words
from sluice.rights.case.model import CaseId, Right, State
from sluice.rights.case.steps import desk_order, withdraw
from sluice.rights.case.store import get_case
from sluice.web.pages.app import MOUNT
from sluice.web.pages.forms import OLDEST_SECONDS
from support.night import CALLED_AT, Night
from web.desk_work import said, send, token_of
from web.house import Web
from web.test_page_actions import PART, PROOF, REASON, act, settled

pytestmark = pytest.mark.stores
ALERT = re.compile(r'<section class="card refused" role="alert" tabindex="-1" autofocus>(.*?)</section>', re.DOTALL)
GROUND = "NotRequiredJustification"


@pytest.fixture
def pages(at_work: Web) -> Web:
    """Bert, a clerk, at the pages."""
    return at_work.as_("bert:USER")


def form_of(text: str, action: str) -> dict[str, list[str]]:
    """What a browser would send of a form as it stands: what is written, chosen and ticked."""
    found: dict[str, list[str]] = {}
    [form] = re.findall(rf'<form method="post" action="{re.escape(MOUNT + action)}[^>]*>(.*?)</form>', text, re.DOTALL)
    for tag in re.findall(r"<input [^>]+>", form):
        name = re.search(r'name="(\w+)"', tag)
        is_choice = 'type="checkbox"' in tag or 'type="radio"' in tag
        if name and (not is_choice or " checked" in tag):
            value = re.search(r'value="([^"]*)"', tag)
            found.setdefault(name[1], []).append(unescape(value[1]) if value else "")
    for name, options in re.findall(r'<select[^>]* name="(\w+)".*?>(.*?)</select>', form, re.DOTALL):
        chosen = re.findall(r'<option value="([^"]*)" selected>', options)
        found.setdefault(name, []).append(unescape(chosen[0]) if chosen else "")
    return found


def filled(pages: Web, page: str) -> dict[str, Any]:
    """A refusal of every group by itself, for abuse that nothing proves."""
    text = pages.get(page).text
    groups = re.findall(r'<option value="([a-z_*]+)=NotRequiredJustification"', text)
    assert len(groups) > 1
    return {
        "part": sorted(set(PART.findall(text))),
        "action": "refuse",
        "refuse": ["", *(f"{group}={GROUND}" for group in groups if group != "*")],
        "abuse_proven": "true",
        "reason": REASON,
        "evidence": "",
    }


def as_lists(form: dict[str, Any]) -> dict[str, list[str]]:
    return {name: [said] if isinstance(said, str) else list(said) for name, said in form.items()}


def test_a_decision_comes_back_as_it_was_typed_and_goes_through_once_mended(
    pages: Web, night: Night, caplog: pytest.LogCaptureFixture
) -> None:
    page = settled(pages, night, Right.PORTABILITY)
    form, token = filled(pages, page), token_of(pages, page)
    fresh = form_of(pages.get(page).text, f"{page}/decide")
    caplog.clear()
    answer = send(pages, f"{page}/decide?lang=fr", token, **form)
    assert answer.status_code == 422 and answer.headers["cache-control"] == "no-store"
    [alert] = ALERT.findall(answer.text)
    assert "SLU-607" in alert and "evidence" in alert and words("fr").say("pages.error.undone") in said(alert)
    assert answer.text.count("<h1") == 1 and '<html lang="fr">' in answer.text
    again = form_of(answer.text, f"{page}/decide")
    assert {name: again[name] for name in form} == as_lists(form) != {name: fresh.get(name) for name in form}
    assert answer.text.count('<details class="act" open>') == 1
    assert f'href="{MOUNT}{page}?lang=nl"' in answer.text, "the page is there in other languages"
    assert not [each for each in (REASON, GROUND) if each in caplog.text]

    mended = again | {"evidence": [PROOF]}
    done = send(pages, f"{page}/decide", mended.pop("token")[0], **mended)
    assert done.status_code == 303, said(done.text)
    assert not ALERT.findall(pages.get(page).text), "the control"


def test_a_rule_that_says_no_shows_the_form_again(pages: Web, night: Night) -> None:
    page = settled(pages, night, Right.PORTABILITY)
    answer = act(pages, page, "/decide", action="refuse", refuse=[], reason=REASON, evidence=PROOF)
    assert answer.status_code == 409 and "SLU-521" in ALERT.findall(answer.text)[0]
    again = form_of(answer.text, f"{page}/decide")
    assert (again["action"], again["reason"], again["evidence"]) == (["refuse"], [REASON], [PROOF])
    other = form_of(answer.text, f"{page}/withdraw")
    assert (other["reason"], other["evidence"]) == (["SUBJECT_ASKED"], [""]), "another form of the page is as ever"


def test_a_form_that_lay_too_long_comes_back_with_a_new_token_and_does_nothing(pages: Web, night: Night) -> None:
    page = settled(pages, night, Right.PORTABILITY)
    case, form, token = CaseId(page.rpartition("/")[2]), filled(pages, page), token_of(pages, page)
    before = get_case(night.desk.house.conn, case)
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=OLDEST_SECONDS + 60), tick=True):
        answer = send(pages, f"{page}/decide", token, **form | {"evidence": PROOF})
        assert answer.status_code == 403 and "SLU-609" in ALERT.findall(answer.text)[0]
        again = form_of(answer.text, f"{page}/decide")
        assert {name: again[name] for name in form} == as_lists(form | {"evidence": PROOF})
        assert get_case(night.desk.house.conn, case) == before
        [new] = again.pop("token")
        assert new != token and send(pages, f"{page}/decide", new, **again).status_code == 303

        others = token_of(pages.as_("carla:USER"), page)
    for name, wrong, headers in (
        ("another's", others, None),
        ("none", None, None),
        ("another site", token_of(pages, page), {"Sec-Fetch-Site": "cross-site"}),
    ):
        refused = send(pages, f"{page}/decide", wrong, headers, **form)
        assert refused.status_code == 403 and not ALERT.findall(refused.text) and REASON not in refused.text, name
    viewer = send(pages.as_("bert:VIEWER"), f"{page}/decide", token_of(pages, page), **form)
    assert viewer.status_code == 403 and REASON not in viewer.text


def test_what_is_no_word_of_its_field_does_not_come_back(pages: Web, night: Night) -> None:
    page = settled(pages, night, Right.PORTABILITY)
    jan = "Jan Peeters 0470123456"
    answer = act(pages, page, "/decide", action=jan, refuse=f"*={jan}", reason=jan, evidence=jan, part=jan)
    assert answer.status_code == 422 and ALERT.findall(answer.text) and "Jan" not in answer.text
    again = form_of(answer.text, f"{page}/decide")
    assert (again["action"], again["reason"], again["evidence"]) == ([""], [""], [""])


def test_what_somebody_else_did_meanwhile_is_on_the_page(pages: Web, night: Night) -> None:
    page = settled(pages, night, Right.PORTABILITY)
    form, token = filled(pages, page), token_of(pages, page)
    case = CaseId(page.rpartition("/")[2])
    withdraw(night.desk.house.conn, case, desk_order("anna", datetime.now(UTC), "SUBJECT_ASKED"))
    answer = send(pages, f"{page}/decide", token, **form | {"evidence": PROOF})
    assert answer.status_code == 409 and ALERT.findall(answer.text)
    assert get_case(night.desk.house.conn, case).state is State.WITHDRAWN_BY_SUBJECT
    assert 'method="post"' not in answer.text and "SUBJECT_ASKED" in answer.text


def test_work_that_waits_comes_back_too(pages: Web, night: Night) -> None:
    [row] = night.desk.sql("select exchange_id::text as id from exchange where rows_to_review > 0")
    page = f"/waiting/reviews/{row['id']}"
    answer = send(pages, page, token_of(pages, page), choice="mask", reason=REASON)
    assert answer.status_code == 422 and ALERT.findall(answer.text)
    again = form_of(answer.text, page)
    assert (again["choice"], again["reason"], again.get("rows")) == (["mask"], [REASON], None), "no row was ticked"
    waits = re.findall(r'name="rows" value="(\d+)"', answer.text)
    assert waits and form_of(pages.get(page).text, page).get("rows") is None, "nobody decides of a row by default"
    ticked = send(pages, page, token_of(pages, page), choice="mask", reason="Jan said so", rows=waits[:1])
    assert form_of(ticked.text, page)["rows"] == waits[:1], "the control"
    notice = night.desk.sql("select notice_id::text as id from notice where state = 'OWED' and channel = 'desk'")[0]
    page = f"/waiting/notices/{notice['id']}"
    again = form_of(act(pages, page, outcome="sent", reason=REASON).text, page)
    assert (again["outcome"], again["reason"]) == (["sent"], [REASON])
    nobody = page[:-36] + "00000000-0000-4000-8000-000000000000"
    answer = send(pages, nobody, token_of(pages, page), outcome="sent", reason=REASON, evidence=PROOF)
    assert answer.status_code == 404 and REASON not in answer.text, "where there is no page there is no form"


def test_the_fields_of_a_breach_come_back(pages: Web, night: Night) -> None:
    known = "aware=2026-11-24T10:00&risk=high"
    answer = pages.get(f"/breach?lang=en&exchange=04704704-0470&{known}")
    assert answer.status_code == 404 and "SLU-604" in ALERT.findall(answer.text)[0]
    assert 'name="exchange"' in answer.text and 'value="04704704-0470"' in answer.text
    assert 'value="2026-11-24T10:00"' in answer.text and '<option value="high" selected>' in answer.text
    assert f'href="{MOUNT}/breach?exchange=04704704-0470&amp;aware=' in answer.text, "and in another language"
    agent = re.findall(r'<option value="([0-9a-f]{32})"', answer.text)[-1]
    day = CALLED_AT.date().isoformat()
    answer = pages.get(f"/breach?agent={agent}&since={day}T10:00&until={day}T09:00&{known}")
    assert answer.status_code == 422
    assert words("nl").say("pages.fault.not_after_since") in said(ALERT.findall(answer.text)[0])
    assert f'<option value="{agent}" selected>' in answer.text
    assert f'value="{day}T10:00"' in answer.text and f'value="{day}T09:00"' in answer.text
    assert not ALERT.findall(pages.get("/breach").text) and "selected" in pages.get("/breach").text, "the control"


def test_a_slice_of_an_object_stays_in_another_language(pages: Web, night: Night) -> None:
    [kept] = night.desk.sql(
        "select c.bucket, c.key from copy c join exchange e using (exchange_id) "
        "where c.kind = 'lake' and e.direction = 'inbound' limit 1"
    )
    known = {"aware": "2026-11-24T10:00", "risk": "high"}
    for address, status in ((f"s3://{kept['bucket']}/{kept['key']}", 200), (f"s3://{kept['bucket']}/nothing", 409)):
        token = token_of(pages, "/breach")
        answer = send(pages, "/breach?lang=en", token, object=address, **known)
        assert answer.status_code == status and address not in "".join(
            re.findall('(?:href|action)="[^"]*"', answer.text)
        )
        [nav] = re.findall(r'<nav class="languages".*?</nav>', answer.text, re.DOTALL)
        assert "<a " not in nav and len(re.findall("<form", nav)) == 3
        form = form_of(nav, "/breach?lang=fr")
        other = send(pages, "/breach?lang=fr", form.pop("token")[0], **form)
        assert other.status_code == status and '<html lang="fr">' in other.text
        assert form["object"] == [address] and f'value="{address}"' in other.text
        assert '<option value="high" selected>' in other.text and 'value="2026-11-24T10:00"' in other.text
        assert ('id="slice"' in other.text) is (status == 200)
    assert "<a " in re.findall(r'<nav class="languages".*?</nav>', pages.get("/breach").text, re.DOTALL)[0]
