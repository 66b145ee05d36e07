"""What is done from a page: by whom, with which reason in the ledger, and never because another site asked."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from fastapi import FastAPI
from fastapi.routing import APIRoute

from rights.asking import asked
from sluice.documents.words import words
from sluice.exchange.review import list_open, note_rows
from sluice.rights.case.model import CaseId, LetterKind, Right, State
from sluice.rights.case.store import get_case, list_steps
from sluice.rights.erasure.erase import run
from sluice.terms import ExchangeId
from sluice.web.access import Rule
from sluice.web.pages.app import MOUNT, make_pages
from sluice.web.pages.forms import OLDEST_SECONDS, check_form
from support.night import Night
from web.desk_work import OWN, PLANNER, PREPARER, ask, case_of, said, send, token_of
from web.house import Web
from web.permissions import dependencies

PROOF = "ab" * 32
REASON = "CHECKED_BY_PHONE"
PART = re.compile(r'name="part" value="([^"]+)"')
CROSS = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}


@pytest.fixture
def pages(at_work: Web) -> Web:
    """Bert, a clerk, at the pages."""
    return at_work.as_("bert:USER")


def entry(night: Night, kind: str) -> dict[str, Any]:
    """The body of the last entry of a kind."""
    [row] = night.desk.sql(
        f"select body from ledger.entry where kind = '{kind}' order by appended_at desc, seq desc limit 1"
    )
    return dict(json.loads(bytes(row["body"])))  # type: ignore[call-overload]


def act(pages: Web, page: str, act: str = "", **fields: Any) -> Any:
    """Open a page and send its form, with the parts that it shows."""
    parts = set(PART.findall(pages.get(page).text)) if act.startswith(("/decide", "/extend")) else set()
    return send(pages, f"{page}{act}", token_of(pages, page), **({"part": sorted(parts)} if parts else {}) | fields)


def settled(pages: Web, night: Night, right: Right) -> str:
    """The page of a case whose identity was settled from it."""
    page = f"/cases/{case_of(night, right)}"
    assert act(pages, page, "/identity", outcome="shown").status_code == 303
    return page


def test_a_form_that_no_page_of_this_login_sent_does_nothing(pages: Web, night: Night) -> None:
    case = case_of(night, Right.ACCESS)
    page, path = f"/cases/{case}", f"/cases/{case}/withdraw"
    token, others = token_of(pages, page), token_of(pages.as_("carla:USER"), page)
    forged = f"{token[:-5]}{'A' if token[-5] != 'A' else 'B'}{token[-4:]}"
    tried = {
        "no token": send(pages, path, None, reason=REASON),
        "no real token": send(pages, path, forged, reason=REASON),
        "another's token": send(pages, path, others, reason=REASON),
        "another origin": send(pages, path, token, CROSS, reason=REASON),
        "the same site, another host": send(pages, path, token, {"Sec-Fetch-Site": "same-site"}, reason=REASON),
        "an old browser, another origin": send(pages, path, token, {"Origin": "https://evil.example"}, reason=REASON),
        "a browser that hides it": send(pages, path, token, {"Origin": "null"}, reason=REASON),
        "nothing said": send(pages, path, token, {}, reason=REASON),
    }
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=OLDEST_SECONDS + 60)):
        tried["a stale token"] = send(pages, path, token, reason=REASON)
    for name, answer in tried.items():
        assert answer.status_code == 403, name
        assert ("SLU-609" if "token" in name else "SLU-608") in answer.text, name
    assert get_case(night.desk.house.conn, case).state is State.RECEIVED

    for headers in ({"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://testserver"}):
        answer = send(pages, path, token, headers, reason=REASON)
        assert answer.status_code in (303, 409), "the control: the second finds it over"
    assert get_case(night.desk.house.conn, case).state is State.WITHDRAWN_BY_SUBJECT
    last = entry(night, "case.transitioned")
    assert (last["actor"], last["actor_role"], last["reason_code"]) == ("bert", "desk", REASON)


def test_another_body_than_a_form_does_not_get_in(pages: Web, night: Night) -> None:
    path = f"/cases/{case_of(night, Right.ACCESS)}/withdraw"
    for kind in ("text/plain", "multipart/form-data; boundary=x"):
        answer = pages.ask("POST", path, content=b"reason=X", headers={"Content-Type": kind})
        assert (answer.status_code, "SLU-606" in answer.text) == (415, True)
    answer = pages.post(path, {"reason": REASON}, headers={"Sec-Fetch-Site": "same-origin"})
    assert (answer.status_code, "SLU-606" in answer.text) == (415, True), "no page reads JSON"


def unruled(app: FastAPI) -> list[str]:
    """Routes that change something and ask for no permission, or check no form."""
    found = []
    for route in app.routes:
        if isinstance(route, APIRoute) and "POST" in route.methods:
            asked = dependencies(route.dependant)
            if check_form not in asked or not any(isinstance(each, Rule) for each in asked):
                found.append(route.path)
    return found


def test_every_action_has_a_rule_and_checks_its_form(pages: Web) -> None:
    app = make_pages()
    assert unruled(app) == []
    app.add_api_route("/open", lambda: {}, methods=["POST"])
    assert unruled(app) == ["/open"]


def test_who_only_reads_can_do_nothing(pages: Web, night: Night) -> None:
    token = token_of(pages.as_("vera:USER"), f"/cases/{case_of(night, Right.ACCESS)}")
    number = "00000000-0000-4000-8000-000000000000"
    routes = [each for each in make_pages().routes if isinstance(each, APIRoute) and "POST" in each.methods]
    assert len(routes) >= 10
    for route in routes:
        path = route.path.format(case_id=number, exchange_id=number, notice_id=number, agreement_id="DPA-NOBODY")
        assert send(pages.as_("vera:VIEWER"), path, token, reason=REASON).status_code == 403, path
        assert send(pages.as_(None), path, token, reason=REASON).status_code == 401, path
        assert send(pages.as_("vera:USER"), path, token, reason=REASON).status_code in (404, 422), path


def test_a_case_is_decided_from_its_page_and_the_next_page_says_so(pages: Web, night: Night) -> None:
    page = settled(pages, night, Right.ACCESS)
    answer = act(
        pages, page, "/decide?lang=en", action="give", refuse=["", ""], reason="SHE_MAY_HAVE_IT", evidence=PROOF
    )
    assert answer.status_code == 303 and answer.headers["location"] == f"{MOUNT}{page}?done=decide&lang=en"
    shown = pages.get(answer.headers["location"].removeprefix(MOUNT)).text
    assert 'role="status"' in shown and "The decision was taken and recorded." in said(shown)
    case = get_case(night.desk.house.conn, CaseId(page.rpartition("/")[2]))
    [own] = [part for part in case.sub_cases if part.controller == "center"]
    last = list_steps(night.desk.house.conn, case.case_id)[-1]
    assert (own.state, last.actor, last.reason_code, last.evidence_sha256) == (
        State.ACCEPTED, "bert", "SHE_MAY_HAVE_IT", PROOF,
    )  # fmt: skip
    assert entry(night, "case.transitioned")["reason_code"] == "SHE_MAY_HAVE_IT"


def test_a_refusal_names_a_ground_per_group_and_its_letter_is_written(pages: Web, night: Night) -> None:
    page = settled(pages, night, Right.PORTABILITY)
    without = act(pages, page, "/decide", action="refuse", refuse=[], reason=REASON)
    assert without.status_code == 409 and "SLU-521" in without.text
    assert f'href="{MOUNT}{page}"' in without.text, "back to the form"
    case = get_case(night.desk.house.conn, CaseId(page.rpartition("/")[2]))
    [own] = [part for part in case.sub_cases if part.controller == "center"]
    refuse = [f"{group}=NotRequiredJustification" for group in own.field_groups]
    assert (
        act(pages, page, "/decide", action="refuse", refuse=refuse, reason=REASON, part=own.sub_case_id).status_code
        == 303
    )
    case = get_case(night.desk.house.conn, case.case_id)
    assert case.find_letter(LetterKind.REFUSAL, own.sub_case_id)
    assert list_steps(night.desk.house.conn, case.case_id)[-1].remedies_ref == "remedies.be"


def test_a_decision_is_about_the_parts_that_the_form_named(pages: Web, night: Night) -> None:
    page = settled(pages, night, Right.ACCESS)
    for path, more in (("/decide", {"action": "give", "reason": REASON}), ("/extend", {"reason": "A12Complexity"})):
        answer = send(pages, f"{page}{path}", token_of(pages, page), **more)
        assert answer.status_code == 422 and "SLU-607" in answer.text, path
    assert act(pages, page, "/decide", action="", reason=REASON).status_code == 422, "nothing was chosen"
    assert act(pages, page, "/decide", action="give", reason=REASON).status_code == 303, "the control: one hidden part"


def test_why_it_has_to_be_erased_is_chosen_and_is_the_reason(pages: Web, night: Night) -> None:
    case = ask(night, Right.ERASURE, 1)
    page = f"/cases/{case.case_id}"
    assert act(pages, page, "/identity", outcome="shown").status_code == 303
    shown = pages.get(f"{page}?lang=fr").text
    assert shown.count('<option value="CHILD">') == 1 and words("fr").say("ground.CHILD") in said(shown)
    assert 'name="ground"' not in pages.get(settled(pages, night, Right.ACCESS)).text, "nothing to erase there"
    form = {"action": "erase", "refuse": "", "reason": ""}
    for wrong, name in (
        (form, "missing"),
        (form | {"ground": "UNLAWFUL", "reason": REASON}, "not_with_reason"),
        (form | {"ground": "UNLAWFUL", "action": "refuse", "refuse": "*=A17LegalClaims"}, "only_to_erase"),
        (form | {"ground": "LEGITIMATE"}, "choice"),
    ):
        answer = act(pages, page, "/decide?lang=nl", **wrong)
        assert answer.status_code == 422 and words("nl").say(f"pages.fault.{name}") in said(answer.text), name
    assert '<option value="UNLAWFUL" selected>' in act(pages, page, "/decide", **form, ground="UNLAWFUL", part="x").text
    assert act(pages, page, "/decide", **form, ground="UNLAWFUL").status_code == 303
    assert list_steps(night.desk.house.conn, case.case_id)[-1].reason_code == "UNLAWFUL"


def test_abuse_needs_its_proof(pages: Web, night: Night) -> None:
    page = settled(pages, night, Right.ACCESS)
    form = {"action": "refuse", "refuse": "*=A12UnfoundedRequest", "reason": REASON, "abuse_proven": "true"}
    answer = act(pages, page, "/decide", **form)
    assert answer.status_code == 422 and "evidence" in answer.text
    assert act(pages, page, "/decide", **form, evidence=PROOF).status_code != 422, "the control"


def test_a_case_is_paused_resumed_and_extended(pages: Web, night: Night) -> None:
    page = f"/cases/{case_of(night, Right.OBJECTION)}"
    assert act(pages, page, "/pause", reason="A12IdentityRequired").status_code == 303
    assert "stands still" in said(pages.get(f"{page}?lang=en").text)
    assert act(pages, page, "/identity", outcome="shown").status_code == 303
    assert act(pages, page, "/extend", reason="A12Complexity").status_code == 303
    case = get_case(night.desk.house.conn, CaseId(page.rpartition("/")[2]))
    assert case.is_extended and entry(night, "case.letter")["kind"] == "extension"
    assert "extended" in said(pages.get(f"{page}?lang=en").text)
    again = act(pages, page, "/extend", reason="A12Complexity", part=[case.sub_cases[0].sub_case_id])
    assert (again.status_code == 409 and "extended_never_before" in again.text) or "no_such_step" in again.text


@OWN
def test_who_prepared_a_return_cannot_release_it_from_a_page_either(pages: Web, night: Night) -> None:
    [line] = night.returns()
    page = f"/waiting/returns/{line.id}"
    own = pages.as_(f"{PREPARER}:ADMIN")
    for reader, may in ((own, False), (pages.as_("AN.Peeters:ADMIN"), False), (pages, True)):
        text = reader.get(f"{page}?lang=en").text
        assert ("<form" in text, "somebody else releases it" in said(text)) == (may, not may)
    for more in ({}, {"by": "bert", "released_by": "bert", "releaser": "bert"}):
        answer = send(own, page, token_of(own, "/cases/new"), reason=REASON, **more)
        assert answer.status_code == 409 and "SLU-541" in answer.text
    assert night.returns()[0].decision == "open"

    answer = act(pages, page, reason=REASON)

    assert answer.status_code == 303 and "done=release_return" in answer.headers["location"]
    released = entry(night, "return.released")
    assert (released["released_by"], released["reason"]) == ("bert", REASON)
    night.make()
    assert night.returns()[0].decision in ("accepted", "partly_accepted")
    assert send(pages, page, token_of(pages, f"/waiting/acknowledgements/{line.id}"), reason=REASON).status_code == 409

    page = f"/waiting/acknowledgements/{line.id}"
    token = token_of(pages, page)
    said_so = [send(pages, page, token, reason="PRINCIPAL_SAID_SO").headers["location"] for _ in range(2)]
    assert ["done=acknowledge" in said_so[0], "done=unchanged" in said_so[1]] == [True, True]
    noted = entry(night, "return.acknowledged")
    assert (noted["acknowledged_by"], noted["reason"]) == ("bert", "PRINCIPAL_SAID_SO")


def test_who_made_a_plan_or_decided_cannot_release_it_and_that_is_recorded(pages: Web, night: Night) -> None:
    [row] = night.desk.sql("select case_id::text as id, sha256 from erasure_plan where released_at is null")
    page, form = f"/cases/{row['id']}", {"principal": "energy01", "plan": row["sha256"], "reason": REASON}
    for name, why in ((PLANNER, "MADE_THE_PLAN"), ("anna", "DECIDED_THE_CASE")):
        answer = act(pages.as_(f"{name}:ADMIN"), page, "/release", **form, by="bert")
        assert answer.status_code == 409 and why in answer.text
        refused = entry(night, "erasure.refused")
        assert (refused["asked_by"], refused["reason"]) == (name, why)
    other = act(pages, page, "/release", **{**form, "plan": "0" * 64})
    assert other.status_code == 409 and "ANOTHER_PLAN" in other.text

    assert act(pages, page, "/release", **form).status_code == 303

    released = entry(night, "erasure.released")
    assert (released["released_by"], released["reason"], released["plan_sha256"]) == ("bert", REASON, row["sha256"])


def test_held_rows_are_decided_once(pages: Web, night: Night) -> None:
    [row] = night.desk.sql(
        "select exchange_id::text as id from exchange where rows_held > 0 and direction = 'internal'"
    )
    page, house = f"/waiting/reviews/{row['id']}", night.desk.house
    [held] = note_rows(house, ExchangeId(str(row["id"])))
    assert act(pages, page, choice="mask", reason=REASON).status_code == 422, "no row"
    token = token_of(pages, page)
    assert send(pages, page, token, choice="mask", rows=held.row, reason=REASON).status_code == 303
    decided = entry(night, "review.decided")
    assert (decided["decided_by"], decided["decision"], decided["reason"]) == ("bert", "mask", REASON)
    assert send(pages, page, token, choice="send", rows=held.row, reason=REASON).status_code == 409
    assert list_open(house.conn, 10) == [] and page not in pages.get("/waiting/reviews").text


@OWN
def test_a_row_that_was_erased_waits_for_nobody(pages: Web, night: Night) -> None:
    house, [before] = night.desk.house, list_open(night.desk.house.conn, 10)
    assert before.open == len(note_rows(house, before.exchange_id)) == 1
    record, phone = night.people(6)[2]
    assert run(house, asked(night, phone, record).case_id, datetime.now(UTC)).residual == 0

    assert night.desk.sql("select rows_to_review as n from exchange where rows_held > 0") == [{"n": 0}]
    assert list_open(house.conn, 10) == [] and "/waiting/reviews/" not in pages.get("/waiting/reviews").text
    assert (
        note_rows(house, before.exchange_id) == []
        and 'name="rows"' not in pages.get(f"/waiting/reviews/{before.exchange_id}").text
    )


def test_the_desk_notes_what_it_sent_and_what_a_recipient_said(pages: Web, night: Night) -> None:
    rows = night.desk.sql("select notice_id::text as id from notice where state = 'OWED' and channel = 'desk'")
    page = f"/waiting/notices/{rows[0]['id']}"
    assert act(pages, page, outcome="sent", reason=REASON).status_code == 422, "no proof"
    assert act(pages, page, outcome="done", evidence=PROOF, reason=REASON).status_code == 409, "nobody was told"
    for outcome, state in (("sent", "SENT"), ("acknowledged", "ACKNOWLEDGED"), ("done", "DONE")):
        token = token_of(pages, page)
        assert send(pages, page, token, outcome=outcome, evidence=PROOF, reason=REASON).status_code == 303, outcome
        moved = entry(night, "notice.moved")
        assert (moved["to_state"], moved["by"], moved["reason"], moved["evidence_sha256"]) == (
            state, "bert", REASON, PROOF,
        )  # fmt: skip
    assert 'method="post"' not in pages.get(page).text


def test_a_reason_is_a_code_and_what_was_typed_is_not_repeated(pages: Web, night: Night) -> None:
    page = f"/cases/{case_of(night, Right.ACCESS)}"
    for typed in ("Jan Peeters 0470123456", "", "lower_case", "X" * 65):
        answer = act(pages, page, "/withdraw", reason=typed)
        assert answer.status_code == 422 and "SLU-607" in answer.text, typed
        assert "0470123456" not in answer.text
    assert get_case(night.desk.house.conn, case_of(night, Right.ACCESS)).state is State.RECEIVED
